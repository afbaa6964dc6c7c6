"""API keys as they travel: `bpm_<id>_<secret>`, a public id and 256 random bits."""

import hashlib
import secrets
from dataclasses import dataclass
from hmac import compare_digest

PREFIX = "bpm_"
ID_BYTES = 8
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyText:
    """An API key taken apart; as text it is shown once and never stored."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.id}_{self.secret}"

    @property
    def hash(self) -> str:
        """What is stored of the secret; as it is random, a fast hash is enough."""
        return digest(self.secret)

    def matches(self, known: str) -> bool:
        """Compare with a stored hash, in constant time."""
        return compare_digest(self.hash, known)


def generate_key() -> KeyText:
    """Return a new key."""
    return KeyText(secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES))


def parse_key(text: str) -> KeyText | None:
    """Take a key apart, or return None for a text of another form."""
    key_id, separator, secret = text.removeprefix(PREFIX).partition("_")
    if not text.startswith(PREFIX) or not separator or not key_id or not secret:
        return None
    return KeyText(key_id, secret)


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret, in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
