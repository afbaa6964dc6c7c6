"""Webhook configurations as answers show them: everything but the secrets."""

from typing import Any

from pydantic import Field

from bpm.bus import Context, Moment, View
from router.config_secrets import definition_for_view
from router.tables.configs import ConfigRow, WebhookConfig
from router.tables.revisions import WebhookConfigRevision

CONTESTED = "path: this address is taken or overlaps one that is, so nothing is answered here; choose another"


class WebHookConfigView(View):
    """A whole configuration, secrets as `***`.

    `warnings` are what looked wrong when it was saved just now, and whether another one keeps it from answering.
    """

    id: int
    key: str
    description: str
    is_enabled: bool
    is_paused: bool = False
    paused_at: Moment | None = None
    path: str
    action: str
    more_methods: list[str] = Field(default_factory=list[str])
    when: str | None = None
    order: int | None = None
    expires_at: Moment | None = None
    execution_type: int
    command_name: str | None = None
    command_chain: list[dict[str, Any]] | None = None
    execution_code: str | None = None
    process_definition_id: int | None = None
    allowable_ips: str | None = Field(default=None, alias="allowableIPs")
    parameters: dict[str, Any] | None = None
    signature: dict[str, Any] | None = None
    handshake: dict[str, Any] | None = None
    keys: dict[str, Any] | None = None
    response_mode: str = "async"
    response: dict[str, Any] | None = None
    deduplication: str | list[str] | None = None
    rate_limit: str | None = None
    rate: dict[str, Any] | None = None
    content_type: str | None = None
    max_body_bytes: int | None = None
    run_as: str | None = None
    retry: dict[str, Any] | None = None
    lane: dict[str, Any] | None = None
    labels: list[str] = Field(default_factory=list[str])
    metadata: dict[str, Any] | None = None
    isolation: str | None = None
    business_key: Any = None
    start_policy: str | None = None
    correlation: dict[str, Any] | None = None
    url: str
    revision: int
    author: str
    created_at: Moment
    updated_at: Moment | None = None
    warnings: list[str] = Field(default_factory=list[str])


class DeletedWebHookConfigView(View):
    """A configuration that is gone; its key is free again."""

    id: int
    key: str
    deleted_at: Moment


class ActivatedWebHookConfigView(View):
    """A configuration that answers from now on."""

    id: int
    key: str
    is_enabled: bool
    activated_at: Moment


class DeactivatedWebHookConfigView(View):
    """A configuration that does not answer any more."""

    id: int
    key: str
    is_enabled: bool
    deactivated_at: Moment


class PausedWebHookConfigView(View):
    """A configuration that keeps what it accepts."""

    id: int
    key: str
    is_paused: bool
    paused_at: Moment


class ResumedWebHookConfigView(View):
    """A configuration that goes on, with what it has kept first."""

    id: int
    key: str
    is_paused: bool
    resumed_at: Moment


class WebHookConfigRevisionView(View):
    """What a configuration was after a change.

    `change` is one of `created updated activated deactivated paused resumed deleted`.
    """

    config_id: int
    key: str
    revision: int
    change: str
    author: str
    definition: dict[str, Any]
    created_at: Moment


def url_of(path: str, base_url: str) -> str:
    """Return the address at which a path answers."""
    return f"{base_url}/api/webhooks/{path}"


def to_view(
    row: WebhookConfig | ConfigRow, base_url: str, context: Context, warnings: list[str] | None = None
) -> WebHookConfigView:
    """Show one configuration to the sender of the message."""
    return WebHookConfigView.model_validate(
        {
            **_definition(row, context),
            "id": row.id,
            "key": row.key,
            "url": url_of(row.path, base_url),
            "isPaused": row.paused_at is not None,
            "pausedAt": row.paused_at,
            "revision": row.revision,
            "author": row.author_name,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
            "warnings": [*(warnings or ()), *([CONTESTED] if row.is_contested else ())],
        }
    )


def to_revision_view(row: WebhookConfigRevision, context: Context) -> WebHookConfigRevisionView:
    """Show one revision; its secrets were redacted when it was stored."""
    values = {**row.model_dump(), "definition": _definition(row, context), "author": row.author_name}
    return WebHookConfigRevisionView.model_validate(values)


def _definition(row: WebhookConfig | ConfigRow | WebhookConfigRevision, context: Context) -> dict[str, Any]:
    """Return the fields; who may not change them is not shown the secrets that are written into a script."""
    may_write = context.principal.allows("webhooks:write")
    return definition_for_view(row.definition, context.box, with_secrets=may_write)
