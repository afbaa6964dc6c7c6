"""From what stands in a header or in a principal to the stored account."""

import re

from bpm.accounts import tables
from bpm.accounts.keys import KeyText
from bpm.accounts.rights import present_anew
from bpm.accounts.tables import ApiKey, User
from bpm.bus import Context
from bpm.errors import Unauthenticated
from bpm.security.permissions import KEY, USER, Principal
from bpm.store import Transaction, organizations
from bpm.store.named_lock import take_named_lock
from bpm.store.session import ScopedSession

_USER_ID = re.compile(re.escape(USER) + r"([0-9]{1,18})")


def find_key_and_owner(session: ScopedSession, text: KeyText) -> tuple[ApiKey, User] | None:
    """Return the key whose id and secret these are, valid or not, and the user it belongs to."""
    key = tables.find_api_key(session, text.id)
    if key is None or not text.matches(key.hash):
        return None
    owner = tables.find_user(session, key.user_id)
    return (key, owner) if owner is not None else None


def find_account(session: ScopedSession, principal_id: str) -> tuple[User | None, ApiKey | None]:
    """Return the user behind a principal's id, `user:<id>` or `key:<id>`, and in the second case the key."""
    if principal_id.startswith(KEY):
        key = tables.find_api_key(session, principal_id.removeprefix(KEY))
        return (tables.find_user(session, key.user_id), key) if key is not None else (None, None)
    user_id = _USER_ID.fullmatch(principal_id)
    return (tables.find_user(session, int(user_id[1])) if user_id is not None else None), None


def require_active(tx: Transaction, user: User) -> None:
    """Raise `Unauthenticated` when a user's organisation is switched off, or was never made."""
    if not organizations.is_active(tx, user.organization_id):
        raise Unauthenticated(
            "Your organisation is switched off; the administrators of the installation can switch it on",
            message="Organisation is inactive",
        )


def present_sender(context: Context) -> Principal:
    """Return the sender with what it may do at this moment, to change accounts as nobody else does meanwhile.

    A permission that was taken away, or a key that was revoked, while the message was on its way gives no rights any
    more. Raises `Forbidden`.
    """
    take_named_lock(context.tx, "accounts")
    return present_anew(context.tx, context.principal, context.now())
