"""Secrets as configured -> keys as bytes, and signatures as sent -> bytes."""

import binascii
import hashlib
import re
from collections.abc import Callable, Iterator

from .scheme import Encoding, KeyDecoding

WHSEC = "whsec_"
MIN_CHARACTERS = 8
"""A shorter secret can be guessed from one signed request."""
MIN_KEY_BYTES = 16
"""What a key has at least that is written as hexadecimal digits or base64, so that a machine made it."""
USUAL_CHARACTERS = 16

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")


def decode_key(secret: str, decoding: KeyDecoding) -> bytes:
    """The key's bytes; none if the secret cannot be decoded."""
    if decoding == "raw":
        return secret.encode(errors="surrogatepass")
    if decoding == "sha1":
        return hashlib.sha1(secret.encode(errors="surrogatepass"), usedforsecurity=False).digest()
    if decoding == "hex":
        return from_hex(secret) or b""
    if decoding == "whsec":
        secret = secret.removeprefix(WHSEC)
    try:
        return binascii.a2b_base64(secret + "=" * (-len(secret) % 4), strict_mode=True)
    except ValueError:
        return b""


def weakness(secret: str, decoding: KeyDecoding) -> str | None:
    """Why a secret is too weak to be saved, or None."""
    if decoding in ("raw", "sha1"):
        too_short = len(secret.strip()) < MIN_CHARACTERS
        return f"the secret must have at least {MIN_CHARACTERS} characters" if too_short else None
    if len(decode_key(secret, decoding)) < MIN_KEY_BYTES:
        return f"the secret must stand for a key of at least {MIN_KEY_BYTES} bytes"
    return None


def doubts(secret: str, decoding: KeyDecoding) -> Iterator[str]:
    """What looks wrong with a secret that may be saved."""
    if secret != secret.strip():
        yield "the secret has blanks or a line break around it; they count"
    if len(set(secret)) == 1:
        yield "the secret is one character over and over, and so can be guessed"
    elif decoding == "raw" and len(secret) < USUAL_CHARACTERS:
        yield f"the secret has {len(secret)} characters; {USUAL_CHARACTERS} random ones or more can't be guessed"


def from_hex(text: str) -> bytes | None:
    """The bytes that hexadecimal digits stand for; None if there is anything else in the text."""
    try:
        return binascii.a2b_hex(text)
    except ValueError:
        return None


def from_base64(text: str) -> bytes | None:
    """The bytes that padded base64 stands for; None for any other text, also one with padding or bits to spare."""
    try:
        decoded = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return decoded if binascii.b2a_base64(decoded, newline=False).decode() == text else None


def from_unpadded_base64(text: str) -> bytes | None:
    """The bytes that base64 without its padding stands for; None for any other text."""
    return from_base64(text + "=" * (-len(text) % 4)) if not text.endswith("=") else None


def from_base64url(text: str) -> bytes | None:
    """The bytes that base64 with `-` and `_` stands for, with its padding or without (RFC 4648, 5)."""
    if not _BASE64URL.fullmatch(text):
        return None
    plain = text.translate({0x2D: "+", 0x5F: "/"})
    return from_base64(plain) or from_unpadded_base64(plain)


def from_text(text: str) -> bytes | None:
    """The bytes of a header's text before the server decoded them; UTF-8 of one that holds more; None if neither."""
    try:
        return text.encode("latin-1")
    except ValueError:
        return None


DECODERS: dict[Encoding, Callable[[str], bytes | None]] = {
    "hex": from_hex,
    "base64": from_base64,
    "base64-unpadded": from_unpadded_base64,
    "base64url": from_base64url,
    "text": from_text,
}


def encode(digest: bytes, encoding: Encoding) -> str:
    """A signature as it is written in a request."""
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return binascii.b2a_base64(digest, newline=False).decode()
    if encoding == "base64-unpadded":
        return encode(digest, "base64").rstrip("=")
    if encoding == "base64url":
        return encode(digest, "base64-unpadded").translate({0x2B: "-", 0x2F: "_"})
    return digest.decode("latin-1")
