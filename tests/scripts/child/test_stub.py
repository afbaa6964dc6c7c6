"""`script.pyi` tells editors what a script really finds."""

import ast
import inspect
from pathlib import Path
from typing import Any

from scripts.child.clock import now
from scripts.child.interface import CommandError, Interface
from scripts.shared import policy

STUB = ast.parse(Path(policy.__file__).parents[1].joinpath("script.pyi").read_text())
OFFERED: dict[str, Any] = {"send": Interface.send, "reply": Interface.reply, "log": Interface.log, "now": now}


def test_the_stub_names_what_is_offered() -> None:
    """Every input, `result`, the functions and the error stand in the stub, and nothing else does."""
    variables = {
        node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    functions = {node.name for node in STUB.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name for node in STUB.body if isinstance(node, ast.ClassDef)}
    assert variables == {*policy.INPUTS, "result"}
    assert functions == {*policy.CALLS} - {"print"} == set(OFFERED)
    assert classes == {CommandError.__name__}


def test_the_stub_has_the_signatures_of_what_is_offered() -> None:
    """Parameters have the names, kinds and defaults of the functions that scripts call."""
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            real = [p for p in inspect.signature(OFFERED[node.name]).parameters.values() if p.name != "self"]
            assert spelled(node.args) == [(p.name, p.kind, p.default is not p.empty) for p in real], node.name


def test_the_stub_has_the_attributes_of_the_error() -> None:
    """A refused command has the attributes that the stub says."""
    (node,) = (node for node in STUB.body if isinstance(node, ast.ClassDef))
    names = {
        part.target.id for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    assert names == set(vars(CommandError("code", "message", [])))


def annotated(body: list[ast.stmt]) -> set[str]:
    """Return the names that are given a type."""
    return {n.target.id for n in body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}


def spelled(arguments: ast.arguments) -> list[tuple[str, Any, bool]]:
    """Return name, kind and whether there is a default, of each parameter of a definition."""
    kinds = inspect.Parameter
    required = len(arguments.args) - len(arguments.defaults)
    found = [(a.arg, kinds.POSITIONAL_OR_KEYWORD, at >= required) for at, a in enumerate(arguments.args)]
    if arguments.vararg:
        found.append((arguments.vararg.arg, kinds.VAR_POSITIONAL, False))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [*found, *((a.arg, kinds.KEYWORD_ONLY, default is not None) for a, default in pairs)]
