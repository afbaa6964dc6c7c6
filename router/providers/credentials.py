"""Secrets that providers send along, and those we send to them."""

import hmac

from pydantic import SecretStr

from bpm.errors import Forbidden
from bpm.security.permissions import INSTALLATION


def secret_text(secret: SecretStr | None) -> str:
    """Return the secret's text; the empty text when it is not set."""
    return secret.get_secret_value().strip() if secret is not None else ""


def same(given: str, expected: str) -> bool:
    """Compare in constant time; nothing equals a secret that is not set."""
    left, right = (text.encode("utf-8", "surrogatepass") for text in (given, expected))
    return bool(expected) and hmac.compare_digest(left, right)


def may_ask(organization_id: int) -> bool:
    """Tell whether providers are asked for an organisation: the merchant they know is the installation."""
    return organization_id == INSTALLATION


def require_may_ask(organization_id: int) -> None:
    """Raise `Forbidden` for an organisation that would learn of the installation's customers by asking."""
    if not may_ask(organization_id):
        raise Forbidden("providers are asked with the credentials of the installation, for the installation alone")
