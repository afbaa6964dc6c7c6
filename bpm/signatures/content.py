"""Putting together the bytes that were signed, from a request, its claim and a rule's own values."""

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from itertools import chain

from bpm.exact_json import write_json

from .claim import Claim
from .scheme import Scheme
from .signed_content import CLOSE, OPEN, barred_from, is_address, is_free, is_known, is_word, parts_of, place_of
from .signed_request import (
    SignatureRefusal,
    SignedPlace,
    SignedRequest,
    address_characters,
    finder,
    parse_place,
    value_finder,
)

Compose = Callable[[SignedRequest, Claim, bytes], bytes]
"""Makes the signed bytes of a request; the last argument is the key, for digests that it is a part of."""

ADDRESS = re.compile(rb"[!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]")
"""The characters that a path and a query may hold (RFC 3986, 3.3 and 3.4), one at a time."""
ADDRESS_TEXT = re.compile(r"[!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]*")


class MissingPart(SignatureRefusal):
    """A value is not in the request, so the group that it stands in is left out."""


def composer(scheme: Scheme) -> Compose:
    """A function that puts together the bytes that were signed; it may raise `SignatureRefusal`."""
    content = scheme.signed_content
    if content == "{body}":
        return lambda request, _claim, _key: request.body
    compose = _sequence(scheme, parts_of(content))
    border = _border(content)

    def checked(request: SignedRequest, claim: Claim, key: bytes) -> bytes:
        if border is not None and request.body and ADDRESS.match(request.body, border % len(request.body)):
            raise SignatureRefusal("body", "the body has a character at its border that the signed address could hold")
        return compose(request, claim, key)

    return checked if border is not None else compose


def _border(content: str) -> int | None:
    """Return which byte of the body stands beside a signed address, 0 or -1; None if none does."""
    words = [part for part in parts_of(content) if is_word(part) and (is_address(part) or part == "{body}")]
    if "{body}" not in words or len(words) == 1:
        return None
    return -1 if words[0] == "{body}" else 0


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
    return _value(scheme.signed_content, part)


def _value(content: str, word: str) -> Compose:
    """Compose the value of a header, a parameter or a field, which may not hold what separates it."""
    place = parse_place(place_of(word))
    if word.startswith("{flag:"):
        return _flag(place)
    if word.startswith("{json:"):
        return _json(place)
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


def _url(given: str) -> Compose:
    """Compose the address: the rule's own, else the one that the server has outside; with the query as it came."""

    def compose(request: SignedRequest, _claim: Claim, _key: bytes) -> bytes:
        address = request.address
        url = given or f"{address.base}{address_characters(address.path)}"
        return _address(url if not address.query or "?" in url else f"{url}?{address.query}")

    return compose


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
