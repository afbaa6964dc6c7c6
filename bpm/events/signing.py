"""How deliveries prove whose they are: Standard Webhooks, and PlanDocket's own signature.

Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, specification 1.0): the base64 of
HMAC-SHA256 over `id.timestamp.body` after `v1,`, with the bytes behind `whsec_`; several, between spaces, while
secrets are exchanged.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache

PREFIX = "whsec_"
KEY_BYTES = 32
SHORTEST_KEY, LONGEST_KEY = 24, 64


class SecretFormatError(ValueError):
    """A signing secret is not one of Standard Webhooks."""


def new_secret() -> str:
    """Return a new signing secret, `whsec_` and 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def check_secret(secret: str) -> str:
    """Return the secret; raises `SecretFormatError` unless it is `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise SecretFormatError(
            f"must be {PREFIX} followed by the base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes; "
            "leave it out to have one made"
        )
    return secret


def standard_headers(signing_secrets: Sequence[str], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks, with a signature by each secret, the newest first."""
    content = f"{id_}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(_signed(_key(s), content)).decode() for s in signing_secrets]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def plandocket_headers(signing_secrets: Sequence[str], timestamp: int, body: bytes) -> dict[str, str]:
    """Return PlanDocket's headers: `v1=` and the hex HMAC-SHA256 of `timestamp.body`, with the newest secret's text."""
    content = f"{timestamp}.".encode() + body
    signature = _signed(signing_secrets[0].encode(), content).hex()
    return {"X-Webhook-Signature": f"v1={signature}", "X-Webhook-Timestamp": str(timestamp)}


def _signed(key: bytes, content: bytes) -> bytes:
    """HMAC-SHA256 without `hmac.digest`, which gives the interpreter's lock away for the shortest text."""
    signature = _keyed_hmac(key).copy()
    signature.update(content)
    return signature.digest()


@lru_cache(maxsize=4_096)
def _keyed_hmac(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


@lru_cache(maxsize=4_096)
def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))
