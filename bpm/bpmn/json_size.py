"""How large values are as JSON."""

from typing import Any, cast

from bpm.exact_json import write_plain


def json_size(value: Any) -> int:
    """Return about how many bytes a value takes as JSON."""
    if isinstance(value, str):
        return len(value)
    return len(write_plain(cast("object", value), serialize_unknown=True)) if isinstance(value, list | dict) else 8
