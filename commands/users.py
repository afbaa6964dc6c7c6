"""Users, service accounts, API keys, and the log of what they did.

Nobody can hand on permissions they do not hold, nor change an account that may do more than they do.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bpm.accounts import Accounts, tables
from bpm.accounts.keys import generate_key
from bpm.accounts.lookup import find_account
from bpm.accounts.names import check_password, check_permission, check_role, check_username
from bpm.accounts.principals import (
    held,
    is_administrator,
    lacking,
    principal_of_key,
    principal_of_user,
    require_held,
    require_power_over,
)
from bpm.accounts.tables import ApiKey, User
from bpm.bus import Command, Context, EffectContext, Id, Page, PagedQuery, handles
from bpm.bus.paging import When
from bpm.bus.tables import AuditEntry
from bpm.errors import Conflict, Invalid, NotFound
from bpm.security.passwords import generate_password
from bpm.security.permissions import permissions_of
from commands.user_views import ApiKeyView, AuditEntryView, CreatedApiKeyView, CreatedUserView, Kind, UserView

Username = Annotated[str, AfterValidator(check_username)]
Password = Annotated[str, AfterValidator(check_password)]
Roles = Annotated[list[Annotated[str, AfterValidator(check_role)]], Field(max_length=20)]
Permissions = Annotated[list[Annotated[str, AfterValidator(check_permission)]], Field(max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class CreateUserCommand(Command[CreatedUserView]):
    """Create a user who signs in with a password, or a service account (`kind` `service`) that uses API keys.

    A password that is left out is generated and shown in the answer, this once.
    """

    permission = "users:write"
    succeeded = "User created successfully"
    failed = "Validation failed"
    secrets = frozenset({"password"})

    username: Username
    password: Password | None = None
    roles: Roles = Field(default_factory=list[str])
    permissions: Permissions = Field(default_factory=list[str])
    kind: Kind = "user"

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A service account has no password."""
        if fields.get("kind") == "service" and fields.get("password") is not None:
            yield "password: must be left out when kind is service; create an API key for the account"


@handles
async def create_user(command: CreateUserCommand, context: EffectContext, accounts: Accounts) -> CreatedUserView:
    """Hash the password outside the transaction, then store the user."""
    generated = generate_password() if command.kind == "user" and command.password is None else None
    password = command.password or generated
    hashed = await accounts.passwords.hash(password) if password is not None else None
    return await context.conclude(lambda inside: _create_user(command, hashed, generated, inside))


def _create_user(
    command: CreateUserCommand, hashed: str | None, generated: str | None, context: Context
) -> CreatedUserView:
    _require_grantable(command.roles, command.permissions, context)
    if tables.username_is_taken(context.tx, command.username):
        raise Conflict("A user with this username already exists")
    user = User(
        created_at=context.now(),
        username=command.username,
        kind=command.kind,
        password_hash=hashed,
        roles=command.roles,
        permissions=command.permissions,
    )
    context.session.add(user)
    context.session.flush()
    view = CreatedUserView.model_validate(user)
    view.password = generated
    return view


class UpdateUserCommand(Command[UserView]):
    """Change what is given and leave the rest; a new password, or `isEnabled` false, ends the user's sessions."""

    permission = "users:write"
    succeeded = "User updated successfully"
    failed = "Update failed"
    secrets = frozenset({"password"})

    id: Id
    password: Password | None = None
    roles: Roles | None = None
    permissions: Permissions | None = None
    is_enabled: bool | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Something must change."""
        if all(fields.get(name) is None for name in ("password", "roles", "permissions", "isEnabled")):
            yield "password, roles, permissions or isEnabled must be given; there is nothing to change"


@handles
async def update_user(command: UpdateUserCommand, context: EffectContext, accounts: Accounts) -> UserView:
    """Hash the password outside the transaction, then change the user."""
    hashed = await accounts.passwords.hash(command.password) if command.password is not None else None
    return await context.conclude(lambda inside: _update_user(command, hashed, inside, accounts))


def _update_user(command: UpdateUserCommand, hashed: str | None, context: Context, accounts: Accounts) -> UserView:
    user = _changeable_user(command.id, context)
    was_administrator = is_administrator(user)
    _require_grantable(command.roles or [], command.permissions or [], context)
    if command.roles is not None:
        user.roles = command.roles
    if command.permissions is not None:
        user.permissions = command.permissions
    if hashed is not None:
        _set_password(user, hashed, context)
    if command.is_enabled is not None:
        _switch(user, context, enabled=command.is_enabled)
    return _changed(user, context, accounts, was_administrator=was_administrator)


class DisableUserCommand(Command[UserView]):
    """Disable a user or service account: tokens and API keys stop at once; UpdateUserCommand enables again."""

    permission = "users:write"
    succeeded = "User disabled successfully"
    failed = "Disabling failed"

    id: Id


@handles
def disable_user(command: DisableUserCommand, context: Context, accounts: Accounts) -> UserView:
    """Disable, unless it is the last who could enable anybody."""
    user = _changeable_user(command.id, context)
    if not user.is_enabled:
        raise Conflict("User is already disabled")
    was_administrator = is_administrator(user)
    _switch(user, context, enabled=False)
    return _changed(user, context, accounts, was_administrator=was_administrator)


class GetUserListQuery(PagedQuery[Page[UserView]]):
    """List users and service accounts; `searchText` looks into user names."""

    permission = "users:read"
    succeeded = "Users retrieved successfully"

    kind: Kind | None = None
    is_enabled: bool | None = None


@handles
def list_users(query: GetUserListQuery, context: Context) -> Page[UserView]:
    """Return one page."""
    statement = tables.select_users(query.kind, query.is_enabled)
    columns = {"createdAt": "created_at", "id": "id", "username": "username"}
    return query.page(context, statement, User, UserView.model_validate, search=("username",), sortable=columns)


class CreateApiKeyCommand(Command[CreatedApiKeyView]):
    """Create an API key for yourself or, with `userId`, for another account; the key is shown this once.

    It may do what its `scopes` and its owner's permissions both allow, until `expiresAt` (never, if left out).
    """

    permission = "users:write"
    succeeded = "API key created successfully"
    failed = "Validation failed"

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[Permissions, Field(min_length=1)]
    user_id: Id | None = None
    expires_at: When | None = None


@handles
def create_api_key(command: CreateApiKeyCommand, context: Context) -> CreatedApiKeyView:
    """Store the hash, show the key."""
    owner = _owner(command, context)
    _require_scopes(command.scopes, owner, context)
    if command.expires_at is not None and command.expires_at <= context.now():
        raise Invalid("expiresAt: must be in the future")
    text = generate_key()
    key = ApiKey(
        id=text.id,
        user_id=owner.id,
        name=command.name,
        hash=text.hash,
        scopes=command.scopes,
        created_at=context.now(),
        expires_at=command.expires_at,
    )
    context.session.add(key)
    return CreatedApiKeyView(**ApiKeyView.model_validate(key).model_dump(), key=str(text))


class RevokeApiKeyCommand(Command[ApiKeyView]):
    """Revoke an API key by its `id`, the part between `bpm_` and the next `_`; it stops at once."""

    permission = "users:write"
    succeeded = "API key revoked successfully"
    failed = "Revocation failed"

    id: Words


@handles
def revoke_api_key(command: RevokeApiKeyCommand, context: Context, accounts: Accounts) -> ApiKeyView:
    """Revoke it for good."""
    owner, key = find_account(context.session, f"key:{command.id}")
    if owner is None or key is None:
        raise NotFound("API key not found")
    require_power_over(context.principal, principal_of_key(key, owner).permissions, key.name)
    if key.revoked_at is not None:
        raise Conflict("API key is already revoked")
    key.revoked_at = context.now()
    context.after_commit(accounts.forget)
    return ApiKeyView.model_validate(key)


class GetApiKeyListQuery(PagedQuery[Page[ApiKeyView]]):
    """List API keys, without their secrets; `searchText` looks into their names."""

    permission = "users:read"
    succeeded = "API keys retrieved successfully"

    user_id: Id | None = None


@handles
def list_api_keys(query: GetApiKeyListQuery, context: Context) -> Page[ApiKeyView]:
    """Return one page."""
    columns = {"createdAt": "created_at", "id": "id", "name": "name", "lastUsedAt": "last_used_at"}
    statement = tables.select_api_keys(query.user_id)
    return query.page(context, statement, ApiKey, ApiKeyView.model_validate, search=("name", "id"), sortable=columns)


class GetAuditLogQuery(PagedQuery[Page[AuditEntryView]]):
    """List what was done; `principal` is an id (`user:7`) or a name, `type` a command's `$type`."""

    permission = "audit:read"
    succeeded = "Audit log retrieved successfully"

    principal: Words | None = None
    type: Words | None = None
    request_id: Words | None = None
    correlation_id: Words | None = None
    ok: bool | None = None


@handles
def list_audit_entries(query: GetAuditLogQuery, context: Context) -> Page[AuditEntryView]:
    """Return one page."""
    statement = tables.select_audit_entries(
        query.principal,
        type=query.type,
        request_id=query.request_id,
        correlation_id=query.correlation_id,
        ok=query.ok,
    )
    words = ("type", "principal_name", "error")
    return query.page(context, statement, AuditEntry, AuditEntryView.model_validate, search=words)


def _changeable_user(user_id: int, context: Context) -> User:
    user = tables.find_user(context.session, user_id)
    if user is None:
        raise NotFound("User not found")
    require_power_over(context.principal, held(user), user.username)
    return user


def _changed(user: User, context: Context, accounts: Accounts, *, was_administrator: bool) -> UserView:
    """Refuse to be left without an administrator; else let the change count at once."""
    if was_administrator and not any(is_administrator(other) for other in tables.enabled_users(context.session)):
        raise Conflict("The last administrator can't be disabled or lose a permission; make another one first")
    context.after_commit(accounts.forget)
    return UserView.model_validate(user)


def _set_password(user: User, hashed: str, context: Context) -> None:
    if user.kind == "service":
        raise Invalid("password: a service account has none; create an API key for it")
    user.password_hash = hashed
    _end_sessions(user, context)


def _switch(user: User, context: Context, *, enabled: bool) -> None:
    if enabled:
        user.disabled_at = None
    elif user.is_enabled:
        user.disabled_at = context.now()
        _end_sessions(user, context)


def _end_sessions(user: User, context: Context) -> None:
    user.token_version += 1
    tables.revoke_sessions(context.tx, user.id, context.now())


def _owner(command: CreateApiKeyCommand, context: Context) -> User:
    if command.user_id is None:
        owner, _ = find_account(context.session, context.principal.id)
        if owner is None:
            raise Invalid("userId: is required, because you are not a user yourself")
        return owner
    owner = tables.find_user(context.session, command.user_id)
    if owner is None:
        raise NotFound("User not found")
    if not owner.is_enabled:
        raise Conflict("The user is disabled")
    return owner


def _require_scopes(scopes: list[str], owner: User, context: Context) -> None:
    require_held(context.principal, scopes)
    beyond = lacking(principal_of_user(owner), scopes)
    if beyond:
        raise Invalid(f"scopes: {owner.username!r} does not hold {', '.join(beyond)}")


def _require_grantable(roles: list[str], permissions: list[str], context: Context) -> None:
    require_held(context.principal, {*permissions_of(roles), *permissions})
