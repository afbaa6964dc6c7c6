"""Signing in with a password, going on with a refresh token, signing out.

Refresh tokens rotate: each is good for one use, and using one twice ends everything that came from that
sign-in, because one of the two users must have stolen it (RFC 9700, section 4.14.2).
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bpm.accounts import tables
from bpm.accounts.attempts import SignInAttempts
from bpm.accounts.keys import digest
from bpm.accounts.lookup import require_active
from bpm.accounts.tables import RefreshToken, User
from bpm.clock import Clock
from bpm.errors import Overloaded, Unauthenticated
from bpm.security.identifiers import new_id
from bpm.security.passwords import Passwords, is_outdated
from bpm.security.tokens import AccessTokens, TokenError
from bpm.settings import Settings
from bpm.store import Database, Transaction

MAX_WAITING = 100
KEPT_AFTER_EXPIRY = timedelta(days=1)

log = structlog.get_logger("bpm.accounts")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a sign-in gives: an access token for `expires_in` seconds, and a refresh token for one use."""

    access_token: str
    refresh_token: str
    expires_in: int


class Sessions:
    """Opens, continues and ends sign-ins; calls `changed` once a revocation is on disk."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        passwords: Passwords,
        tokens: AccessTokens,
        clock: Clock,
        changed: Callable[[], object],
    ) -> None:
        """Take the parts; the settings say how long a refresh token holds."""
        self._database = database
        self._lifetime = timedelta(seconds=settings.refresh_token_seconds)
        self._passwords = passwords
        self._tokens = tokens
        self._clock = clock
        self._changed = changed
        self._attempts = SignInAttempts()
        self._break_glass_user = settings.oidc.break_glass_user

    async def sign_in(self, username: str, password: str, address: str) -> TokenPair:
        """Exchange a password for tokens; raises what `verify` raises."""
        user = await self.verify(username, password, address)
        return await self._database.write(lambda tx: self._open(tx, user))

    def takes_password_of(self, user: User) -> bool:
        """Tell whether a user may sign in with a password, as the settings have it."""
        return self._break_glass_user is None or user.username.lower() == self._break_glass_user.lower()

    async def verify(self, username: str, password: str, address: str) -> User:
        """Return the user to whom name and password belong.

        Raises `Unauthenticated`, in the same words and after the same time whether or not the user exists,
        `RateLimited` after too many tries, and `Overloaded` when too many others wait. A few tries too many are
        slowed down rather than refused: whoever knows the password gets in although a stranger guesses.
        """
        if self._passwords.waiting >= MAX_WAITING and not self._attempts.is_known(username, address):
            raise Overloaded("Too many people sign in just now; try again in a moment")
        await asyncio.sleep(self._attempts.begin(username, address))
        user = await self._database.read(lambda tx: tables.find_user_named(tx.session(None), username))
        known = user.password_hash if user is not None and self.takes_password_of(user) else None
        right = await self._passwords.verify(known, password)
        if user is None or known is None or not right or not user.is_enabled:
            log.warning("sign-in refused", user=user.id if user is not None else None, address=address)
            raise wrong_credentials(is_for_one=self._break_glass_user is not None)
        self._attempts.succeeded(username, address)
        if is_outdated(known):
            await self._renew_hash(user, known, password)
        return user

    async def refresh(self, refresh_token: str) -> TokenPair:
        """Exchange a refresh token for a new pair; raises `Unauthenticated`, for a used one after revoking."""
        hashed = digest(refresh_token)
        # whoever makes tokens up does not keep the writer busy
        is_known = await self._database.read(lambda tx: tables.find_refresh_token(tx, hashed) is not None)
        tokens = await self._database.write(lambda tx: self._rotate(tx, hashed)) if is_known else None
        if tokens is None:
            raise Unauthenticated(
                "The refresh token is wrong, expired, revoked or already used; sign in again",
                message="Wrong refresh token",
            )
        return tokens

    async def revoke(self, token: str) -> None:
        """End the sign-in that a refresh or access token belongs to; a token that is not ours ends nothing."""
        await self._database.write(lambda tx: self._revoke(tx, token))

    def _open(self, tx: Transaction, verified: User) -> TokenPair:
        tables.lock_sign_ins(tx, verified.id)
        user = tables.find_user(tx.session(None), verified.id)
        if user is None or not user.is_enabled or user.token_version != verified.token_version:
            raise wrong_credentials()
        now = self._clock()
        tables.prune_refresh_tokens(tx, now - KEPT_AFTER_EXPIRY)
        return self._issue(tx, user, new_id(), now)

    def _rotate(self, tx: Transaction, hashed: str) -> TokenPair | None:
        """Return the next pair; None commits too, because a theft must be written down."""
        now = self._clock()
        known = tables.find_refresh_token(tx, hashed)
        if known is None:
            return None
        if known.used_at is not None:
            self._end(tx, known.user_id, known.family, now)
            log.warning("refresh token used twice, its sign-in is revoked", user=known.user_id)
            return None
        user = tables.find_user(tx.session(None), known.user_id)
        if known.revoked_at is not None or known.expires_at <= now or user is None or not user.is_enabled:
            return None
        if not self.takes_password_of(user):  # there is no other way to a refresh token
            return None
        known.used_at = now
        return self._issue(tx, user, known.family, now)

    def _issue(self, tx: Transaction, user: User, family: str, now: datetime) -> TokenPair:
        require_active(tx, user)
        refresh_token = secrets.token_urlsafe(32)
        row = RefreshToken(
            organization_id=user.organization_id,
            user_id=user.id,
            hash=digest(refresh_token),
            family=family,
            created_at=now,
            expires_at=now + self._lifetime,
        )
        tx.session(None).add(row)
        access_token = self._tokens.issue(user.id, user.token_version, family, now)
        return TokenPair(access_token, refresh_token, int(self._tokens.lifetime.total_seconds()))

    def _revoke(self, tx: Transaction, token: str) -> None:
        now = self._clock()
        known = tables.find_refresh_token(tx, digest(token))
        if known is not None:
            self._end(tx, known.user_id, known.family, now)
            return
        try:
            claims = self._tokens.verify(token, now)
        except TokenError:
            return
        self._end(tx, claims.user_id, claims.family, now)

    def _end(self, tx: Transaction, user_id: int, family: str, now: datetime) -> None:
        tables.revoke_family(tx, user_id, family, now)
        tx.after_commit(self._changed)

    async def _renew_hash(self, user: User, known: str, password: str) -> None:
        renewed = await self._passwords.hash(password)
        await self._database.write(lambda tx: tables.store_password_hash(tx, user.id, known, renewed))


def wrong_credentials(*, is_for_one: bool = False) -> Unauthenticated:
    """Return the one refusal of every wrong name and password; `is_for_one` where one user alone has a password."""
    told = "The username or the password is wrong"
    if is_for_one:
        told += "; a password opens one account alone here, everybody else uses single sign-on or an API key"
    return Unauthenticated(told, message="Wrong username or password")
