"""Secrets that providers send along, and those we send to them."""

import hmac

from pydantic import SecretStr


def revealed(secret: SecretStr | None) -> str:
    """Return the secret's text; the empty text when it is not set."""
    return secret.get_secret_value().strip() if secret is not None else ""


def same(given: str, expected: str) -> bool:
    """Compare in constant time; nothing equals a secret that is not set."""
    left, right = (text.encode("utf-8", "surrogatepass") for text in (given, expected))
    return bool(expected) and hmac.compare_digest(left, right)
