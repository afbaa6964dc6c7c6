"""Bulk jobs: a frozen list, one message for each row on behalf of whoever asked, an end that may come early."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bpm.app import Components
from bpm.bulk.tables import JOBS, KIND, ROWS
from bpm.clock import system_clock
from bpm.errors import Conflict, Forbidden, Invalid, NotFound, Poisoned
from bpm.jobs import Job
from bpm.security.permissions import Authority, Principal, permissions_of
from bpm.settings import RetentionSettings
from bpm.store.retention import Share
from bpm.testing import RunningApp, running_app, until
from commands.bulk import jobs as planning
from commands.bulk.retention import POLICIES
from tests.commands import playing
from tests.commands.sender import ADMIN, MessageSender, stranger
from tests.crowd import fill

pytestmark = pytest.mark.anyio

DEAD: dict[str, Any] = {
    "state": "dead",
    "cause": None,
    "config_id": None,
    "config_key": "orders",
    "errors": ["order 1 is unknown"],
}
DISCARD: dict[str, Any] = {"action": "discardRequests", "fields": {"reason": "nobody needs them"}}
DEAD_ONES = {"selection": {"state": "dead"}}


async def plan(sender: MessageSender, count: int = 45, principal: Principal = ADMIN, **fields: Any) -> dict[str, Any]:
    """Store dead requests, and plan to discard them."""
    await fill(sender.database, count, **DEAD)
    return await sender.send("PlanBulkJobCommand", principal, **DISCARD, **DEAD_ONES, **fields)


async def begun(sender: MessageSender, **fields: Any) -> dict[str, Any]:
    planned = await plan(sender, **fields)
    return await sender.send("StartBulkJobCommand", bulkId=planned["id"])


async def step(components: Components, job: dict[str, Any], turn: int) -> None:
    """Do what a worker does at a turn of a job."""
    await components.bulk.run(Job(KIND, job["id"], turn, system_clock(), 1))


async def standing(sender: MessageSender, job: dict[str, Any]) -> tuple[str, int, int, int]:
    shown = await sender.send("GetBulkJobByIdQuery", bulkId=job["id"])
    return shown["state"], shown["done"], shown["refused"], shown["left"]


async def discarded(sender: MessageSender) -> int:
    return (await sender.send("GetInboundRequestListQuery", verdict="discarded"))["totalCount"]


async def test_what_was_planned_is_done_and_nothing_that_came_later(
    sender: MessageSender, components: Components
) -> None:
    """A job goes through its list in steps; what matches by then as well is left alone."""
    planned = await plan(sender)
    assert (planned["state"], planned["matched"], planned["total"], planned["left"]) == ("planned", 45, 45, 45)
    assert planned["selection"] == {"state": "dead"}
    await fill(sender.database, 5, start=system_clock(), **DEAD)
    await step(components, planned, 0)
    assert await standing(sender, planned) == ("planned", 0, 0, 45)
    await sender.send("StartBulkJobCommand", bulkId=planned["id"])
    seen: list[tuple[str, int, int, int]] = []
    for turn in range(4):
        await step(components, planned, turn)
        seen.append(await standing(sender, planned))
    assert seen == [("running", 20, 0, 25), ("running", 40, 0, 5), ("running", 45, 0, 0), ("done", 45, 0, 0)]
    assert await discarded(sender) == 45


async def test_the_list_says_what_came_of_each_row(sender: MessageSender, components: Components) -> None:
    """A row that is refused says why; the others are done all the same, each with a line in the audit log."""
    job = await begun(sender, count=3)
    (second,) = (await sender.send("GetBulkJobRowListQuery", bulkId=job["id"]))["items"][1:2]
    await sender.send("DiscardInboundRequestCommand", requestId=second["ref"], reason="by hand, before")
    await step(components, job, 0)
    assert await standing(sender, job) == ("running", 2, 1, 0)
    page = await sender.send("GetBulkJobRowListQuery", bulkId=job["id"])
    assert [(row["number"], row["state"]) for row in page["items"]] == [(1, "done"), (2, "refused"), (3, "done")]
    (refused,) = (await sender.send("GetBulkJobRowListQuery", bulkId=job["id"], state="refused"))["items"]
    assert refused["errors"] == ["a request that is discarded can't be discarded"]
    audited = await sender.send("GetAuditLogQuery", correlationId=job["correlationId"])
    assert [line["type"] for line in audited["items"]].count("DiscardInboundRequestCommand") == 3


async def test_a_cancelled_job_touches_nothing_further(sender: MessageSender, components: Components) -> None:
    """What is done stays done, the rest stays in the list as waiting; a worker that goes on is fenced out."""
    job = await begun(sender)
    await step(components, job, 0)
    answer = await sender.send("CancelBulkJobCommand", bulkId=job["id"])
    assert (answer["state"], answer["done"], answer["left"]) == ("cancelled", 20, 25)
    await step(components, job, 1)
    assert (await standing(sender, job), await discarded(sender)) == (("cancelled", 20, 0, 25), 20)
    left = await sender.send("GetBulkJobRowListQuery", bulkId=job["id"], state="waiting")
    assert (left["totalCount"], left["items"][0]["number"]) == (25, 21)
    for name in ("CancelBulkJobCommand", "StartBulkJobCommand"):
        with pytest.raises(Conflict, match="is cancelled"):
            await sender.send(name, bulkId=job["id"])


async def test_a_plan_that_nobody_starts_leaves_no_list(sender: MessageSender) -> None:
    """However often somebody plans and cancels, nothing but the jobs' own rows is kept."""
    await fill(sender.database, 5, **DEAD)
    for _ in range(3):
        planned = await sender.send("PlanBulkJobCommand", **DISCARD, **DEAD_ONES)
        await sender.send("CancelBulkJobCommand", bulkId=planned["id"])
        assert (await sender.send("GetBulkJobRowListQuery", bulkId=planned["id"]))["totalCount"] == 0
    assert await sender.database.read(lambda tx: tx.connection.execute(ROWS.select()).all()) == []


async def test_plans_go_after_a_day_and_jobs_that_ran_stay(sender: MessageSender) -> None:
    """The retention lets go what nobody started."""
    started = await begun(sender, count=2)
    planned = await sender.send("PlanBulkJobCommand", **DISCARD, **DEAD_ONES)
    policy = next(each for each in POLICIES if each.name == "plans of bulk jobs")
    later = system_clock() + timedelta(days=1, minutes=1)
    before = policy.before(RetentionSettings(), later)
    assert before is not None
    found = await sender.database.read(lambda tx: policy.find(tx, Share(1, before), None))
    ids = {each[0] for each in found}
    assert (planned["id"] in ids, started["id"] in ids) == (True, False)


async def test_a_list_is_kept_from_the_end_of_its_job(sender: MessageSender) -> None:
    """A job that went on for longer than lists are kept is not gone in the moment in which it ends."""
    now = system_clock()
    job = await begun(sender, count=1)
    policy = next(each for each in POLICIES if each.name == "bulk jobs")
    before = policy.before(RetentionSettings(), now)
    assert before is not None
    for ended, is_gone in ((now, False), (before - timedelta(days=1), True)):
        values = {"created_at": now - timedelta(days=1_000), "completed_at": ended, "state": "done"}
        await sender.database.write(lambda tx, values=values: tx.connection.execute(JOBS.update().values(values)))
        found = await sender.database.read(lambda tx: policy.find(tx, Share(1, before), None))
        assert (job["id"] in [each[0] for each in found]) is is_gone


async def test_each_row_is_done_once_whoever_runs_it(sender: MessageSender, components: Components) -> None:
    """Two workers at one turn, as after a takeover, do each row once; a step that was cut off is taken up again."""
    job = await begun(sender, count=25)
    await asyncio.gather(step(components, job, 0), step(components, job, 0))
    assert await standing(sender, job) == ("running", 20, 0, 5)
    pending = await sender.database.read(lambda tx: components.bulk.pending(tx, 10))
    assert pending == []  # the turn that comes next has its token
    assert await discarded(sender) == 20


async def test_rights_are_asked_again_at_each_step(sender: MessageSender, components: Components) -> None:
    """Whoever may do it no more ends the job there; the sentence says so."""
    await sender.add_user(username="admin", password_hash="x", roles=["admin"])
    await sender.add_user(username="op", password_hash="x", roles=["operator"])
    operator = Principal("user", "user:2", "op", 1, permissions_of(["operator"]), Authority(("user:2",)))
    await fill(sender.database, 30, **DEAD)
    planned = await sender.send("PlanBulkJobCommand", operator, **DISCARD, **DEAD_ONES)
    await sender.send("StartBulkJobCommand", operator, bulkId=planned["id"])
    await step(components, planned, 0)
    assert await standing(sender, planned) == ("running", 20, 0, 10)
    await sender.send("UpdateUserCommand", id=2, roles=["viewer"])
    await step(components, planned, 1)
    shown = await sender.send("GetBulkJobByIdQuery", bulkId=planned["id"])
    assert (shown["state"], shown["done"], shown["left"]) == ("failed", 20, 10)
    assert "inbound:write" in shown["error"]


async def test_a_job_needs_what_its_messages_need(sender: MessageSender) -> None:
    """Nobody plans, starts or reads with many rows what they may not do with one; other organisations see nothing."""
    planned = await plan(sender, count=1)
    messenger = replace(ADMIN, permissions=frozenset({"messages:read", "messages:write"}))
    with pytest.raises(Forbidden, match="inbound:write"):
        await sender.send("PlanBulkJobCommand", messenger, **DISCARD, **DEAD_ONES)
    for name in ("StartBulkJobCommand", "GetBulkJobByIdQuery", "GetBulkJobRowListQuery"):
        with pytest.raises(Forbidden):
            await sender.send(name, messenger, bulkId=planned["id"])
        with pytest.raises(NotFound):
            await sender.send(name, stranger(), bulkId=planned["id"])
    assert (await sender.send("GetBulkJobListQuery", stranger()))["items"] == []
    assert [job["id"] for job in (await sender.send("GetBulkJobListQuery"))["items"]] == [planned["id"]]


async def test_a_selection_is_bounded_and_checked(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are chosen, what is left is told; nothing chosen, unknown fields and too many jobs are refused."""
    planned = await plan(sender, count=12, limit=10)
    assert (planned["matched"], planned["total"]) == (12, 10)
    with pytest.raises(NotFound, match="Nothing matches"):
        await sender.send("PlanBulkJobCommand", **DISCARD, selection={"state": "failed"})
    with pytest.raises(Invalid, match="state"):
        await sender.send("PlanBulkJobCommand", **DISCARD, selection={})
    with pytest.raises(Invalid, match="reason"):
        await sender.send("PlanBulkJobCommand", action="discardRequests", **DEAD_ONES)
    monkeypatch.setattr(planning, "MAX_OPEN", 1)
    with pytest.raises(Invalid, match="planned or running"):
        await sender.send("PlanBulkJobCommand", **DISCARD, **DEAD_ONES)


async def test_a_group_of_failures_is_chosen_by_its_fingerprint(sender: MessageSender) -> None:
    """The job's list is the group's, however many other failures there are."""
    await fill(sender.database, 3, **DEAD)
    await fill(sender.database, 2, **{**DEAD, "errors": ["no stock"]}, start=system_clock())
    groups = (await sender.send("GetInboundFailureGroupsQuery"))["items"]
    group = next(group for group in groups if group["count"] == 3)
    chosen = {"selection": {"fingerprint": group["fingerprint"]}}
    assert (await sender.send("PlanBulkJobCommand", action="replayRequests", **chosen))["total"] == 3


async def test_a_job_that_ends_its_process_is_given_up(sender: MessageSender, components: Components) -> None:
    """After several deaths it has failed, with what is done and what is left."""
    job = await begun(sender, count=25)
    await step(components, job, 0)
    await components.bulk.give_up(Job(KIND, job["id"], 1, system_clock(), 1), Poisoned("ended the server 3 times"))
    shown = await sender.send("GetBulkJobByIdQuery", bulkId=job["id"])
    assert (shown["state"], shown["error"], shown["left"]) == ("failed", "ended the server 3 times", 5)


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> AsyncIterator[RunningApp]:
    """The whole application, with its worker."""
    async with running_app(delivery={"allowed_networks": "127.0.0.0/8", "probe": "off"}) as running:
        yield running


async def ended(app: RunningApp, action: str, selection: dict[str, Any]) -> dict[str, Any]:
    """Plan, start, and wait for the end."""
    planned = await app.cmd("PlanBulkJobCommand", action=action, selection=selection)
    await app.cmd("StartBulkJobCommand", bulkId=planned["id"])
    return await until(
        lambda: app.cmd("GetBulkJobByIdQuery", bulkId=planned["id"]), lambda job: job["state"] != "running"
    )


async def test_incidents_are_retried_by_a_worker(app: RunningApp) -> None:
    """Those of one process, or at one element; each instance goes on."""
    await playing.deploy(app, "start s; call c: nobody; end e\ns -> c -> e", "broken")
    for _ in range(3):
        await playing.start(app, "broken")
    await until(lambda: app.cmd("SelectIncidentsQuery", processKey="broken"), lambda found: found["matched"] == 3)
    assert (await app.cmd("SelectIncidentsQuery", processKey="broken", elementId="e"))["matched"] == 0
    await playing.deploy(app, "start s; end e\ns -> e", "nobody")
    job = await ended(app, "retryIncidents", {"processKey": "broken"})
    assert (job["state"], job["done"], job["refused"]) == ("done", 3, 0)
    await playing.instances(app, "broken", 3)


async def test_deliveries_are_cancelled_and_sent_again_by_a_worker(app: RunningApp) -> None:
    """Deliveries that are kept for an inactive subscription are given up; sending them needs it to be active."""
    made = await app.cmd("CreateSubscriptionCommand", url="http://127.0.0.1:1999/x", events=["bulk.*"], isActive=False)
    for number in range(3):
        await app.cmd("PublishEventCommand", event="bulk.made", data={"n": number})
    chosen = {"subscriptionId": made["id"], "state": "paused"}
    assert (await app.cmd("SelectDeliveriesQuery", **chosen))["matched"] == 3
    job = await ended(app, "cancelDeliveries", chosen)
    assert (job["state"], job["done"], job["refused"]) == ("done", 3, 0)
    job = await ended(app, "resendDeliveries", {**chosen, "state": "cancelled"})
    assert (job["state"], job["done"], job["refused"]) == ("done", 0, 3)
    rows = await app.cmd("GetBulkJobRowListQuery", bulkId=job["id"])
    assert "inactive" in rows["items"][0]["errors"][0]
