"""The keywords of JSON Schema, each a class: what it holds for, and what it says when it does not."""
