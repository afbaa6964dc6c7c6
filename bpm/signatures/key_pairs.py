"""Key pairs of our own: the private half signs what is sent, the public half is shown to whoever verifies it.

A private key is written as Standard Webhooks writes it, `whsk_` and base64, its public key as `whpk_` and base64.
"""

import base64
import hashlib
import secrets
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .public_keys import ED25519_BYTES, WHPK

WHSK = "whsk_"


def new_private_key() -> str:
    """Return a new private key of ed25519."""
    return WHSK + base64.b64encode(secrets.token_bytes(ED25519_BYTES)).decode()


def is_private_key(secret: str) -> bool:
    """Tell whether a secret is the private half of a key pair."""
    return secret.startswith(WHSK)


def sign_with(private_key: str, content: bytes) -> bytes:
    """Return the ed25519 signature (RFC 8032) of these bytes."""
    return _opened(private_key).sign(content)


def public_key_of(private_key: str) -> str:
    """Return the public half of a private key."""
    return WHPK + base64.b64encode(_public_bytes(private_key)).decode()


def jwk_of(private_key: str) -> dict[str, str]:
    """Return the public half as a JSON Web Key (RFC 8037); its `kid` is its thumbprint (RFC 7638)."""
    key = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(_public_bytes(private_key))}
    members = ",".join(f'"{name}":"{value}"' for name, value in key.items())  # in the order that RFC 7638 asks for
    return {**key, "kid": _base64url(hashlib.sha256(f"{{{members}}}".encode()).digest()), "use": "sig"}


def _public_bytes(private_key: str) -> bytes:
    return _opened(private_key).public_key().public_bytes_raw()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@lru_cache(maxsize=1_024)
def _opened(private_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key.removeprefix(WHSK), validate=True))
