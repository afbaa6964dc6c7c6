"""Who acts in a process: who an instance acts for, with the permissions of when it began, and the engine itself."""

from collections.abc import Set
from typing import Any

from bpm.security.permissions import Permission, Principal


def engine_of(organization_id: int, permissions: Set[Permission]) -> Principal:
    """Return the engine as it acts for an organisation, with just what it needs."""
    return Principal("system", "system:process", "process engine", organization_id, frozenset(permissions))


def starter_of(row: Any) -> Principal:
    """Return who started an instance, with the permissions it had then."""
    return Principal("system", row.starter_id, row.starter_name, row.organization_id, frozenset(row.permissions))


def starter_columns(principal: Principal, caller: Any) -> dict[str, Any]:
    """The columns for whom a new instance acts: whoever starts it, or who the calling one acts for."""
    if caller is not None:
        return {"starter_id": caller.starter_id, "starter_name": caller.starter_name, "permissions": caller.permissions}
    permissions = sorted(principal.permissions)
    return {"starter_id": principal.id, "starter_name": principal.name, "permissions": permissions}
