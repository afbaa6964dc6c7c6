"""What a provider's claims say about a person: the name and the groups, wherever the provider puts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bpm.accounts.id_tokens import IdToken, IdTokenError

MAX_GROUPS = 2_000
MAX_NAME = 200


class TooManyGroups(IdTokenError):
    """The provider has left the groups out because there are too many: nothing is known of them.

    Microsoft Entra ID does so beyond 200 groups, and says `_claim_names` (OpenID Connect Core, section 5.6.2) or
    `hasgroups` instead.
    """


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """The claims that are read; `groups` is None where groups give no roles."""

    username: str
    groups: str | None

    def lacking_in(self, claims: Mapping[str, Any]) -> set[str]:
        """Return those that claims do not have and that the provider may still tell elsewhere."""
        names = {self.username} if self.groups is None else {self.username, self.groups}
        return {name for name in names if claim(claims, name) is None and not _is_left_out(claims, name)}


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or else by a path with dots, such as Keycloak's `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = cast("dict[str, Any]", found).get(step) if isinstance(found, Mapping) else None
    return found


def read_person(issuer: str, claims: Mapping[str, Any], further: Mapping[str, Any], names: ClaimNames) -> IdToken:
    """Return who signed in; `further` says what the token's own claims do not. Raises `TooManyGroups`."""
    username = _told(claims, further, names.username)
    groups = None if names.groups is None else _told(claims, further, names.groups)
    if groups is None and names.groups is not None and _is_left_out(claims, names.groups):
        raise TooManyGroups("the provider has left out the groups of this account, because there are too many")
    is_name = isinstance(username, str) and len(username) <= MAX_NAME
    return IdToken(issuer, claims["sub"], cast("str", username) if is_name else "", _groups(groups))


def _told(claims: Mapping[str, Any], further: Mapping[str, Any], name: str) -> Any:
    own = claim(claims, name)
    return claim(further, name) if own is None else own


def _is_left_out(claims: Mapping[str, Any], name: str) -> bool:
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and name in elsewhere:
        return True
    return name == "groups" and claims.get("hasgroups") in (True, "true")


def _groups(value: object) -> frozenset[str]:
    """Return the groups of a claim that is a list or one name; whatever else is in it is no group."""
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    return frozenset(each for each in listed[:MAX_GROUPS] if isinstance(each, str))
