"""Which variables a Python script can name, so that it need not be given those that it can't."""

import ast
from collections.abc import Iterator

VARIABLES = "variables"
_ALL_NAMES = ("globals", "locals", "vars", "eval", "exec")
"""What may reach `variables` without its name."""


def named_variables(source: str) -> frozenset[str] | None:
    """Return the names under which a script looks into `variables`; None when it may look at all of them."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the deployment says so
        return None
    keyed = dict(_keyed(tree))
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in (VARIABLES, *_ALL_NAMES)]
    return frozenset(keyed.values()) if all(id(node) in keyed for node in used) else None


def _keyed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the uses of `variables` that name one of them in so many letters, each with that name."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="variables") as used, slice=ast.Constant(value=str(name))):
                yield id(used), name
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="variables") as used, attr="get" | "pop" | "setdefault"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield id(used), name
            case ast.Compare(
                left=ast.Constant(value=str(name)),
                ops=[ast.In() | ast.NotIn()],
                comparators=[ast.Name(id="variables") as used],
            ):
                yield id(used), name
            case _:
                pass
