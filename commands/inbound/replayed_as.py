"""By what somebody may have a request executed that is driven again."""

from bpm.bus import Context
from bpm.errors import Conflict, Forbidden, NotFound
from bpm.security.permissions import Permission
from bpm.store.organizations import has_feature
from router.replay import ReplayedAs, rule_row
from router.tables.drafts import find_draft
from router.tables.requests import RequestRow

READ_RULES: Permission = "webhooks:read"
WRITE_RULES: Permission = "webhooks:write"
WHAT = "Executing a request by another revision of its rule"
REVIEWED = (
    "draftId: in this organisation a draft executes nothing before somebody else has published it; "
    "try it with TestWebHookConfigCommand"
)


def replayed_as_of(row: RequestRow, revision: int | None, draft_id: int | None, context: Context) -> ReplayedAs | None:
    """Return by what a request is to be executed; None for its rule as it is.

    Raises `Forbidden`, `NotFound`, and `Conflict` for a request that no rule takes, or a draft of another one.
    """
    if revision is None and draft_id is None:
        return None
    for permission in (READ_RULES, WRITE_RULES):
        context.require(context.principal, permission, WHAT)
    if row.config_id is None:
        raise Conflict("the request came to no rule, so there is no other revision of it")
    if draft_id is not None:
        revision = _revision_of_draft(row, draft_id, context)
    assert revision is not None
    replayed_as = ReplayedAs(revision, draft_id, context.principal.standing)
    rule_row(context.tx, row, replayed_as)
    return replayed_as


def _revision_of_draft(row: RequestRow, draft_id: int, context: Context) -> int:
    """Return how often the draft was saved: it is executed as it is now, or not at all."""
    if has_feature(context.tx, context.organization_id, "rule_review"):
        raise Forbidden(REVIEWED)
    draft = find_draft(context.tx, context.organization_id, draft_id)
    if draft is None:
        raise NotFound("draftId: no draft found with the specified ID")
    if draft.config_id != row.config_id:
        raise Conflict("draftId: is not a draft of the rule that the request came to")
    return draft.revision
