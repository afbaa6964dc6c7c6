"""Work takes the turn of the organisation whose it is, whoever asks for its job: much of one keeps only its own."""

from typing import Any

import pytest

from bpm.jobs.tables import TOKENS
from bpm.process.jobs import PIECES_AT_ONCE
from bpm.testing import running_app, until
from tests.attacks.people import END, bpmn
from tests.commands.playing import bpmn as notation_bpmn
from tests.contracts.tenants import PUBLISH, Tenant, tenant

pytestmark = pytest.mark.anyio

BY_TIMER = (
    '<startEvent id="s"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></startEvent>'
)
WAITS = (
    '<startEvent id="s"/>',
    '<intermediateCatchEvent id="c"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>'
    "</intermediateCatchEvent>",
    END,
)
LONG = """start s; end e; sub q many sequential over items as i {
start a; script t: n = i; end b
a -> t -> b
}
s -> q -> e"""
RULE = {"description": "d", "isEnabled": True, "action": "POST", "executionType": 0, **PUBLISH}


async def _work_of_every_kind(client: Any, http: Any) -> None:
    """Have one of everything that a job does: none is done, for there is no worker."""
    await client.cmd("CreateSubscriptionCommand", name="s", url="https://example.com/x", events=["order.*"])
    await client.cmd("PublishEventCommand", event="order.created")
    made = await client.cmd("CreateWebHookConfigCommand", key="turns", path="turns", **RULE)
    assert (await http.post("/api/webhooks/turns", json={})).status_code == 200
    await client.cmd("CreateProcessDefinitionCommand", name="t", bpmnXml=bpmn("t", BY_TIMER, END))
    waits = await client.cmd("CreateProcessDefinitionCommand", name="w", bpmnXml=bpmn("w", *WAITS))
    await client.cmd("StartProcessInstanceCommand", processDefinitionId=waits["id"])
    begun = {"name": "b", "bpmnXml": bpmn("b", '<startEvent id="s"/>', END), "triggerEvents": ["begin.it"]}
    await client.cmd("CreateProcessDefinitionCommand", **begun)
    await client.cmd("PublishEventCommand", event="begin.it")
    planned = await client.cmd("PlanBulkJobCommand", action="cancelDeliveries", selection={"state": "pending"})
    await client.cmd("StartBulkJobCommand", bulkId=planned["id"])
    await client.cmd("BackTestWebHookConfigCommand", id=made["id"], count=1_001)


async def test_jobs_that_are_made_anew_say_whose_they_are() -> None:
    """Those that the reconciler makes of every kind: they took the turn of nobody in particular, all of them one."""
    async with running_app(worker=False, delivery={"probe": "off"}) as app:
        owner = await tenant(app, app.http, "Acme")
        await _work_of_every_kind(owner.client, app.http)
        await app.app.database.write(lambda tx: tx.connection.execute(TOKENS.delete()))
        for kind in app.app.worker.kinds:
            jobs = await app.app.database.read(lambda tx, kind=kind: kind.pending(tx, 100))
            assert {job.organization_id for job in jobs} == {owner.id}, kind.name


async def test_long_work_of_one_organisation_comes_between_that_of_others() -> None:
    """Its pieces stood behind one of each instance of another organisation's, however many these were."""
    deployed = {"name": "long", "bpmnXml": notation_bpmn(LONG, "long")}
    begin = {"variables": {"items": list(range(1_500))}, "executionMode": "FireAndForget"}
    async with running_app(processes={"max_unattended_steps": 1_000_000}) as app:
        one, other = [await tenant(app, app.http, name) for name in ("Acme", "Beta")]
        for owner in (one, other):
            owner.has["long"] = (await owner.client.cmd("CreateProcessDefinitionCommand", **deployed))["id"]
        pieces = app.app.components.processes.jobs._pieces  # pyright: ignore[reportPrivateUsage] held until all wait
        for _ in range(PIECES_AT_ONCE):
            await pieces.acquire()
        for _ in range(20):
            await one.client.cmd("StartProcessInstanceCommand", processDefinitionId=one.has["long"], **begin)
        await other.client.cmd("StartProcessInstanceCommand", processDefinitionId=other.has["long"], **begin)
        await until(lambda: app.app.jobs.running == 21, seconds=60)
        for _ in range(PIECES_AT_ONCE):
            pieces.release()
        await until(lambda: ended(other), seconds=240)
        assert await ended(one) <= 5


async def ended(owner: Tenant) -> int:
    """Return how many instances of an organisation have ended."""
    return (await owner.client.cmd("GetProcessInstanceListQuery", status="COMPLETED", pageSize=1))["totalCount"]
