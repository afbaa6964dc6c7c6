"""Authenticates callers, and keeps their accounts."""

import asyncio
from datetime import datetime, timedelta

import structlog

from bpm.accounts import tables
from bpm.accounts.acting import acting_for
from bpm.accounts.browser_sessions import BrowserSessions
from bpm.accounts.checks import check_password, check_username
from bpm.accounts.keys import PREFIX, KeyText, parse_key
from bpm.accounts.lookup import find_key_and_owner, require_active
from bpm.accounts.principals import principal_of_key, principal_of_user
from bpm.accounts.rights import PresentRights
from bpm.accounts.sessions import Sessions
from bpm.accounts.single_sign_on import SingleSignOn
from bpm.accounts.tables import ApiKey, User
from bpm.accounts.ttl_cache import TRUST_SECONDS, TtlCache
from bpm.accounts.uses import Uses
from bpm.clock import Clock, system_clock
from bpm.errors import Misconfigured, Unauthenticated
from bpm.security.passwords import Passwords, generate_password
from bpm.security.permissions import Principal
from bpm.security.tokens import AccessClaims, AccessTokens, TokenError
from bpm.settings import Settings
from bpm.store import Database, Transaction, organizations
from bpm.store.named_lock import take_named_lock

log = structlog.get_logger("bpm.accounts")


class Accounts:
    """Users and service accounts, their tokens and keys.

    What was looked up is kept for under a second, so that the usual request costs one dictionary look-up; a
    change counts at once in the process that made it (`forget`) and within a second in all others.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        key: bytes,
        clock: Clock = system_clock,
        accepted_key: bytes | None = None,
    ) -> None:
        """Take the database, the installation's key, the clock, and the key that is accepted beside the first."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._tokens = AccessTokens(key, timedelta(seconds=settings.access_token_seconds), accepted_key)
        self._callers = TtlCache[Principal]()
        self.rights = PresentRights(database, clock)
        self._key_uses = Uses(database, "an API key", tables.touch_api_key)
        self.passwords = Passwords()
        self.sessions = Sessions(database, settings, self.passwords, self._tokens, clock, self.forget)
        self.browsers = BrowserSessions(database, settings, self.sessions, self.rights, clock, self.forget)
        self.single_sign_on = SingleSignOn(database, settings, self.browsers, clock, self.forget)

    async def authenticate(self, authorization: str | None, address: str) -> Principal:
        """Return who sends this `Authorization` header: a bearer access token or an API key.

        Raises `Unauthenticated`, with a sentence that says what to do.
        """
        return self._callers.get(authorization) or await self._recognise(authorization, address)

    async def acting_for(self, principal: Principal, organization_id: int) -> Principal:
        """Return somebody as they act for another organisation; raises `Forbidden` and `NotFound`."""
        present = await self.rights.present(principal)
        return await self._database.read(lambda tx: acting_for(tx, present, organization_id))

    async def ensure_administrator(self) -> str | None:
        """Create the first administrator when there are no users yet.

        Returns the password if it was generated, to be shown once; None if it was configured or there was
        nothing to do. Raises `Misconfigured` for a user name or password that can't be accepted.
        """
        await self._database.write(lambda tx: organizations.ensure_installation(tx, self._clock()))
        configured = self._settings.admin_password
        if await self._database.read(tables.has_users):
            if configured is not None:
                log.info(
                    "BPM_ADMIN_PASSWORD is not looked at: there are users; `bpm users reset-password` sets a new one"
                )
            return None
        password = configured.get_secret_value() if configured is not None else generate_password()
        self._check_administrator(password)
        hashed = await self.passwords.hash(password)
        created = await self._database.write(lambda tx: self._add_administrator(tx, hashed))
        return password if created and configured is None else None

    def forget(self) -> None:
        """Look everybody up anew; called when an account, a token or a key was changed."""
        self._callers.forget()
        self.browsers.forget()
        self.rights.forget()

    async def stop(self) -> None:
        """Finish writing down which keys and sessions were used; call it before the database stops."""
        await asyncio.gather(self._key_uses.stop(), self.browsers.stop())

    async def _recognise(self, authorization: str | None, address: str) -> Principal:
        try:
            token = _bearer(authorization)
            keep = self._callers.keeper()
            principal, end = await (self._by_key(token) if token.startswith(PREFIX) else self._by_token(token))
        except Unauthenticated as error:
            log.info("authentication refused", address=address, reason=str(error))
            raise
        seconds = (end - self._clock()).total_seconds() if end is not None else TRUST_SECONDS
        keep(authorization or "", principal, seconds)
        return principal

    async def _by_token(self, token: str) -> tuple[Principal, datetime | None]:
        try:
            claims = self._tokens.verify(token, self._clock())
        except TokenError as error:
            raise Unauthenticated(str(error)) from None

        def found(tx: Transaction) -> Principal:
            user = _signed_in(tx, claims)
            if not self.sessions.takes_password_of(user):
                raise Unauthenticated("Passwords open one account alone here; use an API key")
            return self.rights.present_in(tx, principal_of_user(user))

        return await self._database.read(found), claims.expires_at

    async def _by_key(self, token: str) -> tuple[Principal, datetime | None]:
        text = parse_key(token)
        now = self._clock()
        key, owner = await self._database.read(lambda tx: _valid_key(tx, text, now))
        self._key_uses.note(key.id, key.last_used_at, now)
        return principal_of_key(key, owner), key.expires_at

    def _check_administrator(self, password: str) -> None:
        try:
            check_username(self._settings.admin_username)
        except ValueError as error:
            raise Misconfigured(f"BPM_ADMIN_USERNAME {error}") from None
        try:
            check_password(password)
        except ValueError as error:
            raise Misconfigured(f"BPM_ADMIN_PASSWORD {error}") from None

    def _add_administrator(self, tx: Transaction, hashed: str) -> bool:
        """Add the administrator unless another process was faster; tell whether it was added."""
        take_named_lock(tx, "first administrator")
        if tables.has_users(tx):
            return False
        username = self._settings.admin_username
        user = User(username=username, password_hash=hashed, roles=["admin"], created_at=self._clock())
        tx.session(None).add(user)
        return True


def _signed_in(tx: Transaction, claims: AccessClaims) -> User:
    user = tables.find_signed_in(tx, claims.user_id, claims.family)
    if user is None or not user.is_enabled or user.token_version != claims.version:
        raise Unauthenticated("The access token was revoked; sign in again")
    require_active(tx, user)
    return user


def _valid_key(tx: Transaction, text: KeyText | None, now: datetime) -> tuple[ApiKey, User]:
    found = find_key_and_owner(tx.session(None), text) if text is not None else None
    if found is None or tables.end_of_key(tx, found[0], now) or not found[1].is_enabled:
        raise Unauthenticated("The API key is wrong, expired or revoked")
    require_active(tx, found[1])
    return found


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Authorization: must be Bearer and an access token or an API key")
    return token.strip()
