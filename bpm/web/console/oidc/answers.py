"""Answers of a provider, read."""

from typing import Any, cast

from bpm.strict_json import parse_json


def json_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        value = parse_json(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
