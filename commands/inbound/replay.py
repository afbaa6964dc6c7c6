"""Drive captured requests again, one or many, or give one up."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Moment, View, handles
from bpm.bus.messages import Id, Integer
from bpm.errors import BpmError, Unavailable
from commands.inbound.lookup import get_or_404
from commands.inbound.replayed_as import replayed_as_of
from commands.inbound.selection import READ, RequestFilter, RequestId, unchosen
from commands.inbound.views import Content, InboundRequestView, Verdict, to_view
from router.replay import Replays
from router.replay.tables import count, oldest
from router.tables.requests import State

BATCH = 50
"""How many requests of a bulk are opened at once, each in a transaction of its own."""

MAX_SHOWN = 10


class ReplayView(View):
    """What became of a wish to drive a request again.

    When it was not `replayed`, `verdict` is the cause for which it is refused still, and `errors` say why. `attempt`
    is how many attempts were made before, `replayCount` how often the request was driven again, this time included.
    """

    request_id: str
    replayed: bool
    """Whether it was driven again."""
    state: State
    """The state in which it is now."""
    verdict: Verdict
    attempt: int
    """How many attempts were made before."""
    replay_count: int
    errors: Annotated[list[str], Content] = Field(default_factory=list[str])


class ReplayInboundRequestCommand(Command[ReplayView]):
    """Drive a captured request again, by its rule as it is now: as a further attempt of the same request.

    One that was refused is judged again first (but for its rate) and stays refused when it still does not
    pass. One that was executed successfully is done a second time only with `force`.

    The rule as it is now judges in any case; what the request becomes is said by an earlier `revision` of it, or by a
    draft (`draftId`), where one is named. That needs `webhooks:read` and `webhooks:write` as well, and does nothing
    that you, the rule's people, and whoever saved the revision or the draft may not do now. Where the organisation
    wants a second pair of eyes (`ruleReview`), nothing is executed by a draft.
    """

    permission = "inbound:write"
    succeeded = "Replay requested"
    failed = "Replay failed"

    request_id: RequestId
    force: bool = False
    """Also one that was executed successfully."""
    revision: Integer | None = None
    """The revision of its rule by which it is executed."""
    draft_id: Id | None = None
    """The draft of its rule by which it is executed."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A revision and a draft are two answers to one question."""
        if fields.get("revision") is not None and fields.get("draftId") is not None:
            yield "draftId: can't be set together with revision"


@handles
async def replay(command: ReplayInboundRequestCommand, context: EffectContext, replays: Replays) -> ReplayView:
    """Judge outside any transaction, then open the request if it has not changed."""
    row = await context.read(lambda inside: get_or_404(command.request_id, inside))
    judgement = replays.judge(row, context.now(), force=command.force)

    def reopen(inside: Context) -> ReplayView:
        replayed_as = replayed_as_of(row, command.revision, command.draft_id, inside)
        found = replays.reopen(inside.tx, row, judgement, inside.envelope, inside.now(), replayed_as)
        return ReplayView.model_validate(
            {
                "request_id": row.request_id,
                "replayed": found.replayed,
                "state": found.state,
                "verdict": found.verdict,
                "attempt": row.attempt,
                "replay_count": row.replay_count + found.replayed,
                "errors": [found.detail] if found.detail is not None else [],
            }
        )

    return await context.conclude(reopen)


class NotReplayedView(View):
    """A request of a bulk that was not driven again, and why."""

    request_id: str
    errors: Annotated[list[str], Content]


class ReplaysView(View):
    """What became of a bulk: `matched` requests fit, `replayed` were driven again, `skipped` not, `remaining` are left.

    `sample` shows the first that match to whoever may read them, `notReplayed` the first that were skipped; a search
    for words looked at those received since `searchedSince`, or at all.
    """

    matched: int
    """How many requests fit."""
    replayed: int
    """How many were driven again."""
    skipped: int
    """How many were not."""
    remaining: int
    """How many are left for another call."""
    sample: list[InboundRequestView]
    """The first that match."""
    not_replayed: list[NotReplayedView]
    """The first that were skipped, each with its reason."""
    searched_since: Moment | None = None
    """Only requests since then were searched; null for all."""


@dataclass(frozen=True, slots=True)
class FoundRequests:
    """The requests of a bulk: how many match, the ids of those within the limit, the first ones, how far back."""

    matched: int
    ids: Sequence[str]
    sample: list[InboundRequestView]
    since: datetime | None


class ReplayInboundRequestsCommand(RequestFilter, Command[ReplaysView]):
    """Drive all captured requests again that match, the oldest first; `preview` only counts them and shows some.

    The filters are those of `GetInboundRequestListQuery`; `searchText` needs `inbound:read` as well. Each request is
    opened in a transaction of its own, so what was done stays done when the rest fails. With more than `limit`
    matches, send it again. One that was broken off goes on under the same `Idempotency-Key`, and drives none twice. A
    bulk job (`PlanBulkJobCommand`) does the same in the background, can be cancelled, and keeps the list of what it
    touched.
    """

    permission = "inbound:write"
    succeeded = "Replay requested"
    failed = "Replay failed"
    time_limit = 3_600.0
    sample = {"state": "dead", "preview": True}

    limit: Annotated[Integer, Field(ge=1, le=10_000)] = 1_000
    preview: bool = False
    force: bool = False
    """Also those that were executed successfully."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """What is driven again is chosen; what succeeded only on purpose."""
        yield from unchosen(fields)
        if fields.get("state") == "done" and fields.get("force") is not True:
            yield "force: must be true to execute again what was executed successfully (state done)"


@handles
async def replay_many(command: ReplayInboundRequestsCommand, context: EffectContext) -> ReplaysView:
    """Send the command for each, some at a time."""
    found = await context.read(lambda inside: _found(command, inside))
    ids = () if command.preview else found.ids
    refused: list[NotReplayedView] = []
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        views = await asyncio.gather(*(_one(request_id, command.force, context) for request_id in batch))
        refused += [view for view in views if view is not None]
    return ReplaysView(
        matched=found.matched,
        replayed=len(ids) - len(refused),
        skipped=len(refused),
        remaining=found.matched - len(ids),
        sample=found.sample,
        not_replayed=refused[:MAX_SHOWN],
        searched_since=found.since,
    )


class DiscardInboundRequestCommand(Command[InboundRequestView]):
    """Give a captured request up: it is neither tried nor driven again.

    Its state is `dead` and its verdict `discarded` from then on; who did it and why stands in `errors`.
    """

    permission = "inbound:write"
    succeeded = "Inbound request discarded"
    failed = "Discarding failed"

    request_id: RequestId
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@handles
def discard(command: DiscardInboundRequestCommand, context: Context, replays: Replays) -> InboundRequestView:
    """Discard it, unless it was executed."""
    row = get_or_404(command.request_id, context)
    replays.discard(context.tx, row, command.reason, context.principal.name, context.now())
    return to_view(get_or_404(command.request_id, context))


def _found(command: ReplayInboundRequestsCommand, context: Context) -> FoundRequests:
    statement, since = command.matching(context)
    ids = oldest(context.session, statement, command.limit)
    shown = ids[:MAX_SHOWN] if context.principal.allows(READ) else ()
    rows = [get_or_404(request_id, context) for request_id in shown]
    return FoundRequests(count(context.session, statement), ids, [to_view(row) for row in rows], since)


async def _one(request_id: str, force: bool, context: EffectContext) -> NotReplayedView | None:
    """Drive one again; returns why not.

    By force it could be done twice when a bulk that was broken off is sent again under its key: so each has a key, too.
    """
    key = context.effect_key if force and context.envelope.idempotency_key is not None else None
    try:
        view = await context.send(ReplayInboundRequestCommand(request_id=request_id, force=force), idempotency_key=key)
    except Unavailable:
        raise
    except BpmError as error:
        return NotReplayedView(request_id=request_id, errors=list(error.errors))
    return None if view.replayed else NotReplayedView(request_id=request_id, errors=view.errors)
