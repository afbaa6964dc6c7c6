"""A new password for somebody who can't sign in any more, written by who may read the database itself."""

from bpm.accounts import tables
from bpm.accounts.tables import User
from bpm.bus.audit import note_offline_work
from bpm.clock import Clock
from bpm.errors import Misconfigured
from bpm.security.passwords import Passwords, generate_password
from bpm.spelling import nearest
from bpm.store import Database, Transaction


async def reset_password(database: Database, username: str, clock: Clock, *, enable: bool) -> str:
    """Give a user a new password, end every sign-in of theirs, and return it.

    With `enable` an account that was disabled is let in again. Raises `Misconfigured` for a user that is not there,
    has no password, or is disabled.
    """
    password = generate_password()
    hashed = await Passwords().hash(password)
    await database.write(lambda tx: _reset(tx, username, hashed, clock, enable=enable))
    return password


def _reset(tx: Transaction, username: str, hashed: str, clock: Clock, *, enable: bool) -> None:
    user = _user(tx, username)
    if not user.is_enabled and not enable:
        raise Misconfigured(f"{user.username} is disabled; --enable lets it in again")
    user.disabled_at = None
    user.password_hash = hashed
    user.token_version += 1
    tables.revoke_sessions(tx, user.id, clock())
    note_offline_work(tx, clock, "bpm users reset-password", {"username": user.username, "enable": enable})


def _user(tx: Transaction, username: str) -> User:
    user = tables.find_user_named(tx.session(None), username)
    if user is None:
        names = [each.username for each in tables.enabled_users(tx.session(None)) if each.kind == "user"]
        near = nearest(username, names)
        raise Misconfigured(f"there is no user {username!r}" + (f"; did you mean {near[0]}?" if near else ""))
    if user.kind == "service":
        raise Misconfigured(f"{user.username} is a service account, which has no password; make an API key for it")
    return user
