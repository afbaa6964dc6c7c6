"""What a request's headers claim: signatures, a time, an id. Reading them decides nothing yet."""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from .keys import DECODERS
from .scheme import DIGEST_SIZES, Scheme
from .signed_content import PLACEHOLDERS, barred_from_ids, parts_of

Part = Literal["secret", "header", "encoding", "timestamp", "signature"]

MAX_SIGNATURES = 20
SECONDS = re.compile(r"[1-9][0-9]{0,11}")
"""No leading zero: within any tolerance a time has ten digits, so it can't give a digit to what stands beside it."""
MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,256}")

Headers = Mapping[str, str]
"""Header names in lower case, values as the server decoded them (Latin-1)."""


class SignatureRefusal(Exception):
    """The request is not proven to be the provider's; `part` says where the proof fails."""

    def __init__(self, part: Part, cause: str) -> None:
        super().__init__(cause)
        self.part: Part = part
        self.cause = cause


class Claim(NamedTuple):
    """What the headers claim; texts as they were sent, signatures decoded."""

    signatures: list[bytes]
    timestamp: str = ""
    message_id: str = ""


def reader(scheme: Scheme) -> Callable[[Headers], Claim]:
    """A function that reads a request's claim, or raises Refusal saying which header is at fault."""
    name, separator, mark = scheme.header.lower(), scheme.separator, scheme.inside
    timestamp_name, message_id_in = scheme.timestamp_header.lower(), _id_reader(scheme)
    also_name, read_also = (scheme.also.header, reader(scheme.also)) if scheme.also else ("", None)
    signature_in = _signature_reader(scheme)

    def read(headers: Headers) -> Claim:
        text = headers.get(name)
        if not text:
            if read_also is not None and also_name in headers:
                return read_also(headers)
            raise SignatureRefusal("header", f"the header {scheme.header} is missing or empty")
        items = [item.strip() for item in text.split(separator, MAX_SIGNATURES)] if separator else [text]
        signatures = [signature for item in items if (signature := signature_in(item))]
        if not signatures:
            raise SignatureRefusal("encoding", _complaint(scheme, items))
        timestamp = headers.get(timestamp_name, "") if timestamp_name else _marked(items, mark) if mark else ""
        return Claim(signatures, timestamp, message_id_in(headers))

    return read


def age(claim: Claim, scheme: Scheme, now: float) -> float:
    """How many seconds ago the request says it was signed; raises Refusal if it does not say so."""
    place = scheme.timestamp_header or f"{scheme.inside} in {scheme.header}"
    if not claim.timestamp:
        raise SignatureRefusal("timestamp", f"the timestamp ({place}) is missing")
    if not SECONDS.fullmatch(claim.timestamp):
        raise SignatureRefusal("timestamp", f"the timestamp ({place}) is not one number of seconds since 1970")
    return now - int(claim.timestamp)


def composer(signed_content: str) -> Callable[[bytes, Claim], bytes]:
    """A function that puts together the bytes that were signed."""
    if signed_content == "{body}":
        return lambda raw, _: raw
    parts = parts_of(signed_content)

    def compose(raw: bytes, claim: Claim) -> bytes:
        values = {"{body}": raw, "{timestamp}": _raw(claim.timestamp), "{id}": _raw(claim.message_id)}
        return b"".join(values[part] if part in PLACEHOLDERS else part.encode() for part in parts)

    return compose


def _id_reader(scheme: Scheme) -> Callable[[Headers], str]:
    """A function that reads the signed id, and refuses one that could pass a part of itself on to what follows."""
    if not scheme.id_header:
        return lambda _: ""
    name, barred = scheme.id_header.lower(), barred_from_ids(scheme.signed_content)

    def message_id_in(headers: Headers) -> str:
        message_id = headers.get(name, "")
        if not message_id:
            raise SignatureRefusal("header", f"the header {scheme.id_header} is missing or empty")
        if not MESSAGE_ID.fullmatch(message_id) or not barred.isdisjoint(message_id):
            without = " or ".join(repr(character) for character in sorted(barred))
            raise SignatureRefusal(
                "header", f"the header {scheme.id_header} is not an id of at most 256 characters without {without}"
            )
        return message_id

    return message_id_in


def _marked(items: list[str], mark: str) -> str:
    """The one text after the mark; none if the mark stands twice, for then nobody knows which of them counts."""
    found = [item.removeprefix(mark) for item in items if item.startswith(mark)]
    return found[0] if len(found) == 1 else ",".join(found)


def _signature_reader(scheme: Scheme) -> Callable[[str], bytes | None]:
    """A function that decodes one signature; None if the text cannot be one."""
    prefix, size = scheme.prefix, len(scheme.prefix)
    decode = DECODERS[scheme.encoding]
    length = DIGEST_SIZES[scheme.hash]

    def secret_in(text: str) -> bytes | None:
        # the words Basic and Bearer are written in any case (RFC 9110, 11.1)
        return decode(text[size:]) if text[:size].lower() == prefix.lower() else None

    def signature_in(text: str) -> bytes | None:
        if not text.startswith(prefix):
            return None
        signature = decode(text[size:])
        return signature if signature is not None and len(signature) == length else None

    return secret_in if scheme.kind == "static" else signature_in


def _complaint(scheme: Scheme, items: list[str]) -> str:
    """Why none of the items can be a signature."""
    size = len(scheme.prefix)
    written = [item[size:] for item in items if item[:size].lower() == scheme.prefix.lower()]
    if not written:
        return f"the header {scheme.header} does not start with {scheme.prefix!r}"
    decoded = [signature for text in written if (signature := DECODERS[scheme.encoding](text))]
    if not decoded or scheme.kind == "static":
        return f"the header {scheme.header} does not hold {scheme.encoding}"
    expected = f"{scheme.hash} in {scheme.encoding} has {DIGEST_SIZES[scheme.hash]}"
    return f"the signature has {len(decoded[0])} bytes, {expected}"


def _raw(text: str) -> bytes:
    """A header's bytes before the server decoded them."""
    return text.encode("latin-1", errors="replace")
