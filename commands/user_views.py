"""How users, API keys and audit lines are shown."""

from typing import Any, Literal

from pydantic import Field

from bpm.bus import Moment, View

Kind = Literal["user", "service"]


class UserView(View):
    """A person or a service account, with its roles and the permissions given beside them."""

    id: int
    organization_id: int
    username: str
    kind: Kind
    roles: list[str]
    permissions: list[str]
    is_enabled: bool
    created_at: Moment
    disabled_at: Moment | None


class CreatedUserView(UserView):
    """A new user; `password` is there if it was generated, and is never shown again."""

    password: str | None = Field(default=None)


class ApiKeyView(View):
    """An API key without its secret; `id` is the public part, and what begins with `bpm_<id>_` is this key."""

    id: str
    name: str
    user_id: int
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None


class CreatedApiKeyView(ApiKeyView):
    """A new API key; `key` is what its user sends as bearer token, and is never shown again."""

    key: str


class AuditEntryView(View):
    """One command: who sent what from where, what became of it, and which request caused it."""

    id: int
    created_at: Moment
    principal: str
    principal_name: str
    type: str
    fields: Any
    address: str
    ok: bool
    error: str | None
    request_id: str
    correlation_id: str
    causation_id: str | None
