"""Source text -> `Expression`, compiled once and evaluated often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bpm.metering import MAX_STEPS, Meter, metered

from .compiler import Compiler
from .environment import PLAIN, Environment
from .errors import EvaluationError, TooManySteps
from .json_values import to_json
from .parser import parse
from .paths import Evaluator
from .values import describe, same, size

Missing = Literal["error", "null"]
STEPS_TO_BEGIN = 2


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `names` are the top-level names it reads from the scope.

    `evaluate(scope)` gives a JSON value, or raises EvaluationError. The scope maps names to JSON values; a
    caller with a clock of its own adds the time as an aware datetime under `CLOCK`.
    """

    source: str
    names: frozenset[str]
    run: Evaluator

    def evaluate(self, scope: Mapping[str, Any], limit: int = MAX_STEPS) -> Any:
        """Evaluate in `limit` steps at most; raises EvaluationError."""
        return evaluated(self.run, scope, limit)

    def holds(self, scope: Mapping[str, Any], limit: int = MAX_STEPS) -> bool:
        """Evaluate a condition: null counts as false, anything but a boolean raises EvaluationError."""
        value = self.evaluate(scope, limit)
        if value is True:
            return True
        if value is False or value is None:
            return False
        raise EvaluationError(f"a condition must be true or false, not {describe(value)}: {self.source}")


def compile_expression(
    source: str, missing: Missing = "error", *, keeps_dates: bool = False, environment: Environment = PLAIN
) -> Expression:
    """Compile `source`; raises ExpressionError with the column of what is wrong.

    `missing` says what a path that is not there, or an operation on values of the wrong type, gives: an
    EvaluationError, or null as in FEEL. With `keeps_dates` dates, times and durations leave the expression as they
    are, for other expressions to calculate with, instead of as text. `environment` is what a model declares.
    """
    tree, dialect = parse(source, environment)
    compiler = Compiler(dialect, environment)
    evaluate = compiler.compile(tree, lenient=missing == "null")
    if compiler.is_temporal and not keeps_dates:
        evaluate = _as_json(evaluate)
    return Expression(source, frozenset(compiler.names), evaluate)


def evaluated(run: Evaluator, scope: Mapping[str, Any], limit: int = MAX_STEPS) -> Any:
    """Run an evaluator with a meter of its own; raises EvaluationError, also for what Python can't follow."""
    with metered(limit, TooManySteps) as meter:
        meter.charge(STEPS_TO_BEGIN)
        try:
            return run(scope, meter)
        except RecursionError as error:
            raise EvaluationError("a value is nested too deeply") from error


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal as in an expression; raises EvaluationError when they are too large to compare."""
    return evaluated(lambda _, meter: same(left, right, meter), {})


def _as_json(evaluator: Evaluator) -> Evaluator:
    def evaluate(scope: Mapping[str, Any], meter: Meter) -> Any:
        value = evaluator(scope, meter)
        size(value, meter)
        return to_json(value)

    return evaluate
