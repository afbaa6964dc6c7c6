"""Typed clients for other programs; what is written by hand lies in the folders, the rest is generated from OpenAPI."""
