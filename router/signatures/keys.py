"""Secrets as configured -> keys as bytes, and signatures as sent -> bytes."""

import binascii
from collections.abc import Callable

from .scheme import Encoding, KeyDecoding

WHSEC = "whsec_"


def decode_key(secret: str, decoding: KeyDecoding) -> bytes:
    """The key's bytes; none if the secret cannot be decoded."""
    if decoding == "raw":
        return secret.encode(errors="surrogatepass")
    if decoding == "hex":
        return from_hex(secret) or b""
    if decoding == "whsec":
        secret = secret.removeprefix(WHSEC)
    return from_base64(secret + "=" * (-len(secret) % 4)) or b""


def from_hex(text: str) -> bytes | None:
    """The bytes that hexadecimal digits stand for; None if there is anything else in the text."""
    try:
        return binascii.a2b_hex(text)
    except ValueError:
        return None


def from_base64(text: str) -> bytes | None:
    """The bytes that padded base64 stands for; None if there is anything else in the text."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def from_text(text: str) -> bytes | None:
    """The bytes of a header's text before the server decoded them; None if it did not."""
    try:
        return text.encode("latin-1")
    except ValueError:
        return None


DECODERS: dict[Encoding, Callable[[str], bytes | None]] = {
    "hex": from_hex,
    "base64": from_base64,
    "text": from_text,
}


def encode(digest: bytes, encoding: Encoding) -> str:
    """A signature as it is written in a header."""
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return binascii.b2a_base64(digest, newline=False).decode()
    return digest.decode("latin-1")
