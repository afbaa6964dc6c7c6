"""What is read whole to answer with a little of it: a reader or the event loop was held, and memory taken."""

import json
from typing import Any

import pytest

from bpm.bus.tables import AUDIT
from bpm.errors import NotFound
from bpm.store import Transaction, utc_now
from bpm.testing import RunningApp, running_app
from tests.effort import effort_below

pytestmark = pytest.mark.anyio

SAME = "one-id-of-many"


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> Any:
    """One running application."""
    async with running_app(worker=False) as running:
        yield running


def audit_line(number: int) -> dict[str, Any]:
    """Return a line of the audit log whose fields are large."""
    told = {"principal": "user:1", "principal_name": "admin", "type": "PublishEventCommand", "address": "", "ok": True}
    ids = {"request_id": f"r{number}", "correlation_id": SAME}
    return {**told, **ids, "organization_id": 1, "created_at": utc_now(), "fields": {"data": [1.5] * 100_000}}


async def test_a_trace_reads_no_fields_of_its_messages(app: RunningApp) -> None:
    """Fifty large commands under one id took a reader ten seconds and 400 MB, and nothing was answered."""

    def keep(tx: Transaction) -> None:
        for number in range(20):
            tx.connection.execute(AUDIT.insert(), audit_line(number))

    await app.app.database.write(keep)
    with effort_below(0.5):
        trace = await app.cmd("GetTraceQuery", id=SAME)
    assert [message["requestId"] for message in trace["messages"]] == [f"r{number}" for number in range(20)]


async def test_no_more_rules_are_exported_than_have_room(app: RunningApp) -> None:
    """Their fields count, not their scripts alone: hundreds of megabytes were read, held and answered."""
    step = {"commandName": "PublishEventCommand", "parameters": {"event": "e", "data": {"text": "x" * 60_000}}}
    for number in range(18):
        await app.rule(f"large{number:02}", executionType=1, commandChain=[step] * 16)
    refused = await app.send("ExportConfigurationQuery", {})
    assert refused.status == 422
    assert "there is more than can be read at once" in refused.errors[0]
    found = await app.cmd("PlanConfigurationQuery", parts=[], prune=False)
    assert found["changes"] == []


def test_a_name_without_end_is_not_taken_apart(app: RunningApp) -> None:
    """A megabyte of dots took a quarter of a second in which nobody else was answered."""
    registry = app.app.bus.registry
    with effort_below(0.1), pytest.raises(NotFound):
        registry.find("a." * 450_000)


async def test_a_list_of_many_wrong_elements_is_not_judged_one_by_one(app: RunningApp) -> None:
    """Two hundred thousand had four hundred thousand problems, which took seconds at a stretch."""
    body: dict[str, Any] = {"notifications": [{"rrr": "1"}], "rejected": [{}] * 200_000}
    assert len(json.dumps(body)) < 1024 * 1024
    with effort_below(1):
        refused = await app.send("ProcessRemitaPaymentNotificationCommand", body)
    assert refused.status == 422
    assert "rejected: must have at most 2000 items" in refused.errors[0]
