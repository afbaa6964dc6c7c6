"""Names that begin with one underscore: a script's classes may have such attributes, if they make them themselves."""

import ast
import re
from collections.abc import Iterator

_PRIVATE = re.compile(r"_[^_]|_[^_].*[^_]", re.DOTALL)


def is_private(name: str) -> bool:
    """Tell whether a name is written like a private attribute; no guard is: they end with an underscore, too."""
    return _PRIVATE.fullmatch(name) is not None


def made_by_classes(tree: ast.Module) -> frozenset[str]:
    """Return the private attributes that the classes of a script make: in their bodies, or on `self`."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return frozenset(name for node in classes for name in _made_by(node) if is_private(name))


def _made_by(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        yield from _bound(statement)
        if isinstance(statement, ast.FunctionDef):
            yield statement.name
            yield from _set_on_first(statement)


def _bound(statement: ast.stmt) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id


def _set_on_first(method: ast.FunctionDef) -> Iterator[str]:
    parameters = [*method.args.posonlyargs, *method.args.args]
    if not parameters:
        return
    for node in ast.walk(method):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), ctx=ast.Store()) if owner == parameters[0].arg:
                yield node.attr
            case _:
                pass
