"""From what stands in a header or in a rule to the stored account."""

import re

from bpm.accounts import tables
from bpm.accounts.keys import KeyText
from bpm.accounts.principals import KEY, USER, principal_of_key, principal_of_user
from bpm.accounts.tables import ApiKey, User
from bpm.errors import Forbidden, NotFound
from bpm.security.permissions import SYSTEM, Principal
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


def find_principal(session: ScopedSession, principal_id: str) -> Principal:
    """Return the present rights of the account behind a principal's id, as in `user:7` or `system`.

    `key:<id>` stands for what the key's owner may do within the key's scopes, even after the key was revoked
    or has expired: replacing a key must not stop the rules that were saved with it.

    Raises `NotFound`, and `Forbidden` for a disabled account.
    """
    if principal_id == SYSTEM.id:
        return SYSTEM
    user, key = find_account(session, principal_id)
    if user is None:
        raise NotFound(f"There is no account {principal_id!r}")
    if not user.is_enabled:
        raise Forbidden(f"The account {user.username!r} is disabled")
    return principal_of_key(key, user) if key is not None else principal_of_user(user)
