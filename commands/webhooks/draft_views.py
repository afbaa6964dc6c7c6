"""Drafts of webhook configurations as answers show them: everything but the secrets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import Field

from bpm.bus import Context, Moment, View
from bpm.security.redaction import REDACTED
from commands.webhooks.origin import why_not_publisher
from commands.webhooks.views import shown_definition
from router.config_secrets import redacted_definition
from router.tables import configs
from router.tables.drafts import WebhookDraft


class DiscardedWebHookDraftView(View):
    """A draft that is gone."""

    id: int
    key: str
    """The key of its rule."""


class WebHookDraftView(View):
    """A draft of a rule, which nobody's request meets until it is published."""

    id: int
    key: str
    """The key of its rule."""
    config_id: int | None
    """The rule that it changes; null for a new one."""
    base_revision: int
    """The revision of the rule that it starts from; 0 for a new one."""
    live_revision: int | None
    """The revision that is live; when it is another one, the draft has to be saved anew before it is published."""
    revision: int
    """How often the draft was saved."""
    comment: str
    """What its author says about it."""
    author: str
    """Who saved it last, by name."""
    definition: dict[str, Any]
    """Its fields, secrets as `***`."""
    new_secrets: list[str] = Field(default_factory=list[str])
    """Where it has secrets of its own rather than those of the rule."""
    created_at: Moment
    updated_at: Moment
    why_not: str | None = None
    """Why you may not publish it; null when you may."""
    problems: list[str] = Field(default_factory=list[str])
    """What keeps it from being published, as it was saved just now."""


def to_draft_view(row: WebhookDraft, context: Context, problems: Sequence[str] = ()) -> WebHookDraftView:
    """Show a draft to the sender of the message."""
    live = configs.config_row_by_id(context.tx, context.organization_id, row.config_id) if row.config_id else None
    return WebHookDraftView.model_validate(
        {
            **row.model_dump(exclude={"definition"}),
            "author": row.author_name,
            "live_revision": live.revision if live is not None else None,
            "definition": shown_definition(row.definition, context),
            "new_secrets": sorted(_new_secrets(row.definition, redacted_definition(row.definition), "")),
            "why_not": why_not_publisher(row.authors, context),
            "problems": list(problems),
        }
    )


def _new_secrets(stored: object, redacted: object, place: str) -> Iterator[str]:
    """Yield the places where a draft holds a secret that `redacted` hides."""
    if isinstance(stored, Mapping) and isinstance(redacted, Mapping):
        hidden = cast("Mapping[str, Any]", redacted)
        for name, value in cast("Mapping[str, Any]", stored).items():
            yield from _new_secrets(value, hidden.get(name), f"{place}.{name}".lstrip("."))
    elif isinstance(stored, list) and isinstance(redacted, list):
        pairs = zip(cast("list[Any]", stored), cast("list[Any]", redacted), strict=True)
        for at, (value, hidden) in enumerate(pairs):
            yield from _new_secrets(value, hidden, f"{place}[{at}]")
    elif redacted == REDACTED != stored:
        yield place
