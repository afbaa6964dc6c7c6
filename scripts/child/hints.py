"""Warnings about a script that compiles: names nobody binds, modules that are not there, no result."""

import ast
import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scripts.shared import policy

KNOWN = frozenset(
    name
    for names in (
        policy.INPUTS,
        policy.CALLS,
        policy.BUILTINS,
        policy.EXCEPTIONS,
        policy.GUARDED_BUILTINS,
        policy.MODULES,
        policy.READABLE_DUNDERS,
    )
    for name in names
)


BINDING = (
    ast.Name,
    ast.FunctionDef,
    ast.ClassDef,
    ast.arg,
    ast.alias,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
    ast.MatchMapping,
)
"""Nodes that may bind a name."""


class Hint(NamedTuple):
    """A warning with the node it is about."""

    node: ast.AST
    code: str
    message: str


def hints(tree: ast.Module, nodes: Sequence[ast.AST]) -> Iterator[Hint]:
    """Yield the warnings of a parsed script, of which all nodes are given, too."""
    bound = {name for node in nodes if isinstance(node, BINDING) for name in _bindings(node)}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id not in bound and node.id not in KNOWN:
            yield Hint(node, "unknown_name", _unknown(node.id, bound))
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    if imports:
        expected = {part for node in nodes for part in _expecting_import_errors(node)}
        for node in imports:
            if node not in expected:
                yield from _imports(node)
    if not any(_answers(node) for node in nodes if isinstance(node, (ast.Call, *BINDING))) and not _returns(tree):
        place = tree.body[-1] if tree.body else tree
        yield Hint(place, "no_result", "The script never sets result, returns nothing and calls no reply().")


def _bindings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Hint]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in policy.MODULES:
                yield Hint(node, "unknown_module", f"The module {alias.name} is not available in scripts.")
    elif node.module != "__future__":
        members = policy.MODULES.get(node.module or "")
        if members is None:
            yield Hint(node, "unknown_module", f"The module {node.module} is not available in scripts.")
            return
        for alias in node.names:
            if alias.name not in members:
                yield Hint(node, "unknown_name", f"The module {node.module} has no member {alias.name} in scripts.")


def _expecting_import_errors(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a `try` that goes on without a module: `except ImportError`."""
    if isinstance(node, ast.Try):
        caught = {part.id for handler in node.handlers for part in ast.walk(handler) if isinstance(part, ast.Name)}
        if caught & {"ImportError", "ModuleNotFoundError"}:
            yield from node.body


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield child
            yield from _outside_functions(child)


def _returns(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.Return) and node.value is not None for node in _outside_functions(tree))


def _answers(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "reply"
    return "result" in _bindings(node)


def _unknown(name: str, bound: set[str]) -> str:
    near = difflib.get_close_matches(name, [*KNOWN, *bound], n=1, cutoff=0.8)
    return f"The name {name} is not defined{f'; did you mean {near[0]}?' if near else '.'}"
