"""Follow one cause to everything it set in motion, from the id of any part of it."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import Field

from bpm.bus import Context, Query, handles
from bpm.errors import NotFound
from bpm.process.sealing import restored_wait
from bpm.security.permissions import Permission
from commands.traces import tables
from commands.traces.views import Found, Part, TraceView
from router.tables import requests
from router.tables.requests import PASSED, RequestRow

MOST = 100
"""Maximum number shown of each part."""
MOST_INSIDE = 500
"""Maximum number of attempts of deliveries, and of tokens of instances, shown in all."""
MAX_DIGITS = 18
TRACE_ID = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")
RUNS = "GetCodeRunListQuery"
NEEDED: dict[Part, Permission] = {
    "request": "inbound:read",
    "messages": "audit:read",
    "events": "events:read",
    "deliveries": "deliveries:read",
    "instances": "processes:read",
    "runs": "code:read",
}
"""Which permission shows which part."""

T = TypeVar("T")


class GetTraceQuery(Query[TraceView]):
    """Return all that goes back to one cause: the request, messages, events, deliveries, instances, runs of scripts.

    `id` is the id of any of them, their correlation id, or the trace id of a collector; a number is an instance's.
    Each part is shown to whom its own permission allows it, and found by its id only then. At most 100 of each are
    shown, the oldest first, and 500 attempts and tokens in all.
    """

    permission = "traces:read"
    succeeded = "Trace retrieved successfully"
    failed = "Trace not found"

    id: Annotated[str, Field(min_length=1, max_length=200)]
    """The id of anything: a request, event, delivery, run, instance or correlation."""


@handles
def trace(query: GetTraceQuery, context: Context) -> TraceView:
    """Find the cause, then everything that names it."""
    found_as, correlation_id = _cause(query.id, context)
    view = _Trace(context, correlation_id).view(found_as)
    if found_as == "correlation" and not (view.request or view.messages or view.events or view.instances or view.runs):
        raise NotFound("nothing of your organisation has this id, or you may not read it")
    return view


def _cause(id_: str, context: Context) -> tuple[Found, str]:
    """Return what an id is the id of, and the correlation id that this goes back to."""
    id_ = _of_trace(id_)
    for found_as, correlation_id in _tries(id_, context):
        if correlation_id is not None:
            return found_as, correlation_id
    return "correlation", id_


def _of_trace(id_: str) -> str:
    """Return the correlation id that a trace id is made of, as collectors and logs show it; any other id as it is."""
    match = TRACE_ID.fullmatch(id_)
    return "-".join(match.groups()) if match is not None else id_


def _tries(id_: str, context: Context) -> Iterator[tuple[Found, str | None]]:
    session, may_read = context.session, context.principal.allows
    if id_.isdecimal() and id_.isascii() and len(id_) <= MAX_DIGITS and may_read(NEEDED["instances"]):
        yield "instance", tables.correlation_of_instance(session, int(id_))
    if may_read(NEEDED["request"]):
        row = requests.find_request(context.tx, context.organization_id, id_)
        yield "request", row.request_id if row is not None else None
    if may_read(NEEDED["messages"]):
        yield "message", tables.correlation_of_message(session, id_)
    if may_read(NEEDED["events"]):
        yield "event", tables.correlation_of_event(session, id_)
    if may_read(NEEDED["deliveries"]):
        yield "delivery", tables.correlation_of_delivery(session, id_)
    if may_read(NEEDED["runs"]):
        yield "run", next((run["correlationId"] for run in _runs(context, runId=id_)), None)
    if may_read("messages:read"):
        yield "scheduled", tables.correlation_of_scheduled(session, id_)


class _Trace:
    """Collects the parts of a trace, and notes which were cut or hidden."""

    def __init__(self, context: Context, correlation_id: str) -> None:
        self._context = context
        self._session = context.session
        self._id = correlation_id
        self._cut: set[Part] = set()
        self._hidden: list[Part] = [part for part, needed in NEEDED.items() if not context.principal.allows(needed)]

    def view(self, found_as: Found) -> TraceView:
        """Return the whole."""
        parts: dict[str, Any] = {
            "correlation_id": self._id,
            "found_as": found_as,
            "request": next(iter(self._part("request", self._request)), None),
            "messages": self._part("messages", self._messages),
            "events": self._part("events", self._events),
            "deliveries": self._part("deliveries", self._deliveries),
            "instances": self._part("instances", self._instances),
            "runs": self._part("runs", self._runs),
        }
        cut = [part for part in NEEDED if part in self._cut]
        return TraceView.model_validate({**parts, "cut": cut, "hidden": self._hidden})

    def _part(self, part: Part, collect: Callable[[], Sequence[Mapping[str, Any]]]) -> Sequence[Mapping[str, Any]]:
        return [] if part in self._hidden else collect()

    def _within(self, part: Part, rows: Sequence[T], most: int) -> Sequence[T]:
        """Return no more rows than are shown; one more was asked for, which tells whether there is more."""
        if len(rows) > most:
            self._cut.add(part)
        return rows[:most]

    def _request(self) -> list[dict[str, Any]]:
        row = requests.find_request(self._context.tx, self._context.organization_id, self._id)
        return [] if row is None else [self._shown_request(row)]

    def _shown_request(self, row: RequestRow) -> dict[str, Any]:
        attempts = self._within("request", tables.attempts(self._session, row.request_id, MOST + 1), MOST)
        return {**row._asdict(), "verdict": row.cause or PASSED, "attempts": attempts}

    def _messages(self) -> list[dict[str, Any]]:
        rows = self._within("messages", tables.messages(self._session, self._id, MOST + 1), MOST)
        return [{**row._asdict(), "at": row.created_at} for row in rows]

    def _events(self) -> list[dict[str, Any]]:
        rows = self._within("events", tables.events(self._session, self._id, MOST + 1), MOST)
        return [{"id": row.id, "event": row.name, "at": row.created_at} for row in rows]

    def _deliveries(self) -> list[dict[str, Any]]:
        events = tables.events(self._session, self._id, MOST)
        rows = tables.deliveries(self._session, [event.id for event in events], MOST + 1)
        rows = self._within("deliveries", rows, MOST)
        made = tables.delivery_attempts(self._session, [row.id for row in rows], MOST_INSIDE + 1)
        attempts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for attempt in self._within("deliveries", made, MOST_INSIDE):
            attempts[attempt.delivery_id].append({**attempt._asdict(), "at": attempt.created_at})
        return [
            {
                **row.model_dump(),
                "at": row.created_at,
                "next_attempt_at": row.due_at,
                "attempts": attempts[row.id],
            }
            for row in rows
        ]

    def _instances(self) -> list[dict[str, Any]]:
        rows = self._within("instances", tables.instances(self._session, self._id, MOST + 1), MOST)
        standing = tables.tokens(self._session, [row.id for row in rows], MOST_INSIDE + 1)
        tokens: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for token in self._within("instances", standing, MOST_INSIDE):
            tokens[token.instance_id].append(self._token(token))
        return [
            {
                **row._asdict(),
                "instance_id": row.id,
                "at": row.created_at,
                "process_definition_id": row.definition_id,
                "parent_instance_id": row.parent_id,
                "tokens": tokens[row.id],
            }
            for row in rows
        ]

    def _token(self, token: Any) -> dict[str, Any]:
        problem = None
        if token.kind == "incident":
            stored = tables.incident(self._session, token.instance_id, token.wait_id)
            problem = restored_wait(stored, self._context.box).get("message")
        return {**token._asdict(), "since": token.created_at, "problem": problem}

    def _runs(self) -> list[dict[str, Any]]:
        found = _runs(self._context, correlationId=self._id, pageSize=MOST + 1, sortDirection="asc")
        return [{**run, "at": run["createdAt"]} for run in self._within("runs", found, MOST)]


def _runs(context: Context, **wanted: Any) -> list[dict[str, Any]]:
    return context.call(RUNS, wanted)["items"]
