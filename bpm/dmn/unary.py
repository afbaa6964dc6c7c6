"""FEEL's unary tests, the entries of a decision table's input columns (DMN 1.5, 10.3.2.9 and grammar rules 7-14).

"gold","silver"     >= 18     [1..10]     not("a")     count(?) > 2     -
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bpm.dmn.conversions import TEMPORAL, beside
from bpm.expressions import Evaluator, ExpressionError, Unsuitable
from bpm.expressions.closures import is_among, is_equal
from bpm.expressions.kinds import ANY, Kind
from bpm.expressions.values import compare
from bpm.metering import Meter

INPUT = "_input"
"""The name under which an expression sees the value that is tested."""

Test = Callable[[Mapping[str, Any], Meter], bool]
Compile = Callable[[str], Evaluator]

_COMPARISON = re.compile(r"(<=|>=|!=|==|<|>|=)(?!=)")
_NOT = re.compile(r"not\s*\((.*)\)", re.DOTALL)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"?')
"""A text; one that is not closed goes to the end, so that nothing is looked through twice."""


MAX_CELL = 65_536
"""How many characters the tests of one cell may have."""
MAX_NEGATIONS = 8


def compile_tests(text: str, compile_it: Compile, kind: Kind = ANY, negations: int = 0) -> Test:
    """Compile the tests of one cell, of which one must be met; raises ExpressionError.

    In a column of dates, times or durations, the texts that these are compared with are read as such, too.
    """
    text = text.strip()
    if text in ("", "-"):
        return lambda _, __: True
    if len(text) > MAX_CELL or negations > MAX_NEGATIONS:
        raise ExpressionError(
            f"the tests are longer than {MAX_CELL} characters or negated more than {MAX_NEGATIONS} times", 1
        )
    match = _NOT.fullmatch(text)
    if match and len(split(text)) == 1 and _is_enclosed(text[text.index("(") :]):
        inner = compile_tests(match[1], compile_it, kind, negations + 1)
        return lambda scope, meter: not inner(scope, meter)
    tests = [_compile_one(part, compile_it, kind) for part in split(text)]
    return tests[0] if len(tests) == 1 else lambda scope, meter: any(test(scope, meter) for test in tests)


def _compile_one(text: str, compile_it: Compile, kind: Kind) -> Test:
    comparison = _COMPARISON.match(text)
    if kind.name in TEMPORAL and (comparison or "?" not in _TEXT.sub("", text)):
        return _compile_temporal(text, compile_it, kind)
    if comparison:
        return _condition(f"{INPUT} {text}", compile_it)
    if text[0] in "[(]" and ".." in _TEXT.sub("", text):
        return _condition(f"{INPUT} in {text}", compile_it)
    if "?" in _TEXT.sub("", text):
        return _condition(_with_input(text), compile_it)
    if text in ("true", "false"):
        return lambda scope, _: scope[INPUT] is (text == "true")
    value = compile_it(text)
    return lambda scope, meter: _is_met(value(scope, meter), scope[INPUT], meter)


def _compile_temporal(text: str, compile_it: Compile, kind: Kind) -> Test:
    """A test in a column of dates, times or durations."""
    if match := _COMPARISON.match(text):
        operator, end = match[1].replace("==", "="), compile_it(text[match.end() :])
        return lambda scope, meter: _compares(operator, scope[INPUT], beside(end(scope, meter), kind, meter), meter)
    if text[0] in "[(]" and (middle := _TEXT.sub(lambda each: "x" * len(each[0]), text).find("..")) > 0:
        low, high = compile_it(text[1:middle]), compile_it(text[middle + 2 : -1])
        tests = (">" if text[0] in "(]" else ">=", low), ("<" if text[-1] in ")[" else "<=", high)
        return lambda scope, meter: all(
            _compares(operator, scope[INPUT], beside(end(scope, meter), kind, meter), meter) for operator, end in tests
        )
    value = compile_it(text)
    return lambda scope, meter: _is_met(beside(value(scope, meter), kind, meter), scope[INPUT], meter)


def _compares(operator: str, given: Any, end: Any, meter: Meter) -> bool:
    """Whether a comparison holds; values of two types have none."""
    if operator in ("=", "!="):
        return is_equal(given, end, meter) is (operator == "=")
    return type(given) is type(end) and given is not None and compare(operator, given, end, meter)


def _condition(source: str, compile_it: Compile) -> Test:
    evaluate = compile_it(source)
    return lambda scope, meter: evaluate(scope, meter) is True


def _is_met(value: Any, given: Any, meter: Meter) -> bool:
    if isinstance(value, bool) and not isinstance(given, bool):
        return value
    try:
        return is_among(value, given, meter)
    except Unsuitable:
        return False


def asking(text: str, name: str) -> str:
    """The same with `?` for the name by which a cell of Camunda 7 knows the tested value."""
    named = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    parts = re.split(f"({_TEXT.pattern})", text)
    return "".join(part if part.startswith('"') else named.sub("?", part) for part in parts)


def _with_input(text: str) -> str:
    """The same with the tested value for each `?` outside of texts."""
    parts = re.split(f"({_TEXT.pattern})", text)
    return "".join(part if part.startswith('"') else part.replace("?", f" {INPUT} ") for part in parts)


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
