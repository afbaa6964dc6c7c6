"""The fields of a message, as they are written on the command line or in a file."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from bpm.cli.exits import ExitStatus, fail


def read_fields(name: str, words: list[str], file: Path | None) -> dict[str, Any]:
    """Return the fields of the message `name`: from `name=value` words, from a file, or from standard input.

    A value that is JSON counts as JSON, any other as text; see `with_texts`. Ends the command for what can't be read.
    """
    if words == ["-"] or str(file) == "-":
        return _of_body(name, sys.stdin.buffer.read(), "standard input")
    if file is not None and words:
        fail(ExitStatus.USAGE, "give the fields as name=value or as a file, not both")
    if file is None:
        return _of_words(words)
    try:
        return _of_body(name, file.read_bytes(), str(file))
    except OSError as error:
        fail(ExitStatus.USAGE, f"{file} can't be read: {error.strerror}")


def _of_words(words: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            fail(ExitStatus.USAGE, f"{word!r} is not a field; write name=value, as in pageSize=5 or key=orders")
        if key in fields:
            fail(ExitStatus.USAGE, f"{key} is given twice")
        fields[key] = read_value(value)
    return fields


def with_texts(fields: dict[str, Any], words: list[str], errors: Sequence[str]) -> dict[str, Any] | None:
    """Return fields with those as text that were refused for it, as in `sku=12345`; None when there are none."""
    given = (word.partition("=") for word in words)
    texts = {name: value for name, _, value in given if f"{name}: must be a string" in errors}
    return {**fields, **texts} if texts else None


def read_value(text: str) -> Any:
    """Return a value of the command line: what is JSON as JSON, anything else as text."""
    from bpm.strict_json import StrictJsonError, parse_json

    try:
        return parse_json(text.encode(errors="surrogateescape"))
    except StrictJsonError:
        return text


def _of_body(name: str, raw: bytes, source: str) -> dict[str, Any]:
    from bpm.strict_json import StrictJsonError, parse_json

    try:
        body = parse_json(raw)
    except StrictJsonError as error:
        fail(ExitStatus.USAGE, f"{source} does not hold JSON: {error}")
    if not isinstance(body, dict):
        fail(ExitStatus.USAGE, f"{source} must hold one JSON object with the fields")
    fields = cast("dict[str, Any]", body)
    if fields.pop("$type", name) != name:
        fail(ExitStatus.USAGE, f"{source} holds another $type than {name}")
    return fields
