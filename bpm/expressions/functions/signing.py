"""HMACs by keys that the caller has, and that no expression sees."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Unsuitable
from .arguments import text
from .registry import function

KEYS = "hmac()"
"""The scope's key under which a caller may give its `Signer`."""
ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
ENCODINGS: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda proof: b64encode(proof).decode(),
    "base64url": lambda proof: urlsafe_b64encode(proof).rstrip(b"=").decode(),
}


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs by a key of this name, with this hash; raises `EvaluationError` for a key that it does not have."""

    sign: Callable[[str, bytes, str], bytes]


@function("hmac", reads_scope=True, steps=30)
def hmac_of(scope: Mapping[str, Any], value: Any, key: Any, algorithm: Any = "sha256", encoding: Any = "hex") -> str:
    """The HMAC of a text by a key of the webhook rule: `hmac(request.body, "partner", "sha512", "base64")`."""
    try:
        signer = scope[KEYS]
    except KeyError:
        signer = None
    if not isinstance(signer, Signer):
        raise Unsuitable("there are no keys here; a webhook rule has them for its parameters and its response")
    if text(algorithm) not in ALGORITHMS or text(encoding) not in ENCODINGS:
        raise Unsuitable(f"the hashes are {', '.join(ALGORITHMS)}, the encodings {', '.join(ENCODINGS)}")
    try:
        content = text(value).encode()
    except UnicodeEncodeError as error:
        raise Unsuitable("half a surrogate pair is no text") from error
    return ENCODINGS[encoding](signer.sign(text(key), content, algorithm))
