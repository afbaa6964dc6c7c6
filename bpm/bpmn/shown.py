"""How messages show a value that doesn't suit."""

from typing import Any

from bpm.exact_json import write_json


def shown(value: Any, most: int = 100) -> str:
    """A text in single quotes, anything else as JSON; so many characters of either at most."""
    return (repr(value) if isinstance(value, str) else write_json(value, serialize_unknown=True).decode())[:most]
