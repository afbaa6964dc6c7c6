"""HTTP Message Signatures (RFC 9421) of what is sent, with the digest of its body (RFC 9530).

What is signed is `COMPONENTS`: method, host, kind of content, digest of the body, and the event's id; where headers say
what the body is (CloudEvents), those, too. The path is left out, because proxies in front of receivers change it; the
host is in, so that nobody can pass a request on to another.
The tags tell the newest secret's signature from those of former ones, so that a receiver can ask for one of them.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from .key_pairs import jwk_of, sign_with
from .keys import decode_key
from .signer import hmac_of

MessageAlgorithm = Literal["ed25519", "hmac-sha256"]

COMPONENTS = ("@method", "@authority", "content-type", "content-digest", "webhook-id")
DEFAULT_PORTS = {"https": 443, "http": 80}
KEY_ID_CHARACTERS = 16
TAG, FORMER_TAG = "bpm-bus", "bpm-bus-former"


class SignedMessage(NamedTuple):
    """A POST whose signature is wanted; `described` are headers, by lower-case name, that say what the body is."""

    url: str
    content_type: str
    webhook_id: str
    body: bytes
    described: Mapping[str, str] = MappingProxyType({})


def message_headers(
    algorithm: MessageAlgorithm, secrets: Sequence[str], message: SignedMessage, now: int
) -> dict[str, str]:
    """Return the headers that prove a message: `sig1` by the first secret, `sig2` by the next, and so on."""
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(message.body).digest()).decode()}:"
    covered = _covered(message, digest)
    lines = "".join(f'"{name}": {value}\n' for name, value in covered.items())
    inputs: list[str] = []
    signatures: list[str] = []
    for number, secret in enumerate(secrets, 1):
        tag = TAG if number == 1 else FORMER_TAG
        parameters = f'{_parameters(covered, algorithm, secret, now)};tag="{tag}"'
        base = f'{lines}"@signature-params": {parameters}'.encode()
        inputs.append(f"sig{number}={parameters}")
        signatures.append(f"sig{number}=:{base64.b64encode(_sign(algorithm, secret, base)).decode()}:")
    return {"Content-Digest": digest, "Signature-Input": ", ".join(inputs), "Signature": ", ".join(signatures)}


def key_id_of(secret: str, algorithm: MessageAlgorithm) -> str:
    """Return by which name a receiver knows a key: a public key's thumbprint, or the beginning of a secret's digest."""
    if algorithm == "ed25519":
        return jwk_of(secret)["kid"]
    return hashlib.sha256(secret.encode()).hexdigest()[:KEY_ID_CHARACTERS]


def _covered(message: SignedMessage, digest: str) -> dict[str, str]:
    """Return what is signed by its names, in their order."""
    values = ("POST", _authority(message.url), message.content_type, digest, message.webhook_id)
    return {**dict(zip(COMPONENTS, values, strict=True)), **message.described}


def _parameters(covered: Iterable[str], algorithm: MessageAlgorithm, secret: str, now: int) -> str:
    names = " ".join(f'"{name}"' for name in covered)
    return f'({names});created={now};keyid="{key_id_of(secret, algorithm)}";alg="{algorithm}"'


def _authority(url: str) -> str:
    """Return the host as RFC 9421 (2.2.3) wants it: in lower case, and without the port that is the usual one."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix(f":{DEFAULT_PORTS.get(parts.scheme)}")


def _sign(algorithm: MessageAlgorithm, secret: str, base: bytes) -> bytes:
    return sign_with(secret, base) if algorithm == "ed25519" else hmac_of(decode_key(secret, "whsec"), "sha256", base)
