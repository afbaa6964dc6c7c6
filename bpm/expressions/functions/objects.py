"""Functions on objects and on values that may be missing."""

from typing import Any

from .arguments import record, text
from .registry import function


@function("get value")
def get_value(value: Any, key: Any) -> Any:
    """The value under a key; null if there is none."""
    return record(value).get(text(key))


@function("get entries")
def get_entries(value: Any) -> list[dict[str, Any]]:
    """The keys and values of an object as a list of `{key, value}`."""
    return [{"key": key, "value": item} for key, item in record(value).items()]


@function("is defined", is_condition=True, takes_null=True)
def is_defined(value: Any) -> bool:
    """Whether there is a value, and it is not null."""
    return value is not None


@function("get or else", takes_null=True)
def get_or_else(value: Any, default: Any) -> Any:
    """The value, or the default if it is missing or null."""
    return default if value is None else value
