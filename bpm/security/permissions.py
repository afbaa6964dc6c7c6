"""Who is asking, and what they may do.

A permission is `area:read` or `area:write`; a role is a named bundle of them. `*` stands for every area. What
concerns the whole installation only its own accounts may do, whatever permissions others were given.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Permission = str

INSTALLATION = 1
"""The organisation of the installation itself."""

ROLES: dict[str, frozenset[Permission]] = {
    "admin": frozenset({"*:read", "*:write"}),
    "operator": frozenset(
        {"*:read", "webhooks:write", "inbound:write", "processes:write", "deliveries:write", "payments:write"}
    ),
    "viewer": frozenset({"*:read"}),
    "publisher": frozenset({"events:read", "events:write"}),
}
"""What each role may do; `GetUserListQuery` and the console show the names."""

EXECUTE: Permission = "processes:execute"
"""What only the process engine itself may do: answer the jobs of instances."""

RESERVED_EVENTS: Permission = "events:reserved"
"""To publish under the names of the product's own events; no role has it and no `*` stands for it."""

PUBLISH_OWN: frozenset[Permission] = frozenset({"events:write", RESERVED_EVENTS})
"""What the product's own parts need to publish what they have to tell."""

ACT: Permission = "acting:write"
"""To act for another organisation."""

INSTALLATION_AREAS = frozenset({"acting", "organizations", "system"})
"""Areas that concern all organisations: nobody but an account of the installation may do anything in them."""

PrincipalKind = Literal["user", "key", "rule", "provider", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that sends messages; `name` is what the audit log shows."""

    kind: PrincipalKind
    id: str
    name: str
    organization_id: int
    permissions: frozenset[Permission] = field(default_factory=frozenset[Permission])

    def allows(self, permission: Permission | None) -> bool:
        """Tell whether a message that asks for `permission` may be sent (None: by anybody known)."""
        return permission is None or (granted(self.permissions, permission) and self._is_near(permission))

    def _is_near(self, permission: Permission) -> bool:
        return self.organization_id == INSTALLATION or permission.partition(":")[0] not in INSTALLATION_AREAS


@lru_cache(maxsize=4096)
def granted(permissions: frozenset[Permission], wanted: Permission) -> bool:
    """Tell whether `wanted` is among `permissions`, by name or by `*`."""
    return wanted in permissions or f"*:{wanted.partition(':')[2]}" in permissions


def shared_permissions(one: frozenset[Permission], other: frozenset[Permission]) -> frozenset[Permission]:
    """Return what both may do."""
    return frozenset({p for p in one if granted(other, p)} | {p for p in other if granted(one, p)})


def permissions_of(roles: list[str]) -> frozenset[Permission]:
    """Return everything the named roles may do; unknown names add nothing."""
    return frozenset[Permission]().union(*(ROLES.get(role, frozenset()) for role in roles))


SYSTEM = Principal("system", "system", "system", INSTALLATION, ROLES["admin"] | {RESERVED_EVENTS})
"""The product itself, for work nobody asked for by hand."""
