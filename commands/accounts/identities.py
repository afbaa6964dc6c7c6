"""Which accounts of the provider of single sign-on sign in as which users here.

Whoever holds a connected account comes in as the user: to connect is to hand on everything that the user may do.
"""

from typing import Annotated

from pydantic import Field

from bpm.accounts import Accounts, identity_tables, tables
from bpm.accounts.identity_tables import ExternalIdentity
from bpm.accounts.lookup import present_sender
from bpm.accounts.makers import maker_of, require_lasting
from bpm.accounts.principals import permissions_of_user, require_power_over
from bpm.accounts.rights import find_accounts
from bpm.accounts.tables import User
from bpm.bus import Command, Context, Id, Moment, Page, PagedQuery, View, handles
from bpm.errors import Conflict, Forbidden, Invalid, NotFound
from bpm.security.permissions import INSTALLATION
from bpm.settings import Settings

Subject = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]


class IdentityView(View):
    """An account of the provider of single sign-on that signs in as a user here."""

    id: int
    user_id: int
    """As whom it signs in."""
    issuer: str
    """The provider, by its issuer."""
    subject: str
    """The account's id at the provider."""
    created_at: Moment
    used_at: Moment | None
    """When somebody last signed in with it."""
    created_by: str | None
    """The id of the principal that connected it; null where the first sign-in made the user."""


class LinkIdentityCommand(Command[IdentityView]):
    """Connect an account of the provider of single sign-on (`BPM_OIDC__ISSUER`) with a user, who signs in by it.

    `subject` is the account's id at the provider, the claim `sub` of its ID tokens: when somebody was refused who is
    not known, the server's log has it. The provider is the installation's, so that only its accounts connect.
    """

    permission = "users:write"
    succeeded = "Identity linked successfully"
    failed = "Identity not linked"

    user_id: Id
    """The user, who is a person."""
    subject: Subject
    """The account's id at the provider."""


@handles
def link_identity(command: LinkIdentityCommand, context: Context, settings: Settings) -> IdentityView:
    """Connect, unless the account is somebody's already."""
    _require_installation(context)
    user = _changeable_user(command.user_id, context)
    issuer = settings.oidc.issuer
    if issuer is None:
        raise Conflict("there is no single sign-on here; BPM_OIDC__ISSUER sets it up")
    require_lasting(context, "connect an account")
    if user.kind != "user":
        raise Invalid("userId: is a service account, which uses API keys")
    if identity_tables.find_identity(context.tx, issuer, command.subject) is not None:
        raise Conflict("This account of the provider signs in as a user already")
    row = ExternalIdentity(
        organization_id=user.organization_id,
        user_id=user.id,
        issuer=issuer,
        subject=command.subject,
        created_at=context.now(),
        created_by=maker_of(context.principal),
    )
    context.session.add(row)
    context.session.flush()
    return IdentityView.model_validate(row)


class UnlinkIdentityCommand(Command[IdentityView]):
    """Disconnect an account of the provider: it signs in no more, and its user is signed out everywhere.

    Where users are made at their first sign-in (`BPM_OIDC__CREATE_USERS`), disable the user to keep somebody out.
    """

    permission = "users:write"
    succeeded = "Identity unlinked successfully"
    failed = "Identity not unlinked"

    id: Id


@handles
def unlink_identity(command: UnlinkIdentityCommand, context: Context, accounts: Accounts) -> IdentityView:
    """Forget the account."""
    identity = identity_tables.find(context.session, command.id)
    if identity is None:
        raise NotFound("Identity not found")
    user = _changeable_user(identity.user_id, context)
    view = IdentityView.model_validate(identity)
    context.session.delete(identity)
    user.token_version += 1
    tables.revoke_sessions(context.tx, user.id, context.now())
    context.after_commit(accounts.forget)
    return view


class GetIdentityListQuery(PagedQuery[Page[IdentityView]]):
    """List the accounts of the provider of single sign-on that sign in as users here."""

    permission = "users:read"
    succeeded = "Identities retrieved successfully"

    user_id: Id | None = None
    """Those of this user; all, if left out."""


@handles
def list_identities(query: GetIdentityListQuery, context: Context) -> Page[IdentityView]:
    """Return one page."""
    statement = identity_tables.select_identities(query.user_id)
    columns = {"createdAt": "created_at", "id": "id", "usedAt": "used_at"}
    return query.page(context, statement, ExternalIdentity, IdentityView.model_validate, sortable=columns)


def _require_installation(context: Context) -> None:
    """Raise `Forbidden` for an organisation's own accounts, which could take another's account for one of theirs."""
    behind = find_accounts(context.tx, context.principal.standing.accounts, context.now())
    if any(account.organization_id != INSTALLATION for account in behind.values()):
        raise Forbidden("the provider is the installation's: only its accounts connect those of the provider")


def _changeable_user(user_id: int, context: Context) -> User:
    sender = present_sender(context)
    user = tables.find_user(context.session, user_id)
    if user is None:
        raise NotFound("User not found")
    require_power_over(sender, permissions_of_user(user), user.username)
    return user
