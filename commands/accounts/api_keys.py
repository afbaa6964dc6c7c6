"""API keys: what machines send instead of an access token.

A key may never do more than whoever made it, nor more than its owner.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from bpm.accounts import Accounts, tables
from bpm.accounts.acting import acting_for
from bpm.accounts.checks import check_scope
from bpm.accounts.keys import generate_key
from bpm.accounts.lookup import find_account, present_sender
from bpm.accounts.makers import end_of, ends_with, maker_of
from bpm.accounts.principals import (
    permissions_of_user,
    principal_of_key,
    principal_of_user,
    require_held,
    require_power_over,
)
from bpm.accounts.tables import ApiKey, User
from bpm.bus import Command, Context, Id, Page, PagedQuery, handles
from bpm.bus.paging import When
from bpm.clock import wire_time
from bpm.errors import Conflict, Invalid, NotFound
from bpm.security.permissions import KEY, Principal, permissions_in_dialects, permissions_of_scopes
from bpm.store.session import ScopedSession
from commands.accounts.views import ApiKeyView, CreatedApiKeyView, MakerId, RevokedApiKeyView, UserView

Scopes = Annotated[list[Annotated[str, AfterValidator(check_scope)]], Field(min_length=1, max_length=200)]
KeyId = Annotated[str, Field(min_length=1, max_length=200)]


class CreateApiKeyCommand(Command[CreatedApiKeyView]):
    """Create an API key for yourself or, with `userId`, for another account; the key is shown this once.

    It may do what its `scopes` and its owner's permissions both allow, until `expiresAt` (never, if left out). Scopes
    are permissions, or what the REST interfaces call theirs: `webhooks`, `webhooks.read`, `webhooks.write`. A key
    that is made with a key ends with it. The other account may not do more than you. An account of the installation
    may name the owner's `organizationId`.
    """

    permission = "users:write"
    succeeded = "API key created successfully"
    failed = "Validation failed"
    sample = {"name": "shop", "scopes": ["events:write"]}

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Scopes
    """What the key may do, as far as its owner may."""
    user_id: Id | None = None
    """The owner; yourself, if left out."""
    organization_id: Id | None = None
    """The owner's organisation."""
    expires_at: When | None = None


@handles
def create_api_key(command: CreateApiKeyCommand, context: Context) -> CreatedApiKeyView:
    """Store the hash, show the key."""
    sender = acting_for(context.tx, present_sender(context), command.organization_id or context.organization_id)
    session = context.tx.session(sender.organization_id)
    owner = _owner(command, sender, session)
    _require_scopes(command.scopes, owner, sender)
    _require_end(command, sender, context)
    text = generate_key()
    key = ApiKey(
        id=text.id,
        user_id=owner.id,
        name=command.name,
        hash=text.hash,
        scopes=command.scopes,
        created_at=context.now(),
        expires_at=command.expires_at,
        created_by=maker_of(sender),
        ends_with=ends_with(context.tx, sender) or None,
    )
    session.add(key)
    return CreatedApiKeyView(**ApiKeyView.model_validate(key).model_dump(), key=str(text))


class RevokeApiKeyCommand(Command[RevokedApiKeyView]):
    """Revoke an API key by its `id`, the part between `bpm_` and the next `_`; it stops at once.

    The keys, rules, processes and scheduled messages that were made with it stop, too. The accounts that were made
    with it are listed in the answer; with `disableAccounts` they are disabled.
    """

    permission = "users:write"
    succeeded = "API key revoked successfully"
    failed = "Revocation failed"

    id: KeyId
    disable_accounts: bool = False
    """Whether the accounts that the key made are disabled as well."""


@handles
def revoke_api_key(command: RevokeApiKeyCommand, context: Context, accounts: Accounts) -> RevokedApiKeyView:
    """Revoke it for good."""
    owner, key = find_account(context.session, f"{KEY}{command.id}")
    if owner is None or key is None:
        raise NotFound("API key not found")
    require_power_over(present_sender(context), principal_of_key(key, owner).permissions, key.name)
    if key.revoked_at is not None:
        raise Conflict("API key is already revoked")
    key.revoked_at = context.now()
    context.session.flush()
    context.tx.forget()
    context.after_commit(accounts.forget)
    shown = ApiKeyView.model_validate(key).model_dump()
    made = tables.enabled_users_made_by(context.session, f"{KEY}{key.id}")
    if command.disable_accounts:
        for user in made:
            context.call("DisableUserCommand", {"id": user.id})
    views = [UserView.model_validate(user) for user in made]
    return RevokedApiKeyView(**shown, accounts=views, disabled=command.disable_accounts)


class GetApiKeyListQuery(PagedQuery[Page[ApiKeyView]]):
    """List API keys, without their secrets; `searchText` looks into their names.

    `createdBy` is the id of a principal, as in `user:7` and `key:1f`.
    """

    permission = "users:read"
    succeeded = "API keys retrieved successfully"

    user_id: Id | None = None
    """Those of this account."""
    created_by: MakerId | None = None


@handles
def list_api_keys(query: GetApiKeyListQuery, context: Context) -> Page[ApiKeyView]:
    """Return one page."""
    columns = {"createdAt": "created_at", "id": "id", "name": "name", "lastUsedAt": "last_used_at"}
    statement = tables.select_api_keys(query.user_id, query.created_by)
    return query.page(context, statement, ApiKey, ApiKeyView.model_validate, search=("name", "id"), sortable=columns)


def _owner(command: CreateApiKeyCommand, sender: Principal, session: ScopedSession) -> User:
    own, _ = find_account(session, sender.id) if sender.kind in ("user", "key") else (None, None)
    if command.user_id is None:
        if own is None:
            raise Invalid("userId: is required, because you are not a user of the organisation yourself")
        return own
    owner = tables.find_user(session, command.user_id)
    if owner is None:
        raise NotFound("User not found")
    if not owner.is_enabled:
        raise Conflict("The user is disabled")
    if own is None or own.id != owner.id:
        require_power_over(sender, permissions_of_user(owner), owner.username)
    return owner


def _require_scopes(scopes: list[str], owner: User, sender: Principal) -> None:
    wanted, holder = permissions_of_scopes(scopes), principal_of_user(owner)
    require_held(sender, wanted | {p for p in permissions_in_dialects(scopes) if holder.allows(p)})
    beyond = sorted(permission for permission in wanted if not holder.allows(permission))
    if beyond:
        raise Invalid(f"scopes: {owner.username!r} does not hold {', '.join(beyond)}")


def _require_end(command: CreateApiKeyCommand, sender: Principal, context: Context) -> None:
    """Raise `Invalid` for an end that is over, or later than that of the key which asks."""
    if command.expires_at is not None and command.expires_at <= context.now():
        raise Invalid("expiresAt: must be in the future")
    end = end_of(context.tx, sender)
    if end is not None and (command.expires_at is None or command.expires_at > end):
        raise Invalid(f"expiresAt: must not be after {wire_time(end)}, when your own key expires")
