"""Where a change of a rule comes from: written as it is saved, or a draft that somebody publishes."""

from collections.abc import Iterable
from dataclasses import dataclass

from bpm.accounts.makers import people_behind
from bpm.bus import Context
from bpm.errors import Forbidden
from bpm.security.permissions import Authority
from bpm.store.organizations import has_feature
from router.tables.drafts import WebhookDraft

REVIEWED = "rules of this organisation change only by drafts that somebody else publishes (PublishWebHookDraftCommand)"
BY_A_PERSON = "a draft of this organisation is published by a person who has signed in"
OWN_DRAFT = "you have written this draft yourself, or a key of yours has; in this organisation somebody else publishes"


@dataclass(frozen=True, slots=True)
class ChangeOrigin:
    """What is written down about a change; `drafter` is on whose behalf a published draft acts beside its publisher."""

    comment: str | None = None
    drafted_by: str | None = None
    drafter: Authority | None = None

    @classmethod
    def of(cls, draft: WebhookDraft) -> "ChangeOrigin":
        """Return the origin that a draft is."""
        return cls(draft.comment or None, draft.author_name, Authority.from_json(draft.authority))


WRITTEN = ChangeOrigin()
"""The change is saved by whoever wrote it."""


def require_reviewed(origin: ChangeOrigin, context: Context) -> None:
    """Raise `Forbidden` for a change that is no published draft, where the organisation wants every one reviewed."""
    if origin.drafter is None and has_feature(context.tx, context.organization_id, "rule_review"):
        raise Forbidden(REVIEWED)


def why_not_publisher(authors: Iterable[str], context: Context) -> str | None:
    """Say why the sender may not publish a draft that these accounts wrote; None when they may.

    A key is its owner's and its maker's, so that nobody publishes their own draft by way of one.
    """
    if not has_feature(context.tx, context.organization_id, "rule_review"):
        return None
    if context.principal.kind != "user":
        return BY_A_PERSON
    return OWN_DRAFT if context.principal.id in people_behind(context.tx, authors) else None
