"""Who is asking, and what they may do.

A permission is `area:read` or `area:write`; a role is a named bundle of them. `*` stands for every area. What
concerns the whole installation only its own accounts may do, whatever permissions others were given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

Permission = str

INSTALLATION = 1
"""The organisation of the installation itself."""

USER = "user:"
KEY = "key:"
"""What the ids of accounts and of API keys begin with."""

ROLES: dict[str, frozenset[Permission]] = {
    "admin": frozenset({"*:read", "*:write"}),
    "operator": frozenset(
        {
            "*:read",
            "webhooks:write",
            "inbound:write",
            "processes:write",
            "messages:write",
            "deliveries:write",
            "payments:write",
        }
    ),
    "author": frozenset(
        {
            "*:read",
            "webhooks:write",
            "inbound:write",
            "processes:write",
            "messages:write",
            "deliveries:write",
            "payments:write",
            "events:write",
            "code:write",
        }
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

WRITE_CODE: Permission = "code:write"
"""To write scripts: it is asked of a script's author whenever the script runs."""

ACT: Permission = "acting:write"
"""To act for another organisation."""

SCOPES: dict[str, frozenset[Permission]] = {
    "webhooks": frozenset({"subscriptions:read", "subscriptions:write", "events:read"}),
    "webhooks.read": frozenset({"subscriptions:read", "deliveries:read", "events:read"}),
    "webhooks.write": frozenset({"subscriptions:write"}),
}
"""What a key's scope stands for that is called as PlanDocket (`webhooks`) and Mokapen (`webhooks.…`) call it."""

SCOPES_IN_DIALECTS: dict[str, frozenset[Permission]] = {
    "webhooks:read": frozenset({"subscriptions:read", "events:read"}),
    "webhooks:write": frozenset({"subscriptions:write"}),
}
"""What Donutwork's names stand for in the REST interfaces; on the bus the area `webhooks` is that of rules."""

INSTALLATION_AREAS = frozenset({"acting", "organizations", "system"})
"""Areas that concern all organisations: nobody but an account of the installation may do anything in them."""

PrincipalKind = Literal["user", "key", "rule", "process", "provider", "system"]


@dataclass(frozen=True, slots=True)
class Authority:
    """On whose behalf something acts: it may do what every one of these accounts may do now.

    `accounts` are the ids of users and API keys, as in `user:7` and `key:1f`. `within` is a limit that is never
    exceeded, whatever the accounts may do; None sets no limit. Without accounts the limit is all that it may do.
    """

    accounts: tuple[str, ...] = ()
    within: frozenset[Permission] | None = None

    def covers(self, other: "Authority") -> bool:
        """Tell whether everybody whom another one asks is asked here, too."""
        return other.within in (None, self.within) and set(other.accounts) <= set(self.accounts)

    def joined(self, other: "Authority") -> "Authority":
        """Return the authority of what both stand for: the accounts of both are asked, both limits hold."""
        within = self.within if other.within is None else other.within
        if self.within is not None and other.within is not None:
            within = shared_permissions(self.within, other.within)
        return Authority(tuple(dict.fromkeys((*self.accounts, *other.accounts))), within)

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"accounts": list(self.accounts), "within": None if self.within is None else sorted(self.within)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Authority":
        """Read it from where it is stored."""
        within = stored["within"]
        return cls(tuple(stored["accounts"]), None if within is None else frozenset(within))


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that sends messages; `name` is what the audit log shows.

    `permissions` are what it may do at the moment. The bus asks for them anew at each message of a principal with an
    `authority`; those of the product's own parts, which have none, are fixed. `lent` is what the product adds for
    one message, and for nothing that this message causes. `in_dialects` is what the REST interfaces lend a key because
    of how they call their scopes.
    """

    kind: PrincipalKind
    id: str
    name: str
    organization_id: int
    permissions: frozenset[Permission] = field(default_factory=frozenset[Permission])
    authority: Authority | None = None
    lent: frozenset[Permission] = field(default_factory=frozenset[Permission])
    in_dialects: frozenset[Permission] = field(default_factory=frozenset[Permission])

    def allows(self, permission: Permission | None) -> bool:
        """Tell whether a message that asks for `permission` may be sent (None: by anybody known)."""
        if permission is None or permission in self.lent:
            return True
        return grants(self.permissions, permission) and self._is_near(permission)

    @property
    def standing(self) -> Authority:
        """On whose behalf it acts: what is stored with work that goes on without it."""
        return self.authority or Authority(within=self.permissions)

    def lending(self, permissions: frozenset[Permission]) -> "Principal":
        """Return the principal with permissions added for one message."""
        return replace(self, lent=permissions)

    def without_loan(self) -> "Principal":
        """Return the principal as whatever its message causes is sent: with nothing added."""
        return replace(self, lent=frozenset()) if self.lent else self

    def _is_near(self, permission: Permission) -> bool:
        return self.organization_id == INSTALLATION or permission.partition(":")[0] not in INSTALLATION_AREAS


@lru_cache(maxsize=4096)
def grants(permissions: frozenset[Permission], wanted: Permission) -> bool:
    """Tell whether `wanted` is among `permissions`, by name or by `*`."""
    return wanted in permissions or f"*:{wanted.partition(':')[2]}" in permissions


@lru_cache(maxsize=4096)
def shared_permissions(one: frozenset[Permission], other: frozenset[Permission]) -> frozenset[Permission]:
    """Return what both may do."""
    return frozenset({p for p in one if grants(other, p)} | {p for p in other if grants(one, p)})


def acting(kind: PrincipalKind, id_: str, name: str, organization_id: int, authority: Authority) -> Principal:
    """Return what acts on behalf of accounts; until they are asked, it may do nothing."""
    permissions = frozenset[Permission]() if authority.accounts or authority.within is None else authority.within
    return Principal(kind, id_, name, organization_id, permissions, authority)


def stored_authority(stored: Mapping[str, Any] | None, account: str, permissions: list[Permission]) -> Authority:
    """Return a row's authority; of a row from before there was any, its account within the permissions of then."""
    if stored is not None:
        return Authority.from_json(stored)
    is_account = account.startswith((USER, KEY))
    return Authority((account,) if is_account else (), frozenset(permissions))


def permissions_of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """Return what a key's scopes stand for: permissions, or what other products call them."""
    return frozenset[Permission]().union(*(SCOPES.get(scope, {scope}) for scope in scopes))


def permissions_in_dialects(scopes: Iterable[str]) -> frozenset[Permission]:
    """Return what a key's scopes stand for in the REST interfaces besides."""
    return frozenset[Permission]().union(*(SCOPES_IN_DIALECTS.get(scope, ()) for scope in scopes))


def permissions_of(roles: list[str]) -> frozenset[Permission]:
    """Return everything the named roles may do; unknown names add nothing."""
    return frozenset[Permission]().union(*(ROLES.get(role, frozenset()) for role in roles))


SYSTEM = Principal("system", "system", "system", INSTALLATION, ROLES["admin"] | {RESERVED_EVENTS})
"""The product itself, for work nobody asked for by hand."""
