"""What a request claims: signatures, a time, an id. Reading them decides nothing yet."""

import re
from collections.abc import Callable
from typing import NamedTuple

from .incoming_messages import MESSAGE
from .keys import DECODERS
from .scheme import DIGEST_SIZES, DIGESTED, SHOWN, Scheme
from .signed_content import barred_from_ids
from .signed_request import SignatureRefusal, SignedPlace, SignedRequest, finder, parse_place
from .stamps import FORMS, read_stamp

MAX_SIGNATURES = 20
MAX_SIGNATURES_BY_KEY = 5
"""How many are looked at where each costs a tenth of a millisecond."""
MAX_SIGNATURE_BYTES = 1_024
MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,256}")


class Claim(NamedTuple):
    """What the request claims; texts as they were sent, signatures decoded."""

    signatures: list[bytes]
    timestamp: str = ""
    message_id: str = ""


Read = Callable[[SignedRequest], Claim]
Find = Callable[[SignedRequest], str | None]
Items = tuple[list[str], list[bytes]]
"""The parts of a signature's text, and the signatures among them."""


def reader(scheme: Scheme) -> Read:
    """A function that reads a request's claim, or raises `SignatureRefusal` saying which part is at fault."""
    if scheme.signed_content == MESSAGE:
        return lambda _request: Claim([])
    places = [parse_place(place) for place in scheme.signature_places]
    readers = [(finder(place), _signatures_reader(scheme, place)) for place in places]
    timestamp_in, message_id_in = _timestamp_reader(scheme, places[0]), _id_reader(scheme)
    also = _other_form(scheme, scheme.also) if scheme.also is not None else None

    def read(request: SignedRequest) -> Claim:
        items, signatures = _any_of(request, readers)
        if not signatures:
            raise SignatureRefusal(places[0].part, f"{_either(places)} is missing or empty")
        return Claim(signatures, timestamp_in(request, items), message_id_in(request))

    return read if also is None else _with_other_form(read, also)


def _any_of(request: SignedRequest, readers: list[tuple[Find, Callable[[str], Items]]]) -> Items:
    """The items and signatures of all places at which there are some; the first refusal if none can be read."""
    found: list[Items] = []
    refused: SignatureRefusal | None = None
    for find, signatures_in in readers:
        try:
            if text := find(request):
                found.append(signatures_in(text))
        except SignatureRefusal as refusal:
            refused = refused or refusal
    if refused is not None and not found:
        raise refused
    return (found[0][0], [signature for _, each in found for signature in each]) if found else ([], [])


def _either(places: list[SignedPlace]) -> str:
    return str(places[0]) if len(places) == 1 else f"{places[0]}, or another up to {places[-1].name},"


def _with_other_form(read: Read, also: Callable[[SignedRequest, SignatureRefusal], Claim | None]) -> Read:
    """Read a scheme's own form, or the other one where the request has that."""

    def read_either(request: SignedRequest) -> Claim:
        try:
            return read(request)
        except SignatureRefusal as refusal:
            claim = also(request, refusal)
            if claim is None:
                raise
            return claim

    return read_either


def _other_form(scheme: Scheme, other: Scheme) -> Callable[[SignedRequest, SignatureRefusal], Claim | None]:
    """A function that reads the claim of a scheme's other form; None where the request does not have that form.

    At a place of its own it counts only where the first form's signature is missing: else what is not signed would
    decide which of two ids a request has.
    """
    find, find_first, read = (
        finder(parse_place(other.signature_place)),
        finder(parse_place(scheme.signature_place)),
        reader(other),
    )
    is_same_place = other.signature_place.lower() == scheme.signature_place.lower()

    def claim_in(request: SignedRequest, refusal: SignatureRefusal) -> Claim | None:
        if is_same_place:
            return read(request) if refusal.part == "encoding" else None
        return read(request) if not find_first(request) and find(request) is not None else None

    return claim_in


def age(claim: Claim, scheme: Scheme, now: float) -> float:
    """How many seconds ago the request says it was signed; raises `SignatureRefusal` if it does not say so."""
    shown = scheme.timestamp_place.partition(":")[2] or f"{scheme.inside or 'first'} in {scheme.signature_place[7:]}"
    if not claim.timestamp:
        raise SignatureRefusal("timestamp", f"the timestamp ({shown}) is missing")
    signed_at = read_stamp(claim.timestamp, scheme.timestamp_format)
    if signed_at is None:
        raise SignatureRefusal("timestamp", f"the timestamp ({shown}) is not {FORMS[scheme.timestamp_format]}")
    return now - signed_at


def _timestamp_reader(scheme: Scheme, signature: SignedPlace) -> Callable[[SignedRequest, list[str]], str]:
    """A function that finds the timestamp, in a place of its own or among the items beside the signature."""
    mark = scheme.inside
    if scheme.timestamp_place:
        place = parse_place(scheme.timestamp_place)
        find = finder(place)
        commas = 1 if scheme.timestamp_format == "http" else 0
        return lambda request, _: _single(place, find(request) or "", commas)
    if scheme.is_timestamp_first:
        return lambda _, items: items[0]
    return (lambda _, items: _marked(items, mark, signature)) if mark else (lambda _request, _items: "")


def _id_reader(scheme: Scheme) -> Callable[[SignedRequest], str]:
    """A function that reads the signed id, and refuses one that could pass a part of itself on to what follows."""
    if not scheme.id_place:
        return lambda _: ""
    place, barred = parse_place(scheme.id_place), barred_from_ids(scheme.signed_content)
    find = finder(place)

    def message_id_in(request: SignedRequest) -> str:
        message_id = find(request)
        if not message_id:
            raise SignatureRefusal(place.part, f"{place} is missing or empty")
        if not MESSAGE_ID.fullmatch(message_id) or not barred.isdisjoint(message_id):
            _single(place, message_id)
            without = " or ".join(repr(character) for character in sorted(barred))
            raise SignatureRefusal(
                place.part, f"{place} is not an id of at most 256 characters" + (f" without {without}" * bool(without))
            )
        return message_id

    return message_id_in


def _single(place: SignedPlace, text: str, commas: int = 0) -> str:
    """The text, unless a server joined several headers of one name to it; it may have as many commas of its own."""
    if place.kind == "header" and text.count(", ") > commas:
        raise SignatureRefusal("header", f"{place} stands more than once")
    return text


def _marked(items: list[str], mark: str, place: SignedPlace) -> str:
    """The one text after the mark; it may not stand twice, for then nobody knows which of them counts."""
    found = [item.removeprefix(mark) for item in items if item.startswith(mark)]
    if len(found) > 1:
        raise SignatureRefusal(place.part, f"{place} holds {mark} more than once")
    return found[0] if found else ""


def _signatures_reader(scheme: Scheme, place: SignedPlace) -> Callable[[str], Items]:
    """A function that takes a text apart into its items, and decodes those that can be signatures."""
    separator, signature_in = scheme.separator, _signature_reader(scheme)
    limit = MAX_SIGNATURES if scheme.kind in ("hmac", "standard") else MAX_SIGNATURES_BY_KEY

    def read(text: str) -> Items:
        items = [item.strip() for item in text.split(separator, limit)] if separator else [text]
        if "," not in separator or scheme.is_timestamp_first:
            _single(place, text)
        signatures = [signature for item in items[:limit] if (signature := signature_in(item))]
        if not signatures:
            raise SignatureRefusal("encoding", _complaint(scheme, place, items))
        return items, signatures

    # a secret itself may hold a comma and a blank; nothing else that is sent may
    may_hold_comma = scheme.kind == "static" and scheme.encoding == "text"

    def read_single(text: str) -> Items:
        if scheme.kind == "jwt":
            _single(place, text)
        signature = signature_in(text)
        if not signature:
            if not may_hold_comma:
                _single(place, text)
            raise SignatureRefusal("encoding", _complaint(scheme, place, [text]))
        return [text], [signature]

    return read if separator else read_single


def _signature_reader(scheme: Scheme) -> Callable[[str], bytes | None]:
    """A function that decodes one signature; None if the text cannot be one."""
    prefix, size = scheme.prefix, len(scheme.prefix)
    decode = DECODERS[scheme.encoding]
    lengths = _lengths(scheme)

    def secret_in(text: str) -> bytes | None:
        # the words Basic and Bearer are written in any case (RFC 9110, 11.1)
        return decode(text[size:]) if text[:size].lower() == prefix.lower() else None

    def signature_in(text: str) -> bytes | None:
        if not text.startswith(prefix):
            return None
        signature = decode(text[size:])
        return signature if signature is not None and len(signature) in lengths else None

    return secret_in if scheme.kind in SHOWN else signature_in


def _lengths(scheme: Scheme) -> range:
    """How many bytes a signature may have."""
    if scheme.kind in DIGESTED and not scheme.hash_in:
        return range(DIGEST_SIZES[scheme.hash], DIGEST_SIZES[scheme.hash] + 1)
    return range(64, 65) if scheme.kind == "ed25519" else range(8, MAX_SIGNATURE_BYTES + 1)


def _complaint(scheme: Scheme, place: SignedPlace, items: list[str]) -> str:
    """Why none of the items can be a signature."""
    size = len(scheme.prefix)
    written = [item[size:] for item in items if item[:size].lower() == scheme.prefix.lower()]
    if not written:
        return f"{place} does not start with {scheme.prefix!r}"
    decoded = [signature for text in written if (signature := DECODERS[scheme.encoding](text))]
    if not decoded or scheme.kind in SHOWN:
        return f"{place} does not hold {scheme.encoding}"
    lengths = _lengths(scheme)
    name = scheme.kind if scheme.kind not in DIGESTED else scheme.hash
    expected = str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    return f"the signature has {len(decoded[0])} bytes, {name} in {scheme.encoding} has {expected}"
