"""How large values are as JSON."""

from typing import Any

from pydantic_core import to_json


def weigh(value: Any) -> int:
    """Return about how many bytes a value takes as JSON."""
    if isinstance(value, str):
        return len(value)
    return len(to_json(value, serialize_unknown=True)) if isinstance(value, list | dict) else 8
