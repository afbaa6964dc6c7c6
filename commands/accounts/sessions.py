"""The browsers that are signed in to the console, and signing them out."""

from typing import Annotated

from pydantic import Field

from bpm.accounts import Accounts, browser_tables, tables
from bpm.accounts.browser_tables import BrowserSession
from bpm.accounts.lookup import find_account, present_sender
from bpm.accounts.principals import permissions_of_user, require_power_over
from bpm.accounts.tables import User
from bpm.bus import Command, Context, Id, Moment, Page, PagedQuery, Query, View, handles
from bpm.errors import Conflict, Forbidden, NotFound
from bpm.security.permissions import Principal
from commands.accounts.views import UserView

READ, WRITE = "users:read", "users:write"
"""What somebody needs to see, or to end, the sessions of others; their own are everybody's."""

SessionId = Annotated[str, Field(min_length=1, max_length=100)]


class OwnAccountView(View):
    """Who you are: `id` is the principal's, as in `user:7`, `permissions` are what you may do now."""

    id: str
    name: str
    kind: str
    """What you are: a user, a key or another principal."""
    organization_id: int
    permissions: list[str]


class GetOwnAccountQuery(Query[OwnAccountView]):
    """Return who you are, for whom you act and what you may do at this moment."""

    permission = None
    succeeded = "Account retrieved successfully"


@handles
def get_own_account(query: GetOwnAccountQuery, context: Context) -> OwnAccountView:
    """Show the sender."""
    sender = context.principal
    return OwnAccountView(
        id=sender.id,
        name=sender.name,
        kind=sender.kind,
        organization_id=context.organization_id,
        permissions=sorted(sender.permissions),
    )


class SessionView(View):
    """A browser that was signed in: from where, with which program, used when; `isOpen` until it is signed out.

    It ends at `endsAt`, earlier when it is not used.
    """

    id: str
    user_id: int
    """Who was signed in."""
    address: str
    user_agent: str
    """What the browser called itself."""
    created_at: Moment
    used_at: Moment
    """When it was last used."""
    ends_at: Moment
    """When it ends at the latest."""
    ended_at: Moment | None
    is_open: bool
    """Whether it can still be used."""


class GetSessionListQuery(PagedQuery[Page[SessionView]]):
    """List the browsers that are signed in to the console: your own, or with `userId` another user's.

    To see those of others, or with `everybody` of all, needs the permission `users:read`. `isOpen` leaves out those
    that have ended, which are listed for 30 days.
    """

    permission = None
    succeeded = "Sessions retrieved successfully"
    failed = "Sessions not found"

    user_id: Id | None = None
    """Those of this account; your own, if left out."""
    everybody: bool = False
    """Whether those of all accounts are listed."""
    is_open: bool = False
    """Whether those that have ended are left out."""


@handles
def list_sessions(query: GetSessionListQuery, context: Context, accounts: Accounts) -> Page[SessionView]:
    """Return one page."""
    user = _own(context)
    wanted = query.user_id if query.user_id is not None else user.id if user is not None else None
    if (query.everybody or user is None or wanted != user.id) and not context.principal.allows(READ):
        raise Forbidden(f"to see the sessions of others needs the permission {READ}")
    used_after = accounts.browsers.used_since(context.now())
    statement = browser_tables.select_sessions(
        None if query.everybody else wanted, context.now() if query.is_open else None, used_after
    )

    def view(row: BrowserSession) -> SessionView:
        is_open = row.ended_at is None and row.ends_at > context.now() and row.used_at > used_after
        return _to_view(row, is_open=is_open)

    columns = {"usedAt": "used_at", "createdAt": "created_at"}
    return query.page(context, statement, BrowserSession, view, sortable=columns)


class EndSessionCommand(Command[SessionView]):
    """Sign one browser out: one of your own, or with the permission `users:write` another user's."""

    permission = None
    succeeded = "Session ended successfully"
    failed = "Session not ended"

    id: SessionId


@handles
def end_session(command: EndSessionCommand, context: Context, accounts: Accounts) -> SessionView:
    """End it for good."""
    session = browser_tables.find(context.session, command.id)
    user = tables.find_user(context.session, session.user_id) if session is not None else None
    if session is None or user is None:
        raise NotFound("Session not found")
    _require_right(user, context, NotFound("Session not found"))
    if session.ended_at is not None:
        raise Conflict("Session has ended already")
    session.ended_at = context.now()
    context.after_commit(accounts.forget)
    return _to_view(session, is_open=False)


class EndAllSessionsCommand(Command[UserView]):
    """Sign out everywhere: every browser and every token of yours, or with `users:write` of another user, `userId`.

    API keys go on; `RevokeApiKeyCommand` ends them.
    """

    permission = None
    succeeded = "All sessions ended successfully"
    failed = "Sessions not ended"

    user_id: Id | None = None
    """Whom to sign out; yourself, if left out."""


@handles
def end_all_sessions(command: EndAllSessionsCommand, context: Context, accounts: Accounts) -> UserView:
    """End browsers and tokens."""
    user = _own(context) if command.user_id is None else tables.find_user(context.session, command.user_id)
    if user is None:
        raise NotFound("User not found")
    _require_right(user, context, Forbidden(f"to end the sessions of others needs the permission {WRITE}"))
    user.token_version += 1
    tables.revoke_sessions(context.tx, user.id, context.now())
    context.after_commit(accounts.forget)
    return UserView.model_validate(user)


def _to_view(row: BrowserSession, *, is_open: bool) -> SessionView:
    return SessionView(**row.model_dump(exclude={"hash", "organization_id"}), is_open=is_open)


def _own(context: Context) -> User | None:
    """Return the user who is signed in; an API key, a rule or a process is nobody's sign-in."""
    user, key = find_account(context.session, context.principal.id)
    return user if key is None else None


def _require_right(user: User, context: Context, refusal: Forbidden | NotFound) -> None:
    """Raise the `refusal` unless the sessions are the sender's own or it may change the user."""
    sender: Principal = present_sender(context)
    own = _own(context)
    if own is not None and own.id == user.id:
        return
    if not sender.allows(WRITE):
        raise refusal
    require_power_over(sender, permissions_of_user(user), user.username)
