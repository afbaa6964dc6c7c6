"""Source text -> `Expression`, compiled once and evaluated often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import dates
from .compiler import Compiler
from .errors import EvaluationError
from .parser import parse
from .paths import Evaluator
from .values import describe

Missing = Literal["error", "null"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `names` are the top-level names it reads from the scope.

    `evaluate(scope)` gives a JSON value, or raises EvaluationError. The scope maps names to JSON values; a
    caller with a clock of its own adds the time as an aware datetime under `CLOCK`.
    """

    source: str
    names: frozenset[str]
    evaluate: Evaluator

    def holds(self, scope: Mapping[str, Any]) -> bool:
        """Evaluate a condition: null counts as false, anything but a boolean raises EvaluationError."""
        value = self.evaluate(scope)
        if value is True:
            return True
        if value is False or value is None:
            return False
        raise EvaluationError(f"a condition must be true or false, not {describe(value)}: {self.source}")


def compile_expression(source: str, missing: Missing = "error", *, keeps_dates: bool = False) -> Expression:
    """Compile `source`; raises ExpressionError with the column of what is wrong.

    `missing` says what a path that is not there, or an operation on values of the wrong type, gives: an
    EvaluationError, or null as in FEEL. With `keeps_dates` dates, times and durations leave the expression as they
    are, for other expressions to calculate with, instead of as text.
    """
    tree, is_feel = parse(source)
    compiler = Compiler(is_feel)
    evaluate = compiler.compile(tree, lenient=missing == "null")
    if compiler.is_temporal and not keeps_dates:
        evaluate = _as_json(evaluate)
    return Expression(source, frozenset(compiler.names), _shallow(evaluate))


def _as_json(evaluator: Evaluator) -> Evaluator:
    return lambda scope: dates.to_json(evaluator(scope))


def _shallow(evaluator: Evaluator) -> Evaluator:
    """Turn the failure on values nested deeper than Python can follow into an error of ours."""

    def evaluate(scope: Mapping[str, Any]) -> Any:
        try:
            return evaluator(scope)
        except RecursionError as error:
            raise EvaluationError("a value is nested too deeply") from error

    return evaluate
