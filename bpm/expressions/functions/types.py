"""FEEL's types, and the question whether a value is of one (DMN 1.3, 10.3.2.9.2)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from ..dates import Months
from ..values import NUMBERS
from .registry import function

TYPES: dict[str, Callable[[Any], bool]] = {
    "Any": lambda value: value is not None,
    "number": lambda value: type(value) in NUMBERS,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "context": lambda value: isinstance(value, Mapping),
    "date": lambda value: isinstance(value, date) and not isinstance(value, datetime),
    "time": lambda value: isinstance(value, time),
    "date and time": lambda value: isinstance(value, datetime),
    "days and time duration": lambda value: isinstance(value, timedelta),
    "years and months duration": lambda value: isinstance(value, Months),
}


@function("instance of", is_condition=True, takes_null=True)
def is_instance(value: Any, name: Any) -> bool:
    """Whether a value is of the type of that name; null is of none."""
    return TYPES[name](value)
