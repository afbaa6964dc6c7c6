"""Webhook configurations as answers show them: everything but the secrets."""

from collections.abc import Mapping
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
    """By which its users know it; it never changes."""
    description: str
    is_enabled: bool
    is_paused: bool = False
    paused_at: Moment | None = None
    """When it was paused."""
    path: str
    """The path that it answers, with `{names}` for its variable parts."""
    action: str
    """The HTTP method that it answers."""
    more_methods: list[str] = Field(default_factory=list[str])
    """Further methods that it answers."""
    when: str | None = None
    """A condition over payload, headers, query and method: other requests are not its own."""
    order: int | None = None
    """Which of several rules at an address is asked first; the smallest is."""
    expires_at: Moment | None = None
    execution_type: int
    """What is executed: 0 a command, 1 a chain of commands, 2 a script, 3 a process."""
    command_name: str | None = None
    """The `$type` of the command, of type 0."""
    command_chain: list[dict[str, Any]] | None = None
    """The steps, of type 1."""
    execution_code: str | None = None
    """The script, of type 2."""
    process_definition_id: int | None = None
    """The version of the process that is started, of type 3."""
    allowable_ips: str | None = Field(default=None, alias="allowableIPs")
    """Addresses and networks that may send, separated by commas."""
    parameters: dict[str, Any] | None = None
    signature: dict[str, Any] | None = None
    """How requests prove whose they are."""
    handshake: dict[str, Any] | None = None
    """How the provider's question is answered."""
    keys: dict[str, Any] | None = None
    """The keys that `hmac()` knows by their names."""
    response_mode: str = "async"
    """Whether the answer waits for the execution."""
    response: dict[str, Any] | None = None
    """The answer, for providers that insist on one."""
    deduplication: str | list[str] | None = None
    """Where the id stands by which a repeated request is known."""
    rate_limit: str | None = None
    """How many requests are taken, as in `100/minute`."""
    rate: dict[str, Any] | None = None
    """How many requests with the same key are taken."""
    content_type: str | None = None
    max_body_bytes: int | None = None
    """The longest body."""
    run_as: str | None = None
    """The account as which it acts; its author, if left out."""
    retry: dict[str, Any] | None = None
    """How often a failing execution is tried."""
    lane: dict[str, Any] | None = None
    """Which requests are executed in order, and at which pace."""
    retention_days: int | None = None
    """How many days its requests are kept; null: as long as the installation keeps them."""
    labels: list[str] = Field(default_factory=list[str])
    metadata: dict[str, Any] | None = None
    isolation: str | None = None
    business_key: Any = None
    start_policy: str | None = None
    correlation: dict[str, Any] | None = None
    """Which waiting process instance a request belongs to."""
    url: str
    """The address that a provider is given."""
    revision: int
    author: str
    """Who saved it last, by id."""
    applied_at: Moment | None = None
    """When files were last applied that hold it; null when it was changed otherwise since, or never applied."""
    created_at: Moment
    updated_at: Moment | None = None
    warnings: list[str] = Field(default_factory=list[str])


class DeletedWebHookConfigView(View):
    """A configuration that is gone; its key is free again."""

    id: int
    key: str
    """The key, which is free again."""
    deleted_at: Moment


class ActivatedWebHookConfigView(View):
    """A configuration that answers from now on."""

    id: int
    key: str
    """The key of the rule."""
    is_enabled: bool
    activated_at: Moment
    """When it was switched on."""


class DeactivatedWebHookConfigView(View):
    """A configuration that does not answer any more."""

    id: int
    key: str
    """The key of the rule."""
    is_enabled: bool
    deactivated_at: Moment
    """When it was switched off."""


class PausedWebHookConfigView(View):
    """A configuration that keeps what it accepts."""

    id: int
    key: str
    """The key of the rule."""
    is_paused: bool
    paused_at: Moment
    """When it was paused."""


class ResumedWebHookConfigView(View):
    """A configuration that goes on, with what it has kept first."""

    id: int
    key: str
    """The key of the rule."""
    is_paused: bool
    resumed_at: Moment
    """When it went on."""


class WebHookConfigRevisionView(View):
    """What a configuration was after a change.

    `change` is one of `created updated activated deactivated paused resumed deleted`.
    """

    config_id: int
    key: str
    """The key of the rule."""
    revision: int
    change: str
    """What was done."""
    author: str
    """Who did it, by id."""
    drafted_by: str | None = None
    """Who wrote the draft that was published, by name."""
    comment: str | None = None
    """What was said about the change."""
    definition: dict[str, Any]
    """What it was afterwards, secrets as `***`."""
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
            **shown_definition(row.definition, context),
            "id": row.id,
            "key": row.key,
            "url": url_of(row.path, base_url),
            "isPaused": row.paused_at is not None,
            "pausedAt": row.paused_at,
            "revision": row.revision,
            "author": row.author_name,
            "appliedAt": row.applied_at,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
            "warnings": [*(warnings or ()), *([CONTESTED] if row.is_contested else ())],
        }
    )


def to_revision_view(row: WebhookConfigRevision, context: Context) -> WebHookConfigRevisionView:
    """Show one revision; its secrets were redacted when it was stored."""
    values = {**row.model_dump(), "definition": shown_definition(row.definition, context), "author": row.author_name}
    return WebHookConfigRevisionView.model_validate(values)


def shown_definition(definition: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return the fields; who may not change them is not shown the secrets that are written into a script."""
    may_write = context.principal.allows("webhooks:write")
    return definition_for_view(definition, context.box, with_secrets=may_write)
