"""What answers show of a configuration beside the fields that can be changed: it may be sent back with them."""

from pydantic import Field

from bpm.bus import Id, Integer, Moment, WireModel
from bpm.errors import Invalid
from router.config import WebHookFields
from router.tables.configs import WebhookConfig


class ShownFields(WireModel):
    """What an answer shows of a configuration and nobody changes by sending it."""

    key: str | None = None
    """By which its users know it; it never changes."""
    is_paused: bool | None = None
    """Whether it is paused; `PauseWebHookConfigCommand` and `ResumeWebHookConfigCommand` change that."""
    paused_at: Moment | None = None
    """When it was paused; passed over."""
    url: str | None = None
    """The address that a provider is given; passed over, `path` says it."""
    author: str | None = None
    """Who saved it last; passed over."""
    applied_at: Moment | None = None
    """When files were applied that hold it; passed over."""
    created_at: Moment | None = None
    """When it was created; passed over."""
    updated_at: Moment | None = None
    """When it was last changed; passed over."""
    warnings: list[str] = Field(default_factory=list[str])
    """What looked wrong when it was saved; passed over."""


class TriedFields(WebHookFields, ShownFields):
    """The fields of a configuration that is tried, also as an answer shows them."""

    id: Id | None = None
    """Passed over: the message itself names the saved configuration."""
    revision: Integer | None = None
    """Passed over: what is tried is not saved."""


def require_unchanged(fields: ShownFields, row: WebhookConfig) -> None:
    """Raise `Invalid` where a field says something else than the row, and another message would be needed for it."""
    problems: list[str] = []
    if fields.key not in (None, row.key):
        problems.append(f"key: is {row.key} and never changes; create a configuration with another key")
    if fields.is_paused not in (None, row.paused_at is not None):
        name = "PauseWebHookConfigCommand" if fields.is_paused else "ResumeWebHookConfigCommand"
        problems.append(f"isPaused: is changed by {name}")
    if problems:
        raise Invalid(*problems)
