"""What leaves an expression: JSON, with dates, times, durations and ranges as text."""

from typing import Any, cast

from bpm.exact_json import write_json

from .errors import EvaluationError
from .function_values import FunctionValue
from .intervals import Interval
from .temporal import Ordered
from .temporal import to_json as written


def to_json(value: Any) -> Any:
    """`value` as JSON; raises EvaluationError for a function, which has no text."""
    if isinstance(value, list):
        return [to_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, Ordered):
        return written(value)
    if isinstance(value, Interval):
        return value.written(end_text)
    if isinstance(value, FunctionValue):
        raise EvaluationError("a function is no value for others: call it")
    return value


def end_text(value: Any) -> str:
    """An end of a range as FEEL writes it."""
    return f'@"{written(value)}"' if isinstance(value, Ordered) else write_json(to_json(value)).decode()
