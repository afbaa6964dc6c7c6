"""How users, API keys and audit lines are shown."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Moment, View

Kind = Literal["user", "service"]
MakerId = Annotated[str, Field(min_length=1, max_length=100)]


class UserView(View):
    """A person or a service account, with its roles and the permissions given beside them.

    `createdBy` is the id of the principal that made it, as in `user:7` and `key:1f`; not known of old accounts.
    """

    id: int
    organization_id: int
    username: str
    """The name to sign in with."""
    kind: Kind
    """A person with a password, or a service with API keys."""
    roles: list[str]
    """Bundles of permissions that it has."""
    permissions: list[str]
    is_enabled: bool
    created_at: Moment
    disabled_at: Moment | None
    """When it was disabled; null while it is not."""
    created_by: str | None


class CreatedUserView(UserView):
    """A new user; `password` is there if it was generated, and is never shown again."""

    password: str | None = Field(default=None)
    """The generated password, shown this once."""


class ApiKeyView(View):
    """An API key without its secret; `id` is the public part, and what begins with `bpm_<id>_` is this key.

    `createdBy` is the id of the principal that made it; the key ends with each of the keys `endsWith`.
    """

    id: str
    name: str
    user_id: int
    """The account whose key it is."""
    scopes: list[str]
    """What it may do, as far as its owner may."""
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    """When it was revoked; null while it was not."""
    last_used_at: Moment | None
    """When it was last used."""
    created_by: str | None
    ends_with: list[str] | None
    """The keys with which it ends."""


class RevokedApiKeyView(ApiKeyView):
    """A revoked API key, and the accounts that were made with it; `disabled` tells whether they were disabled."""

    accounts: list[UserView]
    """The accounts that the key made."""
    disabled: bool
    """Whether they were disabled."""


class CreatedApiKeyView(ApiKeyView):
    """A new API key; `key` is what its user sends as bearer token, and is never shown again."""

    key: str
    """The bearer token, shown this once."""


class AuditEntryView(View):
    """One command: who sent what from where, what became of it, and which request caused it."""

    id: int
    created_at: Moment
    principal: str
    principal_name: str
    type: str
    """The `$type` of the command."""
    fields: Any
    """Its fields, without secrets."""
    address: str
    ok: bool
    error: str | None
    request_id: str
    correlation_id: str
    causation_id: str | None
