"""Where a provider puts the id by which its repeated requests are known."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from bpm.key_text import bounded_key, text_of_key
from bpm.signatures import Scheme
from bpm.strict_json import StrictJsonError, parse_json
from router.request import InboundCall

Locator = Callable[[Mapping[str, str], Mapping[str, Any], Callable[[], Any]], str | None]
"""Finds the id in (headers, query, payload); None when the request carries none."""

MAX_PARTS = 5

PART = re.compile(r"([^.\[\]]+)|\[([0-9]{0,6})\]")
PATH = re.compile(rf"(?:{PART.pattern})(?:\.[^.\[\]]+|\[[0-9]{{0,6}}\])*")
"""A path into the body: names between dots, `[0]` for one element of a list, `[]` for all of them."""
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FOREIGN = re.compile(r"[,;|&{}()*\"'\\\t\r\n]|^[ /]| $|(?:^|\.)\$(?:$|[.\[])")
"""What other languages than ours have in a path: it would be taken for a part of a name, and never be found."""
BETWEEN_PARTS = re.compile(r"\s*[,+]\s*(?=(?:header|query|body):|body$)")

STANDARD_ID = "standard-webhooks:id"
"""The id that a Standard Webhooks signature covers: `webhook-id`, or `svix-id` beside a `svix-signature`."""
STANDARD_HEADERS = ("header:webhook-id", "header:svix-id")

HOW_TO_WRITE = (
    "must be none, header:<name>, query:<name>, body:<path> or body, as in body:data.id or body:[].rrr; "
    "an id of several parts is a list of them, or has commas between them"
)

Finder = Callable[[InboundCall], str | None]
"""Finds one part of an id in a request."""


class DeliveryId:
    """Finds the id by which the repetitions of a request are known; None when the request carries none.

    An id that no signature covers could be another's, so the digest of the body, which it covers, is a part of the key.
    """

    def __init__(self, parts: Sequence[Finder], event_name: Finder | None = None, *, is_signed: bool) -> None:
        """Take what finds each part, and whether a signature covers all of them or there is none to cover any.

        `event_name` tells apart the deliveries of a provider whose events may share an id.
        """
        self._parts = parts
        self._event_name = event_name
        self._is_signed = is_signed

    def __call__(self, call: InboundCall) -> str | None:
        """Return the id; every part has to be there."""
        found = [part(call) for part in self._parts]
        if None in found:
            return None
        event_name = self._event_name(call) if self._event_name is not None else None
        found = found if event_name is None else [event_name, *found]
        key = found[0] if len(found) == 1 else _bounded(found)
        return key if self._is_signed else f"{key}#{hashlib.sha256(call.content).hexdigest()}"


def delivery_id(configured: str | Sequence[str] | None, scheme: Scheme | None) -> DeliveryId | None:
    """Return how a rule knows repetitions, by its own places or its scheme's; None if it does not.

    Raises `ValueError` for a place that can't be.
    """
    if configured is None:
        places = list(scheme.deduplication) if scheme is not None else []
        find = locator_of(places)
        parts = [_in_call(find)] if find is not None else []
    else:
        places = [_place_of(place, scheme) for place in parts_of(configured)]
        parts = [_finder(place) for place in places if place != "none"]
    return DeliveryId(parts, _event_name(places, scheme), is_signed=_are_signed(places, scheme)) if parts else None


def check_deduplication(configured: str | Sequence[str]) -> None:
    """Raise `ValueError` for places that can't be, or where nothing would ever be found."""
    parts = parts_of(configured)
    if not 1 <= len(parts) <= MAX_PARTS or len(set(parts)) < len(parts) or ("none" in parts and len(parts) > 1):
        raise ValueError(f"must be none, or 1 to {MAX_PARTS} different places")
    for place in parts:
        kind, _, name = place.partition(":")
        if place not in ("none", "body"):
            _locator(place)
        if (kind == "header" and not HEADER.fullmatch(name)) or (kind == "body" and FOREIGN.search(name)):
            raise ValueError(f"{HOW_TO_WRITE}; {place[:60]!r} would never be found")


def parts_of(configured: str | Sequence[str]) -> list[str]:
    """Return the places of an id: a list of them, or a text with commas between them."""
    return BETWEEN_PARTS.split(configured) if isinstance(configured, str) else list(configured)


def locator_of(places: Sequence[str]) -> Locator | None:
    """Return how to find the id at the first of `places` that has one; None where none is to be looked for.

    A place is `header:<name>`, `query:<name>`, `body:<path>` or `none`; raises `ValueError` for another one.
    """
    locators = [_locator(place) for place in places if place != "none"]
    if len(locators) <= 1:
        return locators[0] if locators else None

    def first(headers: Mapping[str, str], query: Mapping[str, Any], payload: Callable[[], Any]) -> str | None:
        return next((key for find in locators if (key := find(headers, query, payload)) is not None), None)

    return first


def _locator(place: str) -> Locator:
    kind, _, name = place.partition(":")
    if place == STANDARD_ID:
        return lambda headers, _query, _payload: _bounded(_standard_id(headers))
    if kind == "header" and name:
        header = name.lower()
        return lambda headers, _query, _payload: _bounded(headers.get(header))
    if kind == "query" and name:
        return lambda _headers, query, _payload: _bounded(query.get(name))
    if kind == "body" and PATH.fullmatch(name):
        steps = [_step(part) for part in PART.finditer(name)]
        return lambda _headers, _query, payload: _bounded(_values_at(payload(), steps))
    raise ValueError(HOW_TO_WRITE)


def _in_call(find: Locator) -> Finder:
    return lambda call: find(call.headers, call.query, lambda: call.payload.value)


def _finder(place: str) -> Finder:
    return _digest_of_body if place == "body" else _in_call(_locator(place))


def _event_name(places: Sequence[str], scheme: Scheme | None) -> Finder | None:
    """Return what finds the name of a provider's event, unless that is a part of the id already."""
    place = scheme.event_name if scheme is not None else ""
    return _in_call(_locator(place)) if place and place not in (each.lower() for each in places) else None


def _digest_of_body(call: InboundCall) -> str | None:
    return f"sha256:{hashlib.sha256(call.content).hexdigest()}" if call.content else None


def _standard_id(headers: Mapping[str, str]) -> str | None:
    return headers.get("webhook-id") if headers.get("webhook-signature") else headers.get("svix-id")


def _place_of(place: str, scheme: Scheme | None) -> str:
    """Return the signed id where a rule names one of the two headers it may stand in."""
    is_standard = scheme is not None and scheme.also is not None
    return STANDARD_ID if is_standard and place.lower() in STANDARD_HEADERS else place


def _are_signed(places: Sequence[str], scheme: Scheme | None) -> bool:
    """Tell whether a signature covers every place, or nothing is signed, so that there is nothing to bind an id to."""
    return scheme is None or all(place in (STANDARD_ID, "none") or scheme.covers(place) for place in places)


def _step(part: re.Match[str]) -> str | int | None:
    """Return one step of a path: a field's name, an element's number, or None for every element."""
    name, number = part.groups()
    return name or (int(number) if number else None)


def _values_at(value: object, steps: Sequence[str | int | None]) -> Any:
    """Return what stands at the path, or at its `[]` a list; None when it is missing, were it in one element only.

    An id of some elements alone would make two different requests look the same.
    """
    for at, step in enumerate(steps):
        if step is None:
            elements = cast("list[Any]", value) if isinstance(value, list) else [value]
            found = [_values_at(element, steps[at + 1 :]) for element in elements]
            return found if found and None not in found else None
        value = _inside(value, step)
    return value


def _inside(value: object, step: str | int) -> Any:
    """Return what a step leads to; one into a text goes on in the JSON that it holds, as of a form's field."""
    if isinstance(value, str):
        value = _json_of(value)
    if isinstance(step, str):
        return cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    elements = cast("list[Any]", value) if isinstance(value, list) else []
    return elements[step] if step < len(elements) else None


def _json_of(text: str) -> Any:
    try:
        return parse_json(text.encode())
    except (StrictJsonError, UnicodeEncodeError):
        return None


def _bounded(value: object) -> str | None:
    text = _text(value)
    return bounded_key(text) if text is not None else None


def _text(value: object) -> str | None:
    """Return an id as text; blanks and what is no value are no id."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    return text_of_key(value)
