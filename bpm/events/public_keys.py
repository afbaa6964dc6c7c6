"""The public halves of the keys that deliveries are signed with: for whoever verifies them."""

from datetime import datetime

from bpm.events import subscription_tables
from bpm.events.sealing import SigningSecret, open_secrets
from bpm.security.secrets import SecretBox, SecretError
from bpm.signatures.key_pairs import is_private_key, jwk_of
from bpm.store import Transaction


def key_pairs_of(sealed: str, box: SecretBox, now: datetime) -> list[SigningSecret]:
    """Return the private keys that count, the newest first; none where secrets are shared, or can't be opened."""
    try:
        secrets = open_secrets(sealed, box)
    except SecretError:
        return []
    return [s for s in secrets if is_private_key(s.secret) and (s.expires_at is None or now < s.expires_at)]


def published_keys(tx: Transaction, subscription_id: int, box: SecretBox, now: datetime) -> list[dict[str, str]]:
    """Return any organisation's keys of a subscription as JWKs (RFC 7517); none where nothing is to be published."""
    row = subscription_tables.subscription_row(tx, subscription_id)
    if row is None or row.deleted_at is not None or not row.signature:
        return []
    return [jwk_of(key.secret) for key in key_pairs_of(row.secrets, box, now)]
