"""What each field of a model means: the docstring below it, read when a schema is first made of it, or a word's."""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from bpm.bus.field_descriptions import FIELD_DESCRIPTIONS


def field_docs(model: type[Any]) -> dict[str, str]:
    """Return the sentences of a model's fields by name, those of the classes that it is made of included."""
    found = dict(FIELD_DESCRIPTIONS)
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
    for field, below in pairwise(node.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = inspect.cleandoc(text)
            case _:
                pass
    return docs
