"""Source to code object, or to every reason why not; runs inside a locked child only."""

import ast
import marshal
import symtable
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, cast

from scripts.child.hints import hints
from scripts.child.transformer import ScriptTransformer
from scripts.shared import policy
from scripts.shared.positions import column_at, lines_of

CONTAINER = "_script_"
"""The function a script is compiled into, so that `return` works at its top level."""


MOST_PROBLEMS = 100
"""Problems, and warnings, that are told of one source: their places take time to find."""


def compile_script(source: str, depth: int) -> dict[str, Any]:
    """Return `code` (marshalled, None if refused), `problems` and `warnings` of a source.

    Problems and warnings are maps of line, column, end_line, end_column (from 1, in characters), code and
    message.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _compile(source, depth)
    except SyntaxError as error:
        return _refused([_syntax_problem(error)])
    except UnicodeEncodeError:
        return _refused([_problem("syntax", "The source has half of a surrogate pair in it, which is not valid text.")])
    except ValueError as error:
        return _refused([_problem("syntax", f"The source cannot be read: {error}.")])
    except (RecursionError, MemoryError):
        return _refused([_problem("too_complex", "The script is nested too deeply or is too complex.")])


def _compile(source: str, depth: int) -> dict[str, Any]:
    tree = ast.parse(source, policy.FILENAME, feature_version=policy.GRAMMAR)
    nodes, deepest = _nodes(tree, depth)
    if deepest is not None:
        message = f"The script nests more than {depth} levels deep here (limit source_depth)."
        return _refused([_at(deepest, "too_deep", message, lines_of(source))])
    lines = lines_of(source)
    noted = [_at(hint.node, hint.code, hint.message, lines) for hint in islice(hints(tree, nodes), MOST_PROBLEMS)]
    shared = _module_names(source)
    transformer = ScriptTransformer()
    module = transformer.visit(tree)
    if transformer.refused:
        refused = transformer.refused[:MOST_PROBLEMS]
        return _refused([_at(node, "forbidden", message, lines) for node, message in refused], noted)
    code = compile(_contained(module, shared), policy.FILENAME, "exec", dont_inherit=True, optimize=0)
    return {"code": marshal.dumps(code), "problems": [], "warnings": noted}


def _nodes(tree: ast.Module, depth: int) -> tuple[list[ast.AST], ast.AST | None]:
    """Return the nodes down to the allowed depth, and one below it; goes level by level, since recursion may end."""
    level: list[ast.AST] = list(tree.body)
    found: list[ast.AST] = []
    for _ in range(depth):
        found += level
        level = [child for node in level for child in _children(node)]
        if not level:
            break
    return found, next((node for node in level if hasattr(node, "lineno")), None)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node is made of, as `ast.iter_child_nodes`, but no contexts (load, store), which are everywhere."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (item for item in cast("list[Any]", value) if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            yield value


def _module_names(source: str) -> list[str]:
    table = symtable.symtable(source, policy.FILENAME, "exec")
    return [
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_declared_global()
    ]


def _contained(module: ast.Module, shared: list[str]) -> ast.Module:
    """Put the script into a function whose names are all global: the scopes of a module, and `return`."""
    function = ast.parse(f"def {CONTAINER}(): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    declared: list[ast.stmt] = [ast.Global(shared)] if shared else []
    function.body = [*declared, *module.body, ast.Pass()]
    return ast.fix_missing_locations(ast.Module([function], []))


def _refused(problems: Iterable[dict[str, Any]], noted: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    unique = {tuple(problem.values()): problem for problem in problems}
    ordered = sorted(unique.values(), key=lambda problem: (problem["line"], problem["column"]))
    return {"code": None, "problems": ordered, "warnings": list(noted)}


def _syntax_problem(error: SyntaxError) -> dict[str, Any]:
    line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
    end_line, end_column = error.end_lineno or line, error.end_offset or column
    if (end_line, end_column) <= (line, column):
        end_line, end_column = line, column + 1
    return _problem("syntax", f"{error.msg}{_grammar_words(error.msg)}.", line, column, end_line, end_column)


def _grammar_words(message: str) -> str:
    """Return what to add where Python names the version that something needs: the reader may have that version."""
    if "only supported in Python" not in message:
        return ""
    return f": scripts are written in Python {'.'.join(map(str, policy.GRAMMAR))}, so that they run on every server"


def _at(node: ast.AST, code: str, message: str, lines: list[str]) -> dict[str, Any]:
    line = getattr(node, "lineno", 1)
    end_line = getattr(node, "end_lineno", None) or line
    column = column_at(lines, line, getattr(node, "col_offset", 0))
    end_column = column_at(lines, end_line, getattr(node, "end_col_offset", None) or 0)
    return _problem(code, message, line, column, end_line, end_column)


def _problem(
    code: str, message: str, line: int = 1, column: int = 1, end_line: int = 1, end_column: int = 2
) -> dict[str, Any]:
    return {
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "code": code,
        "message": message,
    }
