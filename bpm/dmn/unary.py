"""FEEL's unary tests, the entries of a decision table's input columns (DMN 1.3, 10.3.2.9 and grammar rules 7-14).

"gold","silver"     >= 18     [1..10]     not("a")     count(?) > 2     -
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from bpm.expressions import Expression, ExpressionError, compile_expression, equal

INPUT = "_input"
"""The name under which an expression sees the value that is tested."""

Test = Callable[[Mapping[str, Any]], bool]

_COMPARISON = re.compile(r"(<=|>=|!=|==|<|>|=)(?!=)")
_NOT = re.compile(r"not\s*\((.*)\)", re.DOTALL)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


MAX_CELL = 65_536
"""How many characters the tests of one cell may have."""
MAX_NEGATIONS = 8


def compile_tests(text: str, subject: str = INPUT, negations: int = 0) -> Test:
    """Compile the tests of one cell, of which one must be met; raises ExpressionError.

    `subject` is the expression for the tested value: a date is compared as `date(_input)`.
    """
    text = text.strip()
    if text in ("", "-"):
        return lambda _: True
    if len(text) > MAX_CELL or negations > MAX_NEGATIONS:
        raise ExpressionError(
            f"the tests are longer than {MAX_CELL} characters or negated more than {MAX_NEGATIONS} times", 1
        )
    match = _NOT.fullmatch(text)
    if match and len(split(text)) == 1 and _is_enclosed(text[text.index("(") :]):
        inner = compile_tests(match[1], subject, negations + 1)
        return lambda scope: not inner(scope)
    tests = [_compile_one(part, subject) for part in split(text)]
    return tests[0] if len(tests) == 1 else lambda scope: any(test(scope) for test in tests)


def _compile_one(text: str, subject: str) -> Test:
    if _COMPARISON.match(text):
        return _condition(f"{subject} {text}")
    if text[0] in "[(]" and ".." in _TEXT.sub("", text):
        return _condition(f"{subject} in {text}")
    if "?" in _TEXT.sub("", text):
        return _condition(_with_input(text, subject))
    if text in ("true", "false"):
        return lambda scope: scope[INPUT] is (text == "true")
    value = compile_feel(text)
    is_equal = compile_feel(f"{subject} = {text}") if subject != INPUT else None
    return lambda scope: _is_met(value.evaluate(scope), scope, is_equal)


def _condition(source: str) -> Test:
    expression = compile_feel(source)
    return lambda scope: expression.evaluate(scope) is True


def _is_met(value: Any, scope: Mapping[str, Any], is_equal: Expression | None) -> bool:
    given = scope[INPUT]
    if is_equal is not None:
        return is_equal.evaluate(scope) is True
    if isinstance(value, list) and not isinstance(given, list):
        return any(equal(each, given) for each in cast("list[Any]", value))
    if isinstance(value, bool) and not isinstance(given, bool):
        return value
    return equal(value, given)


def asking(text: str, name: str) -> str:
    """The same with `?` for the name by which a cell of Camunda 7 knows the tested value."""
    named = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    parts = re.split(f"({_TEXT.pattern})", text)
    return "".join(part if part.startswith('"') else named.sub("?", part) for part in parts)


def _with_input(text: str, subject: str) -> str:
    """The same with the tested value for each `?` outside of texts."""
    parts = re.split(f"({_TEXT.pattern})", text)
    return "".join(part if part.startswith('"') else part.replace("?", f" {subject} ") for part in parts)


def compile_feel(text: str) -> Expression:
    """Compile a FEEL expression, marked or not, or a JUEL one; it keeps dates as such."""
    stripped = text.strip()
    marked = stripped if stripped.startswith(("=", "${", "#{")) else f"={stripped}"
    return compile_expression(marked, "null", keeps_dates=True)


def split(text: str) -> list[str]:
    """The parts of a text between its outer commas; raises ExpressionError when a part is empty."""
    parts, depth, start, at = list[str](), 0, 0, 0
    while at < len(text):
        if text[at] == '"' and (match := _TEXT.match(text, at)):
            at = match.end()
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if text[at] == "," and depth <= 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    parts.append(text[start:].strip())
    if not all(parts):
        raise ExpressionError("a test between commas is empty", 1)
    return parts


def _is_enclosed(text: str) -> bool:
    """Whether the first bracket of a text is closed by its last."""
    depth = 0
    for at, character in enumerate(_TEXT.sub(lambda match: "x" * len(match[0]), text)):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return at == len(text) - 1
    return False
