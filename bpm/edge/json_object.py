"""A JSON object as the body of a request."""

from typing import Any, cast

from bpm.errors import Malformed
from bpm.strict_json import StrictJsonError, parse_json


def json_object(raw: bytes, example: str = "") -> dict[str, Any]:
    """Return the object; raises `Malformed` for anything else, with an `example` of what was expected."""
    try:
        body = parse_json(raw)
    except StrictJsonError as error:
        raise Malformed(str(error)) from None
    if not isinstance(body, dict):
        raise Malformed("the body must be a JSON object" + (f", as in {example}" if example else ""))
    return cast("dict[str, Any]", body)
