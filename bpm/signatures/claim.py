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


def reader(scheme: Scheme) -> Read:
    """A function that reads a request's claim, or raises `SignatureRefusal` saying which part is at fault."""
    if scheme.signed_content == MESSAGE:
        return lambda _request: Claim([])
    place = parse_place(scheme.signature_place)
    find, signatures_in = finder(place), _signatures_reader(scheme, place)
    timestamp_in, message_id_in = _timestamp_reader(scheme, place), _id_reader(scheme)
    also = _other_form(scheme.also) if scheme.also is not None else None

    def read(request: SignedRequest) -> Claim:
        text = find(request)
        if not text:
            if also is not None and (claim := also(request)) is not None:
                return claim
            raise SignatureRefusal(place.part, f"{place} is missing or empty")
        items, signatures = signatures_in(text)
        return Claim(signatures, timestamp_in(request, items), message_id_in(request))

    return read


def _other_form(scheme: Scheme) -> Callable[[SignedRequest], Claim | None]:
    """A function that reads the claim of a scheme's other form; None where it is not there either."""
    find, read = finder(parse_place(scheme.signature_place)), reader(scheme)
    return lambda request: read(request) if find(request) is not None else None


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
        return lambda request, _: _single(place, find(request) or "")
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


def _single(place: SignedPlace, text: str) -> str:
    """The text, unless a server joined several headers of one name to it."""
    if place.kind == "header" and ", " in text:
        raise SignatureRefusal("header", f"{place} stands more than once")
    return text


def _marked(items: list[str], mark: str, place: SignedPlace) -> str:
    """The one text after the mark; it may not stand twice, for then nobody knows which of them counts."""
    found = [item.removeprefix(mark) for item in items if item.startswith(mark)]
    if len(found) > 1:
        raise SignatureRefusal(place.part, f"{place} holds {mark} more than once")
    return found[0] if found else ""


def _signatures_reader(scheme: Scheme, place: SignedPlace) -> Callable[[str], tuple[list[str], list[bytes]]]:
    """A function that takes a text apart into its items, and decodes those that can be signatures."""
    separator, signature_in = scheme.separator, _signature_reader(scheme)
    limit = MAX_SIGNATURES if scheme.kind in ("hmac", "standard") else MAX_SIGNATURES_BY_KEY

    def read(text: str) -> tuple[list[str], list[bytes]]:
        items = [item.strip() for item in text.split(separator, limit)] if separator else [text]
        if "," not in separator:
            _single(place, text)
        signatures = [signature for item in items[:limit] if (signature := signature_in(item))]
        if not signatures:
            raise SignatureRefusal("encoding", _complaint(scheme, place, items))
        return items, signatures

    def read_single(text: str) -> tuple[list[str], list[bytes]]:
        signature = signature_in(text)
        if not signature:
            if scheme.kind != "static":
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
