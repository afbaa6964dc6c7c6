"""A request as its signature sees it: bytes, headers, address; and the places at which something can stand in it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import parse_qsl, quote

from bpm.media import FORM, json_in_utf8, media_type_of
from bpm.multipart import MULTIPART, MultipartError, parts_of
from bpm.strict_json import StrictJsonError, parse_json

Part = Literal["secret", "header", "query", "encoding", "timestamp", "body", "signature"]

MAX_FIELDS = 1_000
MAX_VALUE = 8_192
"""How long a signature, a token or another value may be that is looked at before anything is proven."""

Headers = Mapping[str, str]
"""Header names in lower case, values as the server decoded them (Latin-1)."""

_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]{1,6})\]")
_PATH = re.compile(r"[^.\[\]{}]+(?:\.[^.\[\]{}]+|\[[0-9]{1,6}\])*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


class SignatureRefusal(Exception):
    """The request is not proven to be the provider's; `part` says where the proof fails.

    `is_pending` says that a key is only being fetched, so that the same request may be right in a moment; `is_ours`
    that a secret can't be had here, so that nobody can tell.
    """

    def __init__(self, part: Part, cause: str, *, is_pending: bool = False, is_ours: bool = False) -> None:
        super().__init__(cause)
        self.part: Part = part
        self.cause = cause
        self.is_pending = is_pending
        self.is_ours = is_ours


class RequestAddress(NamedTuple):
    """The method, the decoded path from its first slash on, the query as it came, and what stands before the path.

    The query has no question mark; `base` is as in `https://hooks.example.com`.
    """

    method: str = "POST"
    path: str = ""
    query: str = ""
    base: str = ""


NOWHERE = RequestAddress()
"""For schemes that sign no address."""


@dataclass
class SignedRequest:
    """One request; what needs reading is read when it is asked for, and at most once."""

    body: bytes
    headers: Headers
    address: RequestAddress = NOWHERE

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query's parameters; raises `SignatureRefusal` for too many."""
        return _values("query", self.address.query)

    @property
    def is_form(self) -> bool:
        """Whether the body is said to be a form."""
        return media_type_of(self.headers.get("content-type")) == FORM

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form; raises `SignatureRefusal` for too many."""
        return _values("body", self.body.decode("utf-8", "replace"))

    @property
    def is_multipart(self) -> bool:
        """Whether the body is said to be a form whose fields are parts, as one with files is."""
        return media_type_of(self.headers.get("content-type")) == MULTIPART

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """The fields of a multipart form as text, without its files; raises `SignatureRefusal` for what is none."""
        try:
            parts = [part for part in parts_of(self.headers["content-type"], self.body) if part.file_name is None]
        except MultipartError as error:
            raise SignatureRefusal("body", str(error)) from None
        found: dict[str, list[str]] = {}
        for part in parts:
            content = self.body[part.start : part.end]
            found.setdefault(part.name, []).append(content.decode("utf-8", "replace"))
        return found

    @cached_property
    def payload(self) -> Any:
        """The body as JSON, whatever it is said to be; None if it is none."""
        try:
            return parse_json(json_in_utf8(self.headers.get("content-type", ""), self.body))
        except StrictJsonError:
            return None


class SignedPlace(NamedTuple):
    """Somewhere in a request: a header, a parameter of the query, or a field of the body."""

    kind: str
    name: str

    @property
    def part(self) -> Part:
        """The part of a request in which it lies."""
        return cast("Part", self.kind)

    def __str__(self) -> str:
        """Return it as in a sentence."""
        return f"the {_NOUNS[self.kind]} {self.name}"


_NOUNS = {"header": "header", "query": "parameter", "body": "field"}


def parse_place(text: str) -> SignedPlace:
    """Read `header:<name>`, `query:<name>` or `body:<path>`; raises `ValueError` for anything else."""
    kind, _, name = text.partition(":")
    fits = (kind == "header" and _HEADER.fullmatch(name)) or (kind == "query" and 0 < len(name) <= 100)
    if not fits and not (kind == "body" and len(name) <= 200 and _PATH.fullmatch(name)):
        raise ValueError("must be header:<name>, query:<name> or body:<path>, as in body:data.signature")
    return SignedPlace(kind, name)


def finder(place: SignedPlace) -> Callable[[SignedRequest], str | None]:
    """Return what finds the text at a place; None where there is none.

    What it finds may be empty. It raises `SignatureRefusal` for a value that stands twice, or is too long.
    """
    if place.kind == "header":
        name = place.name.lower()
        return lambda request: _bounded(place, request.headers.get(name))
    if place.kind == "query":
        return lambda request: _bounded(place, _only(place, request.query.get(place.name)))
    value_in = value_finder(place)
    return lambda request: _bounded(place, _in_body(place, request, value_in))


def value_finder(place: SignedPlace) -> Callable[[SignedRequest], Any]:
    """Return what finds a JSON value at a path of the body; None where there is none."""
    steps = _steps(place.name)
    return lambda request: _value_at(request.payload, steps)


def _steps(path: str) -> list[str | int]:
    return [name or int(number) for name, number in _STEP.findall(path)]


def _value_at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str):
            value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
        else:
            items = cast("list[Any]", value) if isinstance(value, list) else []
            value = items[step] if step < len(items) else None
    return value


def signed_url(address: RequestAddress, given: str) -> str:
    """Return the address that was called: the rule's own, else what the server has outside; the query as it came."""
    url = given or f"{address.base}{address_characters(address.path)}"
    return url if not address.query or "?" in url else f"{url}?{address.query}"


def address_characters(path: str) -> str:
    """Return a decoded path as it stands in an address."""
    return quote(path, safe="/:@!$&'()*+,;=~-._")


def text_of(value: object) -> str | None:
    """Return a JSON value as providers write it into what they sign; None for lists, objects and null."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value is not None and not isinstance(value, dict | list) else None


def _values(part: Part, text: str) -> dict[str, list[str]]:
    if text.count("&") >= MAX_FIELDS:
        raise SignatureRefusal(part, f"the {part} has more than {MAX_FIELDS} fields")
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _only(place: SignedPlace, values: list[str] | None) -> str | None:
    if values is not None and len(values) > 1:
        raise SignatureRefusal(place.part, f"{place} stands more than once")
    return values[0] if values else None


def _in_body(place: SignedPlace, request: SignedRequest, value_in: Callable[[SignedRequest], Any]) -> str | None:
    if request.is_form or request.is_multipart:
        return _in_fields(place, request.form if request.is_form else request.fields)
    return text_of(value_in(request))


def _in_fields(place: SignedPlace, fields: Mapping[str, list[str]]) -> str | None:
    """Return a field's text or, where the path goes on behind its name, what stands there in its JSON."""
    first, *rest = _steps(place.name)
    inner = _only(place, fields.get(str(first))) if rest else None
    plain = _only(place, fields.get(place.name))
    if inner is None or plain is not None:
        return plain if inner is None else _only(place, [plain or "", inner])
    try:
        return text_of(_value_at(parse_json(inner.encode()), rest))
    except (StrictJsonError, UnicodeEncodeError):
        return None


def _bounded(place: SignedPlace, value: str | None) -> str | None:
    if value is not None and place.kind != "body" and len(value) > MAX_VALUE:
        raise SignatureRefusal(place.part, f"{place} has more than {MAX_VALUE} characters")
    return value
