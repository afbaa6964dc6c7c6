"""The secrets and private keys that a subscription has."""

from bpm.events.sealing import SigningSecret, open_secrets
from bpm.events.signing import is_text
from bpm.events.subscription_tables import Subscription
from bpm.security.secrets import SecretBox, SecretError
from bpm.signatures.key_pairs import is_private_key


def stored_secrets(row: Subscription, box: SecretBox) -> list[SigningSecret]:
    """Return the stored secrets; those that can't be opened any more are lost, and a new one is the remedy."""
    try:
        return open_secrets(row.secrets, box)
    except SecretError:
        return []


def has_text(row: Subscription, box: SecretBox) -> bool:
    """Tell whether a subscription has a secret that is a receiver's own text."""
    return any(is_text(each.secret) for each in stored_secrets(row, box))


def has_key_pair(row: Subscription, box: SecretBox) -> bool | None:
    """Tell whether a subscription has private keys rather than shared secrets; None if it has lost them."""
    secrets = stored_secrets(row, box)
    return is_private_key(secrets[0].secret) if secrets else None
