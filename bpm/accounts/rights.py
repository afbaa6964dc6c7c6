"""What somebody may do now: the present rights of every account and key that work is done for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bpm.accounts import tables
from bpm.accounts.principals import permissions_of_key, permissions_of_user
from bpm.accounts.ttl_cache import TRUST_SECONDS, TtlCache
from bpm.clock import Clock
from bpm.errors import Forbidden, SwitchedOff
from bpm.security.permissions import (
    ACT,
    INSTALLATION,
    KEY,
    USER,
    Permission,
    Principal,
    grants,
    shared_permissions,
)
from bpm.store import Database, Transaction, organizations

MAX_ID_DIGITS = 18


@dataclass(frozen=True, slots=True)
class PresentAccount:
    """An account or a key as it is now; `refusal` says why nothing may be done for it, if nothing may.

    `rests`: it is refused until its organisation is switched on again.
    """

    name: str
    organization_id: int = 0
    permissions: frozenset[Permission] = frozenset()
    refusal: str = ""
    rests: bool = False
    ends_at: datetime | None = None


Accounts = Mapping[str, PresentAccount]


class PresentRights:
    """Asks what principals may do at the moment; see `bpm.bus.rights.Rights`.

    An answer is kept for under a second, so that a step costs a dictionary look-up for each account. A change counts
    at once in the process that made it (`forget`) and within a second in all others.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take where accounts are stored, and the clock that keys expire by."""
        self._database = database
        self._clock = clock
        self._fresh = TtlCache[PresentAccount]()

    async def present(self, principal: Principal) -> Principal:
        """Return the principal with what it may do now; raises `Forbidden` with the account and the reason."""
        if principal.authority is None:
            return principal
        known, missing = self._known(principal.authority.accounts)
        if missing:
            keep = self._fresh.keeper()
            found = await self._database.read(lambda tx: find_accounts(tx, missing, self._clock()))
            known |= self._kept(found, keep)
        return _present(principal, known)

    def present_in(self, tx: Transaction, principal: Principal) -> Principal:
        """Return the principal with what it may do now, inside a transaction; raises `Forbidden`.

        What a transaction has changed itself and not committed yet is kept for nobody else.
        """
        if principal.authority is None:
            return principal
        known, missing = self._known(principal.authority.accounts)
        if missing:
            keep = self._fresh.keeper()
            found = {id_: tx.remembered(("account", id_), lambda id_=id_: self._find(tx, id_)) for id_ in missing}
            if tx.is_snapshot:
                self._kept(found, keep)
            else:
                tx.after_commit(lambda: self._kept(found, keep))
            known |= found
        return _present(principal, known)

    def who_lacks(self, principal: Principal, permission: Permission, tx: Transaction | None = None) -> str:
        """Say which accounts behind a principal lack a permission, as the end of a sentence.

        Empty for people and keys, whose own refusal it is. In a transaction they are looked up as it sees them.
        """
        if principal.authority is None or principal.kind in ("user", "key"):
            return ""
        known, missing = self._known(principal.authority.accounts)
        if tx is not None:
            known |= {id_: self._find(tx, id_) for id_ in missing}
        names = [repr(account.name) for account in known.values() if not grants(account.permissions, permission)]
        if names:
            return f", which {' and '.join(names)} {'does' if len(names) == 1 else 'do'} not have"
        within = principal.authority.within
        beyond = within is not None and not grants(within, permission)
        return f", which {principal.name!r} did not have when it was saved" if beyond else ""

    def forget(self) -> None:
        """Look everybody up anew."""
        self._fresh.forget()

    def _find(self, tx: Transaction, id_: str) -> PresentAccount:
        return find_accounts(tx, (id_,), self._clock())[id_]

    def _known(self, ids: Iterable[str]) -> tuple[dict[str, PresentAccount], list[str]]:
        """Return the accounts that are known and fresh, and the ids of the others."""
        known: dict[str, PresentAccount] = {}
        missing: list[str] = []
        for id_ in ids:
            account = self._fresh.get(id_)
            if account is None:
                missing.append(id_)
            else:
                known[id_] = account
        return known, missing

    def _kept(self, found: Accounts, keep: Callable[[str, PresentAccount, float], None]) -> Accounts:
        for id_, account in found.items():
            left = (account.ends_at - self._clock()).total_seconds() if account.ends_at is not None else TRUST_SECONDS
            keep(id_, account, left)
        return found


def present_anew(tx: Transaction, principal: Principal, now: datetime) -> Principal:
    """Return the principal with what it may do by what is in the database, whatever was asked a moment ago."""
    if principal.authority is None:
        return principal
    return _present(principal, find_accounts(tx, principal.authority.accounts, now))


def find_accounts(tx: Transaction, ids: Iterable[str], now: datetime) -> dict[str, PresentAccount]:
    """Look accounts and keys up by their principals' ids."""
    return {id_: _find_key(tx, id_, now) if id_.startswith(KEY) else _find_user(tx, id_) for id_ in ids}


def _present(principal: Principal, accounts: Accounts) -> Principal:
    authority = principal.authority
    assert authority is not None
    permissions = authority.within
    for id_ in authority.accounts:
        account = accounts[id_]
        _require(account, principal)
        own = account.permissions
        permissions = own if permissions is None else shared_permissions(permissions, own)
    if permissions is None:
        permissions = frozenset[Permission]()
    return principal if permissions == principal.permissions else replace(principal, permissions=permissions)


def _require(account: PresentAccount, principal: Principal) -> None:
    """Raise `Forbidden` when nothing may be done for an account, or not for the principal's organisation."""
    if account.refusal:
        raise (SwitchedOff if account.rests else Forbidden)(account.refusal)
    if account.organization_id == principal.organization_id:
        return
    if account.organization_id != INSTALLATION or not grants(account.permissions, ACT):
        raise Forbidden(f"{account.name!r} may not act for organisation {principal.organization_id}: it lacks {ACT}")


def _find_user(tx: Transaction, id_: str) -> PresentAccount:
    digits = id_.removeprefix(USER)
    is_id = id_.startswith(USER) and digits.isascii() and digits.isdigit() and len(digits) <= MAX_ID_DIGITS
    row = tables.user_row(tx, int(digits)) if is_id else None
    if row is None:
        return PresentAccount(id_, refusal=f"There is no account {id_!r}")
    refusal, rests = _refusal(tx, row)
    return PresentAccount(row.username, row.organization_id, permissions_of_user(row), refusal, rests)


def _find_key(tx: Transaction, id_: str, now: datetime) -> PresentAccount:
    key = tables.key_row(tx, id_.removeprefix(KEY))
    owner = tables.user_row(tx, key.user_id) if key is not None else None
    if key is None or owner is None:
        return PresentAccount(id_, refusal=f"There is no API key {id_!r}")
    ended = tables.end_of_key(tx, key, now)
    refusal, rests = (ended, False) if ended else _refusal(tx, owner)
    name = f"{owner.username}/{key.name}"
    return PresentAccount(
        name, key.organization_id, permissions_of_key(key, owner), refusal, rests, ends_at=key.expires_at
    )


def _refusal(tx: Transaction, user: tables.UserRow) -> tuple[str, bool]:
    """Return why an account is refused, if it is, and whether that is for its organisation's sake."""
    if user.disabled_at is not None:
        return f"The account {user.username!r} is disabled", False
    if not organizations.is_active(tx, user.organization_id):
        return f"The organisation of the account {user.username!r} is switched off", True
    return "", False
