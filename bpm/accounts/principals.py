"""From stored accounts to principals: what each holds, what a key is left with, what somebody lacks."""

from collections.abc import Iterable

from bpm.accounts.tables import ApiKey, KeyRow, User, UserRow
from bpm.errors import Forbidden
from bpm.security.permissions import (
    KEY,
    RESERVED_EVENTS,
    ROLES,
    USER,
    Authority,
    Permission,
    Principal,
    permissions_in_dialects,
    permissions_of,
    permissions_of_scopes,
    shared_permissions,
)

WRITE_EVERYTHING: Permission = "*:write"


def permissions_of_user(user: User | UserRow) -> frozenset[Permission]:
    """Return everything a user may do, by role and by name."""
    return permissions_of(user.roles) | frozenset(user.permissions)


def permissions_of_key(key: ApiKey | KeyRow, owner: User | UserRow) -> frozenset[Permission]:
    """Return everything a key may do: what its scopes and its owner both allow."""
    return shared_permissions(permissions_of_scopes(key.scopes), permissions_of_user(owner))


def missing_permissions(principal: Principal, wanted: Iterable[Permission]) -> list[Permission]:
    """Return those of `wanted` that the principal may not hand on: it does not hold them, nor decides about them."""
    return sorted({permission for permission in wanted if not _may_hand_on(principal, permission)})


def require_held(principal: Principal, wanted: Iterable[Permission]) -> None:
    """Let a principal hand on what it holds; raises `Forbidden` for more."""
    missing = missing_permissions(principal, wanted)
    if missing:
        raise Forbidden(f"You can't grant what you do not hold: {', '.join(missing)}")


def require_power_over(principal: Principal, permissions: Iterable[Permission], name: str) -> None:
    """Let a principal change whoever may do no more than itself; raises `Forbidden` for others."""
    more = missing_permissions(principal, permissions)
    if more:
        raise Forbidden(f"{name!r} may do more than you: {', '.join(more)}")


def principal_of_user(user: User) -> Principal:
    """Return a user or service account as a principal, named `user:<id>`."""
    id_ = f"{USER}{user.id}"
    return Principal("user", id_, user.username, user.organization_id, permissions_of_user(user), Authority((id_,)))


def principal_of_key(key: ApiKey, owner: User) -> Principal:
    """Return a key as a principal, named `key:<id>`: it may do what its scopes and its owner both allow."""
    id_, name = f"{KEY}{key.id}", f"{owner.username}/{key.name}"
    return Principal(
        "key",
        id_,
        name,
        owner.organization_id,
        permissions_of_key(key, owner),
        Authority((id_,)),
        in_dialects=shared_permissions(permissions_in_dialects(key.scopes), permissions_of_user(owner)),
    )


def _may_hand_on(principal: Principal, permission: Permission) -> bool:
    """What no role has, whoever may write everything gives."""
    return principal.allows(permission) or (permission == RESERVED_EVENTS and principal.allows(WRITE_EVERYTHING))


def is_administrator(user: User) -> bool:
    """Tell whether a person can sign in and do everything."""
    return user.kind == "user" and user.is_enabled and ROLES["admin"] <= permissions_of_user(user)
