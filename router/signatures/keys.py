"""Secrets as configured -> keys as bytes, and signatures as sent -> bytes."""

import binascii
from collections.abc import Callable, Iterator

from .scheme import Encoding, KeyDecoding

WHSEC = "whsec_"
MIN_CHARACTERS = 8
"""A shorter secret can be guessed from one signed request."""
MIN_KEY_BYTES = 16
"""What a key has at least that is written as hexadecimal digits or base64, so that a machine made it."""
USUAL_CHARACTERS = 16


def decode_key(secret: str, decoding: KeyDecoding) -> bytes:
    """The key's bytes; none if the secret cannot be decoded."""
    if decoding == "raw":
        return secret.encode(errors="surrogatepass")
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
    if decoding == "raw":
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
