"""Whom stored work acts for: from a principal to the columns of a row, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bpm.security.permissions import Authority, Permission, Principal, PrincipalKind, acting, stored_authority


@dataclass(frozen=True, slots=True)
class StoredPrincipal:
    """The columns of a row that say whom its work acts for.

    `permissions` are those of when it was stored; they count only where `authority` is None, in rows from before
    there was any.
    """

    id: str
    name: str
    organization_id: int
    permissions: list[Permission]
    authority: Mapping[str, Any] | None

    def acting(self, kind: PrincipalKind, *beside: Authority) -> Principal:
        """Return who acts; what they and those `beside` them may do, the bus asks at each message."""
        authority = stored_authority(self.authority, self.id, self.permissions)
        for other in beside:
            authority = authority.joined(other)
        return acting(kind, self.id, self.name, self.organization_id, authority)


def principal_columns(principal: Principal, prefix: str) -> dict[str, Any]:
    """Return the columns `<prefix>_id`, `<prefix>_name`, `permissions` and `authority` of a principal."""
    return {
        f"{prefix}_id": principal.id,
        f"{prefix}_name": principal.name,
        "permissions": sorted(principal.permissions),
        "authority": principal.standing.to_json(),
    }
