"""From an account at a provider to a session here: whose it is, what they may do, and whether they may come in."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

import structlog

from bpm.accounts import browser_tables, identity_tables, tables
from bpm.accounts.browser_sessions import BrowserCaller, BrowserSessions, OpenedSession
from bpm.accounts.checks import check_username
from bpm.accounts.id_tokens import IdToken
from bpm.accounts.identity_tables import ExternalIdentity
from bpm.accounts.limits import require_room
from bpm.accounts.tables import User
from bpm.clock import Clock
from bpm.errors import Invalid, Unauthenticated
from bpm.security.permissions import INSTALLATION
from bpm.settings import Settings
from bpm.store import Database, Transaction, organizations
from bpm.store.named_lock import take_named_lock

log = structlog.get_logger("bpm.accounts")


class SignInProblem(StrEnum):
    """Why somebody whom the provider knows does not come in, or the provider was not asked to the end."""

    REFUSED = "refused"
    STALE = "stale"
    UNPROVEN = "unproven"
    UNAVAILABLE = "unavailable"
    BUSY = "busy"
    UNKNOWN = "unknown"
    NAME = "name"
    NO_ROLE = "no-role"
    GROUPS = "groups"
    DISABLED = "disabled"
    FULL = "full"


class _Entry(NamedTuple):
    """What a transaction came to: it commits in either case, because roles may have been taken away."""

    opened: OpenedSession | None = None
    problem: SignInProblem | None = None


class SingleSignOn:
    """Opens sessions for accounts of the provider.

    An account is recognised by issuer and subject alone. Where the settings give roles to groups, a user's roles are
    those of the groups that the provider names at each sign-in; whoever has none left is signed out everywhere.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        browsers: BrowserSessions,
        clock: Clock,
        changed: Callable[[], object],
    ) -> None:
        """Take the parts; `changed` is called once another user, or other roles, are on disk."""
        self._database = database
        self._settings = settings
        self._browsers = browsers
        self._clock = clock
        self._changed = changed

    async def sign_in(self, token: IdToken, sign_in_hash: str, caller: BrowserCaller) -> OpenedSession | SignInProblem:
        """Open a session for whom the token names; `sign_in_hash` stands for this sign-in, which counts once."""
        entry = await self._database.write(lambda tx: self._enter(tx, token, sign_in_hash, caller))
        if entry.opened is not None:
            return entry.opened
        problem = entry.problem or SignInProblem.REFUSED
        log.warning(
            "single sign-on refused", reason=problem, issuer=token.issuer, subject=token.subject, address=caller.address
        )
        return problem

    def _enter(self, tx: Transaction, token: IdToken, sign_in_hash: str, caller: BrowserCaller) -> _Entry:
        take_named_lock(tx, "accounts")
        if browser_tables.has_signed_in(tx, sign_in_hash):
            return _Entry(problem=SignInProblem.STALE)
        identity = identity_tables.find_identity(tx, token.issuer, token.subject)
        found = self._create(tx, token, caller) if identity is None else self._known(tx, identity, token, caller)
        if isinstance(found, SignInProblem):
            return _Entry(problem=found)
        user, identity = found
        identity_tables.touch(tx, identity.id, self._clock())
        try:
            return _Entry(self._browsers.open(tx, user, caller, identity.id, sign_in_hash))
        except Unauthenticated:  # the organisation is switched off
            return _Entry(problem=SignInProblem.DISABLED)

    def _known(
        self, tx: Transaction, identity: ExternalIdentity, token: IdToken, caller: BrowserCaller
    ) -> tuple[User, ExternalIdentity] | SignInProblem:
        user = tables.find_user(tx.session(None), identity.user_id)
        if user is None or not user.is_enabled:
            return SignInProblem.DISABLED
        if not self._settings.oidc.roles:
            return user, identity
        roles = self._roles(token.groups)
        if roles != sorted(user.roles):
            self._browsers.note(tx, "SingleSignOnRoles", user, caller, {"former": user.roles, "roles": roles})
            user.roles = roles
            tx.session(None).flush()
            tx.forget()
            tx.after_commit(self._changed)
        if roles:
            return user, identity
        user.token_version += 1
        tables.revoke_sessions(tx, user.id, self._clock())
        tx.after_commit(self._changed)
        return SignInProblem.NO_ROLE

    def _create(
        self, tx: Transaction, token: IdToken, caller: BrowserCaller
    ) -> tuple[User, ExternalIdentity] | SignInProblem:
        """Make a user of whoever is not known yet, where the settings allow it."""
        oidc, roles = self._settings.oidc, self._roles(token.groups)
        if not oidc.create_users:
            return SignInProblem.UNKNOWN
        if oidc.roles and not roles:
            return SignInProblem.NO_ROLE
        problem = self._obstacle(tx, token.username)
        if problem is not None:
            return problem
        session, now = tx.session(oidc.organization_id), self._clock()
        user = User(username=token.username, roles=roles, created_at=now)
        session.add(user)
        session.flush()
        identity = ExternalIdentity(user_id=user.id, issuer=token.issuer, subject=token.subject, created_at=now)
        session.add(identity)
        session.flush()
        fields = {"username": user.username, "roles": roles, "subject": token.subject}
        self._browsers.note(tx, "SingleSignOnUser", user, caller, fields)
        return user, identity

    def _obstacle(self, tx: Transaction, username: str) -> SignInProblem | None:
        """Say why there can't be a new user of this name; one that is there is never taken for the same person."""
        organization_id = self._settings.oidc.organization_id
        if organization_id != INSTALLATION and organizations.organization(tx, organization_id) is None:
            return SignInProblem.DISABLED
        try:
            check_username(username)
        except ValueError:
            return SignInProblem.NAME
        if tables.username_is_taken(tx, username):
            return SignInProblem.NAME
        try:
            require_room(tx, organization_id, "users", tables.count_users, self._settings)
        except Invalid:
            return SignInProblem.FULL
        return None

    def _roles(self, groups: Iterable[str]) -> list[str]:
        given = self._settings.oidc.roles
        return sorted({role for group in groups for role in given.get(group, ())})
