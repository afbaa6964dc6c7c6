"""Browsers that are signed in: a random cookie, kept as its SHA-256, that goes on while it is used."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bpm.accounts import browser_tables, identity_tables, tables
from bpm.accounts.browser_tables import BrowserSession
from bpm.accounts.keys import digest
from bpm.accounts.lookup import require_active
from bpm.accounts.principals import principal_of_user
from bpm.accounts.rights import PresentRights
from bpm.accounts.sessions import Sessions, wrong_credentials
from bpm.accounts.tables import User
from bpm.accounts.ttl_cache import TRUST_SECONDS, TtlCache
from bpm.accounts.uses import Uses
from bpm.bus.audit import Audit
from bpm.bus.tables import AUDIT
from bpm.clock import Clock
from bpm.errors import Unauthenticated
from bpm.security.identifiers import new_id
from bpm.security.permissions import Principal
from bpm.settings import Settings
from bpm.store import Database, Transaction

KEPT_AFTER_END = timedelta(days=30)
"""How long a session is still listed after its time."""
MOST_PER_USER = 20
"""How many browsers one user may be signed in with; the one that was used longest ago is signed out."""
MAX_USER_AGENT = 300


@dataclass(frozen=True, slots=True)
class BrowserCaller:
    """Where a request comes from: the client's address, what its browser calls itself, and the request's id."""

    address: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What a browser is given: the `cookie`, which is stored nowhere, and what it may know of its session."""

    cookie: str
    id: str
    username: str
    ends_at: datetime


class BrowserSessions:
    """Opens, recognises and ends the sessions of browsers; each opening and ending leaves a line in the audit log."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sessions: Sessions,
        rights: PresentRights,
        clock: Clock,
        changed: Callable[[], object],
    ) -> None:
        """Take the parts; `sessions` verifies passwords, `changed` is called once an ending is on disk."""
        self._database = database
        self._sessions = sessions
        self._rights = rights
        self._clock = clock
        self._changed = changed
        self._idle = timedelta(seconds=settings.console.idle_seconds)
        self._lifetime = timedelta(seconds=settings.console.session_seconds)
        self._issuer = settings.oidc.issuer
        self._callers = TtlCache[Principal]()
        self._uses = Uses(database, "a browser session", browser_tables.touch)
        self._audit = Audit(clock)

    async def sign_in(self, username: str, password: str, former: str | None, caller: BrowserCaller) -> OpenedSession:
        """Exchange a password for a new session, and end the one of the `former` cookie; raises as `Sessions.verify`.

        The cookie is always a new one: whoever made a browser bring one along knows nothing afterwards.
        """
        user = await self._sessions.verify(username, password, caller.address)
        return await self._database.write(lambda tx: self._open_verified(tx, user, former, caller))

    async def recognise(self, cookie: str, *, is_use: bool = True) -> Principal:
        """Return who a cookie belongs to; raises `Unauthenticated`.

        What a page asks by itself, with nobody before it, is no use: the session ends in spite of it.
        """
        hashed = digest(cookie)
        known = self._callers.get(hashed)
        if known is not None:
            return known
        keep = self._callers.keeper()
        session, principal = await self._database.read(lambda tx: self._find(tx, hashed))
        if not is_use:  # nor is it kept: a use that found it would not be noted
            return principal
        now = self._clock()
        self._uses.note(session.id, session.used_at, now)
        left = min(session.ends_at, session.used_at + self._idle) - now
        keep(hashed, principal, min(left.total_seconds(), TRUST_SECONDS))
        return principal

    async def sign_out(self, cookie: str, caller: BrowserCaller) -> None:
        """End the session of a cookie; one that is not known ends nothing."""
        await self._database.write(lambda tx: self._end(tx, cookie, caller))

    def used_since(self, now: datetime) -> datetime:
        """Return since when a session must have been used to be open."""
        return now - self._idle

    def forget(self) -> None:
        """Look everybody up anew."""
        self._callers.forget()

    async def stop(self) -> None:
        """Finish writing down which sessions were used."""
        await self._uses.stop()

    def open(
        self,
        tx: Transaction,
        user: User,
        caller: BrowserCaller,
        identity_id: int | None = None,
        sign_in_hash: str | None = None,
    ) -> OpenedSession:
        """Open a session for somebody who has proven who they are, maybe at a provider; raises `Unauthenticated`."""
        require_active(tx, user)
        now = self._clock()
        browser_tables.prune(tx, now - KEPT_AFTER_END)
        browser_tables.end_oldest(tx, user.id, MOST_PER_USER - 1, now)
        cookie = secrets.token_urlsafe(32)
        row = BrowserSession(
            id=new_id(),
            organization_id=user.organization_id,
            user_id=user.id,
            hash=digest(cookie),
            address=caller.address,
            user_agent=caller.user_agent[:MAX_USER_AGENT],
            created_at=now,
            used_at=now,
            ends_at=now + self._lifetime,
            identity_id=identity_id,
            sign_in_hash=sign_in_hash,
        )
        tx.session(None).add(row)
        self.note(tx, "ConsoleSignIn", user, caller)
        return OpenedSession(cookie, row.id, user.username, row.ends_at)

    def _open_verified(
        self, tx: Transaction, verified: User, former: str | None, caller: BrowserCaller
    ) -> OpenedSession:
        tables.lock_sign_ins(tx, verified.id)
        user = tables.find_user(tx.session(None), verified.id)
        if user is None or not user.is_enabled or user.token_version != verified.token_version:
            raise wrong_credentials()
        if former is not None:
            self._end(tx, former, caller)
        return self.open(tx, user, caller)

    def _find(self, tx: Transaction, hashed: str) -> tuple[BrowserSession, Principal]:
        session, now = browser_tables.find_by_hash(tx, hashed), self._clock()
        if session is None or session.ended_at is not None:
            raise Unauthenticated("You are signed out; sign in again")
        if session.ends_at <= now or session.used_at + self._idle <= now:
            raise Unauthenticated("Your session has ended because its time was over; sign in again")
        user = tables.find_user(tx.session(None), session.user_id)
        if user is None or not user.is_enabled or not self._counts_still(tx, session, user):
            raise Unauthenticated("You are signed out; sign in again")
        require_active(tx, user)
        return session, self._rights.present_in(tx, principal_of_user(user))

    def _counts_still(self, tx: Transaction, session: BrowserSession, user: User) -> bool:
        """Tell whether a user may still sign in as was done for this session."""
        if session.identity_id is None:
            return self._sessions.takes_password_of(user)
        return identity_tables.is_of_issuer(tx, session.identity_id, self._issuer)

    def _end(self, tx: Transaction, cookie: str, caller: BrowserCaller) -> None:
        session = browser_tables.find_by_hash(tx, digest(cookie))
        if session is None or session.ended_at is not None:
            return
        session.ended_at = self._clock()
        tx.after_commit(self._changed)
        user = tables.find_user(tx.session(None), session.user_id)
        if user is not None:
            self.note(tx, "ConsoleSignOut", user, caller)

    def note(self, tx: Transaction, what: str, user: User, caller: BrowserCaller, fields: Any = None) -> None:
        """Leave a line in the audit log about a user who signs in or out."""
        line = self._audit.line(principal_of_user(user), what, caller.request_id, caller.address, None)
        tx.append(AUDIT, {**line, "fields": fields})
