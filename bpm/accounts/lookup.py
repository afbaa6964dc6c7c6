"""From what stands in a header or in a rule to the stored account."""

import re
from dataclasses import replace

from bpm.accounts import tables
from bpm.accounts.keys import KeyText
from bpm.accounts.principals import KEY, USER, principal_of_key, principal_of_user
from bpm.accounts.tables import ApiKey, User
from bpm.bus import Context
from bpm.errors import Forbidden, NotFound, Unauthenticated
from bpm.security.permissions import SYSTEM, Principal, shared_permissions
from bpm.store import Transaction, organizations
from bpm.store.ordering import one_at_a_time
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


def find_principal(tx: Transaction, principal_id: str) -> Principal:
    """Return the present rights of the account behind a principal's id, as in `user:7` or `system`.

    `key:<id>` stands for what the key's owner may do within the key's scopes, even after the key was revoked
    or has expired: replacing a key must not stop the rules that were saved with it.

    Raises `NotFound`, and `Forbidden` for a disabled account and for one whose organisation is switched off.
    """
    if principal_id == SYSTEM.id:
        return SYSTEM
    user, key = find_account(tx.session(None), principal_id)
    if user is None:
        raise NotFound(f"There is no account {principal_id!r}")
    if not user.is_enabled:
        raise Forbidden(f"The account {user.username!r} is disabled")
    if not organizations.is_active(tx, user.organization_id):
        raise Forbidden(f"The organisation of the account {user.username!r} is switched off")
    return principal_of_key(key, user) if key is not None else principal_of_user(user)


def present_sender(context: Context) -> Principal:
    """Return the sender with what it may do at this moment, to change accounts as nobody else does meanwhile.

    A permission that was taken away, or a key that was revoked, while the message was on its way gives no rights any
    more. Raises `Forbidden` and `NotFound`.
    """
    one_at_a_time(context.tx, "accounts")
    sender = context.principal
    if sender.kind not in ("user", "key"):
        return sender
    _, key = find_account(context.tx.session(None), sender.id)
    if key is not None and not key.is_valid(context.now()):
        raise Forbidden("The API key was revoked or has expired")
    present = find_principal(context.tx, sender.id)
    return replace(sender, permissions=shared_permissions(sender.permissions, present.permissions))
