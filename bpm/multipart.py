"""`multipart/form-data`: the parts of a body, each with the place of its content in it."""

import base64
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from bpm.media import codec_of

MULTIPART = "multipart/form-data"
MAX_PARTS = 1_000
MAX_OPTIONS = 20
"""How many semicolons a `Content-Disposition` may have: many take the square of their number."""
MAX_SHOWN = 40


logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it warns of each body that is none


class MultipartError(ValueError):
    """The body is not what its boundary says."""


@dataclass(slots=True)
class Part:
    """A part: its headers by lower-case name, and where its content stands in the body."""

    headers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    start: int = 0
    end: int = 0
    _options: tuple[bytes, dict[bytes, bytes]] | None = None

    @property
    def name(self) -> str:
        """The name of the form's field."""
        return self._option(b"name") or ""

    @property
    def file_name(self) -> str | None:
        """The name of the file that it is; None for a plain field."""
        return self._option(b"filename")

    @property
    def _disposition(self) -> str:
        return self.headers.get("content-disposition", b"").decode("latin-1")

    @property
    def content_type(self) -> str:
        """The content type that the part names; text if it names none."""
        return self.headers.get("content-type", b"text/plain").decode("latin-1")

    def as_file(self, content: bytes) -> dict[str, Any]:
        """Return the value of a file: what is known of it, and its bytes in base64."""
        return {
            "fileName": self.file_name,
            "contentType": self.content_type,
            "size": len(content),
            "base64": base64.b64encode(content).decode(),
        }

    def _option(self, name: bytes) -> str | None:
        if self._options is None:
            if self._disposition.count(";") > MAX_OPTIONS:
                raise MultipartError(f"a part's Content-Disposition has more than {MAX_OPTIONS} options")
            self._options = parse_options_header(self.headers.get("content-disposition", b""))
        value = self._options[1].get(name)
        return _extended(self._disposition, name.decode()) if value is None else value.decode("utf-8", "replace")


def _extended(disposition: str, name: str) -> str | None:
    """Return an option that is written as `filename*=UTF-8''...`, with its charset and its escapes (RFC 2231).

    RFC 7578 forbids it in forms, and senders do it all the same. It counts only where the plain form is missing.
    """
    if "*" not in disposition:
        return None
    header = Message()
    header["content-disposition"] = disposition
    try:
        _demand_one_of_each(re.findall(rf";\s*{name}\*(\d*)", disposition, re.IGNORECASE))
        found = header.get_param(name, header="content-disposition")
    except (TypeError, ValueError):  # what the library raises for pieces that do not go together
        raise MultipartError(f"a part's {name} can't be put together from the pieces of its option") from None
    if not isinstance(found, tuple):
        return found
    charset, value = found[0] or "utf-8", found[2]
    codec = codec_of(charset)
    if codec is None:
        raise MultipartError(f"the charset {charset[:MAX_SHOWN]!r} of a part's {name} is not supported")
    return value.encode("latin-1", "replace").decode(codec, "replace")


def _demand_one_of_each(numbers: list[str]) -> None:
    """Raise `ValueError` where one piece is the whole, or two are the same: not every Python reads them alike."""
    if len(numbers) > 1 and ("" in numbers or len(set(numbers)) < len(numbers)):
        raise ValueError


class _Reader:
    """Collects parts as the parser comes upon them."""

    def __init__(self, at: int) -> None:
        self.parts: list[Part] = []
        self._at = at
        self.is_complete = False
        self._header = bytearray()
        self._value = bytearray()

    def callbacks(self) -> Mapping[str, Any]:
        """Return what the parser calls; positions are those of the body, which is parsed at once from `at` on."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._name_goes_on,
            "on_header_value": self._value_goes_on,
            "on_header_end": self._end_header,
            "on_part_data": self._content_goes_on,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) == MAX_PARTS:
            raise MultipartError(f"the form has more than {MAX_PARTS} parts")
        self.parts.append(Part())

    def _name_goes_on(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _value_goes_on(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        headers, name = self.parts[-1].headers, self._header.decode("latin-1").lower()
        if name in headers:
            raise MultipartError("a part has a header twice")
        headers[name] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _content_goes_on(self, _data: bytes, start: int, end: int) -> None:
        part = self.parts[-1]
        part.start, part.end = part.start or self._at + start, self._at + end

    def _end(self) -> None:
        self.is_complete = True


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of a body; raises `MultipartError`."""
    boundary = parse_options_header(content_type.encode("latin-1", "replace"))[1].get(b"boundary")
    if not boundary:
        raise MultipartError("Content-Type: multipart/form-data needs a boundary")
    at = _start_of(boundary, body)
    reader = _Reader(at)
    try:
        parser = MultipartParser(boundary, cast("Any", reader.callbacks()))
        parser.write(body[at:])
    except FormParserError:
        raise MultipartError("the body is not multipart/form-data with the boundary of its Content-Type") from None
    if not reader.is_complete:
        raise MultipartError("the body ends before its last boundary")
    if any(not part.name for part in reader.parts):
        raise MultipartError("a part has no name in its Content-Disposition")
    return reader.parts


def _start_of(boundary: bytes, body: bytes) -> int:
    """Return where the first boundary stands: what is before it means nothing (RFC 2046, 5.1.1)."""
    line = b"--" + boundary + b"\r\n"
    return 0 if body.startswith(line) else max(body.find(b"\r\n" + line), 0)
