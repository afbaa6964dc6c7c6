"""Who made an account or a key, and what a key leaves behind when it ends."""

from collections.abc import Iterable
from datetime import datetime

from bpm.accounts import tables
from bpm.bus import Context
from bpm.errors import Forbidden
from bpm.security.permissions import KEY, USER, Principal
from bpm.store import Transaction

MAX_GENERATIONS = 10
"""How many keys may have made one another."""


def maker_of(sender: Principal) -> str:
    """Return the principal's id under which something is listed as made: the sender's key, if it acts for one."""
    return next((id_ for id_ in sender.standing.accounts if id_.startswith(KEY)), sender.id)


def keys_of(sender: Principal) -> list[str]:
    """Return the ids of the API keys that a sender acts for, without what marks them as keys."""
    return [id_.removeprefix(KEY) for id_ in sender.standing.accounts if id_.startswith(KEY)]


def people_behind(tx: Transaction, accounts: Iterable[str]) -> set[str]:
    """Return the ids of the users behind accounts: of a key its owner and, key by key, who made it."""
    waiting, seen = list(accounts), set[str]()
    while waiting:
        account = waiting.pop()
        if account in seen:
            continue
        seen.add(account)
        row = tables.key_row(tx, account.removeprefix(KEY)) if account.startswith(KEY) else None
        if row is not None:
            waiting += [f"{USER}{row.user_id}", *([row.created_by] if row.created_by else [])]
    return {account for account in seen if account.startswith(USER)}


def ends_with(tx: Transaction, sender: Principal) -> list[str]:
    """Return the keys that a key ends with which this sender makes; raises `Forbidden` after ten generations."""
    keys = keys_of(sender)
    rows = [tables.key_row(tx, id_) for id_ in keys]
    keys += [id_ for row in rows if row is not None for id_ in row.ends_with or ()]
    if len(set(keys)) > MAX_GENERATIONS:
        raise Forbidden(f"more than {MAX_GENERATIONS} API keys made one another; make this one signed in as a user")
    return list(dict.fromkeys(keys))


def end_of(tx: Transaction, sender: Principal) -> datetime | None:
    """Return when a sender ends that acts for API keys: with the first of them; None for never."""
    rows = [tables.key_row(tx, id_) for id_ in keys_of(sender)]
    return min((row.expires_at for row in rows if row is not None and row.expires_at is not None), default=None)


def require_lasting(context: Context, what: str) -> None:
    """Raise `Forbidden` for a key that expires: accounts, and what they may do, would outlive it."""
    if end_of(context.tx, context.principal) is not None:
        raise Forbidden(f"an API key that expires can't {what}, which would outlive it; use a key without an end")
