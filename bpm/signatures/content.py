"""Putting together the bytes that were signed, from a request, its claim and a rule's own values."""

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from itertools import chain

from bpm.exact_json import write_json

from .claim import Claim
from .scheme import Scheme
from .signed_content import CLOSE, OPEN, barred_from, is_free, is_known, is_word, parts_of, place_of
from .signed_request import (
    SignatureRefusal,
    SignedPlace,
    SignedRequest,
    address_characters,
    finder,
    parse_place,
    signed_url,
    value_finder,
)

Compose = Callable[[SignedRequest, Claim, bytes], bytes]
"""Makes the signed bytes of a request; the last argument is the key, for digests that it is a part of."""

ADDRESS = re.compile(rb"[!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]")
"""The characters that a path and a query may hold (RFC 3986, 3.3 and 3.4), one at a time."""
ADDRESS_TEXT = re.compile(r"[!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]*")
_ADDRESS_WORD = re.compile(r"\{(?:url|path|query)\}")
_LEFT_OUT = re.compile(r"\{\?.*?\?\}|\{[^{}]*\}|\{\?|\?\}", re.DOTALL)
"""What may be left out of a signed content between two of its words, and other words."""

MAX_LISTED = 50
"""How many headers may be signed because a header lists them."""


class MissingPart(SignatureRefusal):
    """A value is not in the request, so the group that it stands in is left out."""


def composer(scheme: Scheme) -> Compose:
    """A function that puts together the bytes that were signed; it may raise `SignatureRefusal`."""
    content = scheme.signed_content
    if content == "{body}":
        return lambda request, _claim, _key: request.body
    compose = _sequence(scheme, parts_of(content))
    borders = _borders(content)

    def checked(request: SignedRequest, claim: Claim, key: bytes) -> bytes:
        body = request.body
        if body and any(ADDRESS.match(body, border % len(body)) for border in borders):
            raise SignatureRefusal("body", "the body has a character at its border that the signed address could hold")
        return compose(request, claim, key)

    return checked if borders else compose


def _borders(content: str) -> list[int]:
    """Return which bytes of the body, 0 and -1, stand beside a signed address.

    None does where a character that no address can hold always stands between them.
    """
    before, body, after = content.partition("{body}")
    if not body:
        return []
    between = {0: _ADDRESS_WORD.split(before)[1:][-1:], -1: _ADDRESS_WORD.split(after)[:-1][:1]}
    return [at for at, texts in between.items() if texts and ADDRESS_TEXT.fullmatch(_LEFT_OUT.sub("", texts[0]))]


def _sequence(scheme: Scheme, parts: list[str]) -> Compose:
    """Compose texts, words and the groups between `{?` and `?}`."""
    steps: list[Compose] = []
    at = 0
    while at < len(parts):
        if parts[at] == OPEN:
            end = parts.index(CLOSE, at) if CLOSE in parts[at:] else len(parts)
            steps.append(_optional(_sequence(scheme, parts[at + 1 : end])))
            at = end + 1
        else:
            steps.append(_step(scheme, parts[at]))
            at += 1
    return lambda request, claim, key: b"".join([step(request, claim, key) for step in steps])


def _optional(group: Compose) -> Compose:
    def compose(request: SignedRequest, claim: Claim, key: bytes) -> bytes:
        try:
            return group(request, claim, key)
        except MissingPart:
            return b""

    return compose


def _step(scheme: Scheme, part: str) -> Compose:
    if not is_word(part) or not is_known(part):
        text = part.encode()
        return lambda _request, _claim, _key: text
    word, _, name = part[1:-1].partition(".")
    if part in _SIMPLE:
        return _SIMPLE[part]
    if word == "value":
        value = dict(scheme.values).get(name, "").encode()
        return lambda _request, _claim, _key: value
    if part in ("{url}", "{path}"):
        return _url(scheme.url) if part == "{url}" else _path
    if part.startswith("{digest"):
        return _digest(part[1:-1].partition(":")[2] or "sha256")
    return _value(scheme, part)


def _value(scheme: Scheme, word: str) -> Compose:
    """Compose the value of a header, a parameter or a field, which may not hold what separates it."""
    content = scheme.signed_content
    place = parse_place(place_of(word))
    if word.startswith("{flag:"):
        return _flag(place)
    if word.startswith("{json:"):
        return _json(place)
    if word.startswith("{headers:"):
        return _listed(scheme, place, barred_from(content, word) | {";"})
    find, barred = finder(place), frozenset[str]() if is_free(word) else barred_from(content, word)

    def compose(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
        value = find(request)
        if value is None:
            raise MissingPart(place.part, f"{place} is missing")
        if not barred.isdisjoint(value):
            raise SignatureRefusal(place.part, f"{place} holds a character that separates the parts of what is signed")
        return _raw(value) if place.kind == "header" else value.encode("utf-8", "surrogatepass")

    return compose


def _flag(place: SignedPlace) -> Compose:
    """Compose a truth value as the one letter t or f."""
    find = finder(place)

    def compose(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
        value = find(request)
        if value not in ("true", "false"):
            raise MissingPart(place.part, f"{place} is missing, or neither true nor false")
        return value[:1].encode()

    return compose


def _json(place: SignedPlace) -> Compose:
    """Compose a part of a JSON body, an object as well, as JSON without blanks: fields and digits as they were sent."""
    find = value_finder(place)

    def compose(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
        value = find(request)
        if value is None:
            raise MissingPart(place.part, f"{place} is missing")
        return write_json(value)

    return compose


def _listed(scheme: Scheme, place: SignedPlace, barred: frozenset[str]) -> Compose:
    """Compose the headers that a header lists, as `name:value` with `;` between, sorted by their names.

    The one of the timestamp must be among them.
    """
    find, needed = finder(place), scheme.timestamp_place.removeprefix("header:").lower()

    def compose(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
        listed = find(request)
        if listed is None:
            raise MissingPart(place.part, f"{place} is missing")
        names = sorted(name.strip().lower() for name in listed.split(","))
        if len(set(names)) < len(names) or len(names) > MAX_LISTED or (needed and needed not in names):
            also = f", {needed} among them" if needed else ""
            raise SignatureRefusal(place.part, f"{place} must list at most {MAX_LISTED} different headers{also}")
        return b";".join(_raw(f"{name}:{_listed_value(request, place, name, barred)}") for name in names)

    return compose


def _listed_value(request: SignedRequest, place: SignedPlace, name: str, barred: frozenset[str]) -> str:
    value = request.headers.get(name)
    if value is None or not barred.isdisjoint(value):
        problem = "is missing" if value is None else "holds a character that separates the parts of what is signed"
        raise SignatureRefusal("header", f"the header {name}, which {place} lists, {problem}")
    return value.strip()


def _url(given: str) -> Compose:
    """Compose the address that was called."""
    return lambda request, _claim, _key: _address(signed_url(request.address, given))


def _path(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
    return _address(address_characters(request.address.path))


def _address(text: str) -> bytes:
    if not ADDRESS_TEXT.fullmatch(text):
        raise SignatureRefusal("query", "the address holds a character that no address can hold; it must be escaped")
    return text.encode("ascii")


def _sorted_form(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
    """Compose the names and values of a form one after the other, sorted; nothing for another body."""
    if not request.is_form:
        return b""
    form = request.form
    pairs = ((name, value) for name in sorted(form) for value in sorted(set(form[name])))
    return "".join(chain.from_iterable(pairs)).encode("utf-8", "surrogatepass")


def _digest(name: str) -> Compose:
    if name == "crc32":
        return lambda request, _claim, _key: str(zlib.crc32(request.body)).encode()
    return lambda request, _claim, _key: hashlib.new(name, request.body).hexdigest().encode()


def _raw(text: str) -> bytes:
    """A header's bytes before the server decoded them."""
    return text.encode("latin-1", errors="replace")


_SIMPLE: Mapping[str, Compose] = {
    "{body}": lambda request, _claim, _key: request.body,
    "{timestamp}": lambda _request, claim, _key: _raw(claim.timestamp),
    "{id}": lambda _request, claim, _key: _raw(claim.message_id),
    "{method}": lambda request, _claim, _key: request.address.method.encode(),
    "{query}": lambda request, _claim, _key: _address(request.address.query),
    "{secret}": lambda _request, _claim, key: key,
    "{form sorted}": _sorted_form,
}
