"""Users and service accounts.

Nobody can hand on permissions they do not hold, nor change an account that may do more than they do.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bpm.accounts import Accounts, tables
from bpm.accounts.acting import acting_for
from bpm.accounts.checks import check_password, check_permission, check_role, check_username
from bpm.accounts.limits import require_room
from bpm.accounts.lookup import present_sender
from bpm.accounts.makers import maker_of, require_lasting
from bpm.accounts.principals import is_administrator, permissions_of_user, require_held, require_power_over
from bpm.accounts.tables import User
from bpm.bus import Command, Context, EffectContext, Id, Page, PagedQuery, handles
from bpm.errors import Conflict, Invalid, NotFound
from bpm.security.passwords import generate_password
from bpm.security.permissions import Principal, permissions_of
from bpm.settings import Settings
from commands.accounts.views import CreatedUserView, Kind, MakerId, UserView

Username = Annotated[str, AfterValidator(check_username)]
Password = Annotated[str, AfterValidator(check_password)]
Roles = Annotated[list[Annotated[str, AfterValidator(check_role)]], Field(max_length=20)]
Permissions = Annotated[list[Annotated[str, AfterValidator(check_permission)]], Field(max_length=200)]


class CreateUserCommand(Command[CreatedUserView]):
    """Create a user who signs in with a password, or a service account (`kind` `service`) that uses API keys.

    An API key that expires creates none: the account would outlive it. A password that is left out is generated and
    shown in the answer, this once. An account of the installation may create one in another organisation,
    `organizationId`.
    """

    permission = "users:write"
    succeeded = "User created successfully"
    failed = "Validation failed"
    secrets = frozenset({"password"})

    username: Username
    """The name to sign in with."""
    password: Password | None = None
    """The password; generated and shown once, if left out."""
    roles: Roles = Field(default_factory=list[str])
    """Bundles of permissions: `admin`, `author`, `operator`, `viewer`, `publisher`."""
    permissions: Permissions = Field(default_factory=list[str])
    kind: Kind = "user"
    """A person with a password, or a service with API keys."""
    organization_id: Id | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A service account has no password."""
        if fields.get("kind") == "service" and fields.get("password") is not None:
            yield "password: must be left out when kind is service; create an API key for the account"


@handles
async def create_user(
    command: CreateUserCommand, context: EffectContext, accounts: Accounts, settings: Settings
) -> CreatedUserView:
    """Hash the password outside the transaction, then store the user."""
    generated = generate_password() if command.kind == "user" and command.password is None else None
    password = command.password or generated
    hashed = await accounts.passwords.hash(password) if password is not None else None

    def store(inside: Context) -> CreatedUserView:
        view = _create_user(command, hashed, inside, settings)
        view.password = generated
        return view

    return await context.conclude(store)


def _create_user(
    command: CreateUserCommand, hashed: str | None, context: Context, settings: Settings
) -> CreatedUserView:
    sender = acting_for(context.tx, present_sender(context), command.organization_id or context.organization_id)
    require_lasting(context, "create an account")
    _require_grantable(command.roles, command.permissions, sender)
    require_room(context.tx, sender.organization_id, "users", tables.count_users, settings)
    if tables.username_is_taken(context.tx, command.username):
        raise Conflict("A user with this username already exists")
    user = User(
        created_at=context.now(),
        username=command.username,
        kind=command.kind,
        password_hash=hashed,
        roles=command.roles,
        permissions=command.permissions,
        created_by=maker_of(sender),
    )
    session = context.tx.session(sender.organization_id)
    session.add(user)
    session.flush()
    return CreatedUserView.model_validate(user)


class UpdateUserCommand(Command[UserView]):
    """Change what is given and leave the rest; a new password, or `isEnabled` false, ends the user's sessions.

    An API key that expires sets no password, gives no permission and enables nobody.
    """

    permission = "users:write"
    succeeded = "User updated successfully"
    failed = "Update failed"
    secrets = frozenset({"password"})
    sample = {"id": 1, "isEnabled": True}

    id: Id
    password: Password | None = None
    """The new password."""
    roles: Roles | None = None
    """The roles from now on."""
    permissions: Permissions | None = None
    is_enabled: bool | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Something must change."""
        if all(fields.get(name) is None for name in ("password", "roles", "permissions", "isEnabled")):
            yield "password, roles, permissions or isEnabled must be given; there is nothing to change"


@handles
async def update_user(
    command: UpdateUserCommand, context: EffectContext, accounts: Accounts, settings: Settings
) -> UserView:
    """Hash the password outside the transaction, then change the user."""
    hashed = await accounts.passwords.hash(command.password) if command.password is not None else None
    return await context.conclude(lambda inside: _update_user(command, hashed, inside, accounts, settings))


def _update_user(
    command: UpdateUserCommand, hashed: str | None, context: Context, accounts: Accounts, settings: Settings
) -> UserView:
    sender = present_sender(context)
    user = _changeable_user(command.id, sender, context)
    was_administrator = is_administrator(user)
    if command.password or command.roles or command.permissions or command.is_enabled:
        require_lasting(context, "set a password, give permissions or enable an account")
    _require_grantable(command.roles or [], command.permissions or [], sender)
    if command.is_enabled and not user.is_enabled:
        require_room(context.tx, user.organization_id, "users", tables.count_users, settings)
    if command.roles is not None:
        user.roles = command.roles
    if command.permissions is not None:
        user.permissions = command.permissions
    if hashed is not None:
        set_password(user, hashed, context)
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
    user = _changeable_user(command.id, present_sender(context), context)
    if not user.is_enabled:
        raise Conflict("User is already disabled")
    was_administrator = is_administrator(user)
    _switch(user, context, enabled=False)
    return _changed(user, context, accounts, was_administrator=was_administrator)


class GetUserListQuery(PagedQuery[Page[UserView]]):
    """List users and service accounts; `searchText` looks into user names.

    `createdBy` is the id of a principal, as in `user:7` and `key:1f`: what an API key made is found with it.
    """

    permission = "users:read"
    succeeded = "Users retrieved successfully"

    kind: Kind | None = None
    """People, or services."""
    is_enabled: bool | None = None
    created_by: MakerId | None = None


@handles
def list_users(query: GetUserListQuery, context: Context) -> Page[UserView]:
    """Return one page."""
    statement = tables.select_users(query.kind, query.is_enabled, query.created_by)
    columns = {"createdAt": "created_at", "id": "id", "username": "username"}
    return query.page(context, statement, User, UserView.model_validate, search=("username",), sortable=columns)


def _changeable_user(user_id: int, sender: Principal, context: Context) -> User:
    user = tables.find_user(context.session, user_id)
    if user is None:
        raise NotFound("User not found")
    require_power_over(sender, permissions_of_user(user), user.username)
    return user


def _changed(user: User, context: Context, accounts: Accounts, *, was_administrator: bool) -> UserView:
    """Refuse to be left without an administrator; else let the change count at once."""
    if was_administrator and not any(is_administrator(other) for other in tables.enabled_users(context.session)):
        raise Conflict("The last administrator can't be disabled or lose a permission; make another one first")
    context.session.flush()
    context.tx.forget()
    context.after_commit(accounts.forget)
    return UserView.model_validate(user)


def set_password(user: User, hashed: str, context: Context) -> None:
    """Set a user's hashed password and end its sign-ins; raises `Invalid` for a service account."""
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


def _require_grantable(roles: list[str], permissions: list[str], sender: Principal) -> None:
    require_held(sender, {*permissions_of(roles), *permissions})
