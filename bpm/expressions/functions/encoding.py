"""Texts written otherwise: as JSON, as base64, as a digest."""

import binascii
import hashlib
from base64 import b64decode, b64encode
from typing import Any

from bpm.metering import Meter

from ..errors import Unsuitable
from ..values import CHARACTERS_PER_STEP
from .arguments import text
from .registry import function
from .texts import to_text

HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
"""The first two are weak, for providers that still ask for them."""
URL_SAFE = str.maketrans("-_", "+/")


@function("to json", takes_null=True, is_cheap=True)
def to_json_text(value: Any, *, meter: Meter) -> str:
    """The value written as JSON, a text with its quotes; `json()` reads it again."""
    written = to_text([value], meter)
    return written[1:-1]


@function("base64")
def to_base64(value: Any, *, meter: Meter) -> str:
    """The text's UTF-8 in base64."""
    meter.charge(len(text(value)) // CHARACTERS_PER_STEP)
    return b64encode(_utf8(value)).decode()


@function("base64 decode")
def from_base64(value: Any, *, meter: Meter) -> str:
    """The text that base64 holds, also base64url and without padding."""
    meter.charge(len(text(value)) // CHARACTERS_PER_STEP)
    plain = text(value).translate(URL_SAFE).rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unsuitable("base64 of a text in UTF-8 is needed") from error


@function("hash")
def digest(value: Any, algorithm: Any = "sha256", *, meter: Meter) -> str:
    """The digest of the text's UTF-8 in hexadecimal digits: SHA-256, or `md5`, `sha1`, `sha384`, `sha512`."""
    if text(algorithm) not in HASHES:
        raise Unsuitable(f"the digests are {', '.join(HASHES)}")
    meter.charge(len(text(value)) // CHARACTERS_PER_STEP)
    return hashlib.new(algorithm, _utf8(value), usedforsecurity=False).hexdigest()


def _utf8(value: Any) -> bytes:
    try:
        return text(value).encode()
    except UnicodeEncodeError as error:
        raise Unsuitable("half a surrogate pair is no text") from error
