"""What deliveries are signed with: shared secrets and private keys."""

import base64
import binascii
import re
import secrets

from bpm.signatures.key_pairs import WHSK, is_private_key, new_private_key, public_key_of
from bpm.signatures.public_keys import WHPK

PREFIX = "whsec_"
KEY_BYTES = 32
SHORTEST_KEY, LONGEST_KEY = 24, 64
SHORTEST_TEXT = 16
FORMS = (PREFIX, WHSK, WHPK)
PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""ASCII without blanks around it."""


class SecretFormatError(ValueError):
    """A signing secret is not one of Standard Webhooks."""


def new_secret() -> str:
    """Return a new signing secret, `whsec_` and 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def new_key(*, has_key_pair: bool) -> str:
    """Return a new private key, or else a new shared secret."""
    return new_private_key() if has_key_pair else new_secret()


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


def is_text(secret: str) -> bool:
    """Tell whether a secret is any text that a receiver has already, long enough, and neither of our form nor a key."""
    return len(secret) >= SHORTEST_TEXT and not secret.startswith(FORMS) and PRINTABLE.fullmatch(secret) is not None


def verifying_key(secret: str) -> str:
    """Return what a receiver verifies with: the shared secret itself, or the public half of a private key."""
    return public_key_of(secret) if is_private_key(secret) else secret
