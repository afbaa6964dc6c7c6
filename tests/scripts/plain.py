"""Scripts as plain Python, without any sandbox: what an ordinary script must come to."""

import ast
import builtins
import importlib
import random
import symtable
from typing import Any

from scripts.child.clock import DICE
from scripts.shared import policy
from scripts.shared.values import Outgoing

CONTAINER = "script"


def run_plainly(source: str, payload: Any, seed: int) -> tuple[Any, list[str]]:
    """Run a trusted script in this process; return its result as JSON, and the lines it printed."""
    lines: list[str] = []

    def say(*values: Any, sep: str = " ", end: str = "\n") -> None:
        lines.append(sep.join(map(str, values)) + end.rstrip("\n"))

    scope: dict[str, Any] = {"__builtins__": builtins, "__name__": "__main__", "payload": payload, "log": say}
    scope |= {name: importlib.import_module(name) for name in policy.MODULES} | {"print": say}
    random.seed(seed)
    DICE.seed(seed)
    try:
        code = compile(source, "<plain>", "exec")
    except SyntaxError:
        code = compile(_contained(source), "<plain>", "exec")
    exec(code, scope)  # noqa: S102
    returned = scope.get(CONTAINER, lambda: None)()
    return Outgoing(1 << 20).convert(scope.get("result") if returned is None else returned, "result"), lines


def _contained(source: str) -> ast.Module:
    """Put a script that returns into a function whose names are global."""
    table = symtable.symtable(source, "<plain>", "exec")
    names = [symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()]
    function = ast.parse(f"def {CONTAINER}(): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    shared: list[ast.stmt] = [ast.Global(names)] if names else []
    function.body = [*shared, *ast.parse(source).body]
    return ast.fix_missing_locations(ast.Module([function], []))
