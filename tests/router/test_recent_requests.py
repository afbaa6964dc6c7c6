"""Requests that a process executes from memory: the same as those that are read back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpm.jobs import Job
from bpm.security.identifiers import new_id
from bpm.testing import RunningApp
from router.inbox import Inbox, Source
from router.recent_requests import MAX_BODY_BYTES, MAX_REQUESTS, RecentRequests
from router.request import InboundCall
from router.tables.requests import KIND, PENDING, RequestRow, find_request
from tests.router import probes
from tests.router.conftest import noting, runs

pytestmark = pytest.mark.anyio


async def test_a_request_in_memory_is_the_stored_one(app: RunningApp) -> None:
    """Every column has the value that reading it back gives; it is given once, for the first attempt."""
    inbox, job = await waiting(app, "at-hand", commandName="NoteCommand", parameters={"event": "at-hand"})
    assert inbox.recent.take(Job(KIND, "unknown", 0, job.due_at, 1)) is None
    row = inbox.recent.take(job)
    assert row == await app.app.database.read(lambda tx: find_request(tx, None, job.ref))
    assert inbox.recent.take(job) is None


async def test_what_has_ended_meanwhile_is_not_executed(app: RunningApp) -> None:
    """A request that was discarded after it had been accepted begins no effect and leaves no trace of a command."""
    probes.tries.clear()
    for key, command in {"ended-effect": "DawdleCommand", "ended": "NoteCommand"}.items():
        fields = {"event": key, "seconds": 0.0} if command == "DawdleCommand" else {"event": key}
        _, job = await waiting(app, key, commandName=command, parameters=fields)
        await app.cmd("DiscardInboundRequestCommand", requestId=job.ref, reason="not wanted")
        await app.app.execution.run(job)
        assert await runs(app, key) == 0
    assert not probes.tries


def test_memory_is_bounded() -> None:
    """The oldest requests are let go, large bodies are never held, and a later attempt is always read."""
    recent, now = RecentRequests(), datetime.now(UTC)
    unset = dict.fromkeys(RequestRow._fields)
    for number in range(MAX_REQUESTS + 1):
        recent.keep({**unset, "request_id": str(number), "body": b""})
    recent.keep({**unset, "request_id": "large", "body": b"x" * (MAX_BODY_BYTES + 1)})
    assert [recent.take(Job(KIND, ref, 0, now, 1)) for ref in ("0", "large")] == [None, None]
    taken = recent.take(Job(KIND, "1", 0, now, 1))
    assert taken is not None
    assert taken.request_id == "1"
    assert recent.take(Job(KIND, "2", 1, now, 1)) is None


async def waiting(app: RunningApp, key: str, **fields: Any) -> tuple[Inbox, Job]:
    """Accept a request whose job is due in an hour."""
    await noting(app, key, **fields)
    rule = app.app.routes.by_id((await app.cmd("GetWebHookConfigListQuery", searchText=key))["items"][0]["id"])
    assert rule is not None
    later = datetime.now(UTC) + timedelta(hours=1)
    headers = {"content-type": "application/json", "x-kind": "é"}
    call = InboundCall("POST", key, headers, "a=1", "127.0.0.1", later, b'{"n": 1}', new_id())
    inbox = app.app.execution.inbox
    source = Source.of(rule)
    row = await inbox.row_of(call, source, PENDING, dedupe_key=source.dedupe_key("id-1"))
    assert await inbox.accept(call, row) is None
    return inbox, Job(KIND, call.id, 0, later, 1)
