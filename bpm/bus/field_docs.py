"""What each field of a model means: the docstring below it, read when a schema is first made of it, or a word's."""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from bpm.bus.field_words import FIELD_WORDS


def field_docs(model: type[Any]) -> dict[str, str]:
    """Return the sentences of a model's fields by name, those of the classes that it is made of included."""
    found = dict(FIELD_WORDS)
    for part in reversed(model.__mro__):
        found |= _docs_in(part.__module__).get(part.__qualname__.partition("[")[0], {})
    return found


@cache
def _docs_in(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the docstrings of attributes by class, of a module whose source is there."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return {}
    return {node.name: _docs_of(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _docs_of(node: ast.ClassDef) -> dict[str, str]:
    docs: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            docs[field.target.id] = inspect.cleandoc(str(below.value.value))
    return docs
