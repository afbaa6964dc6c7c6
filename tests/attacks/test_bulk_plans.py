"""A plan of bulk work is not carried out with more rights than whoever made it has, nor before its list is whole."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.bulk import tables
from bpm.client import ServerRefused
from bpm.testing import RunningApp, running_app, until
from commands.bulk import jobs as planning
from tests.attacks.people import END, START, Person, deploy, incident, names, person, task
from tests.commands import playing

pytestmark = pytest.mark.anyio

BROKEN = task("CreateUserCommand", username="{{name}}", password="{{word}}", roles="{{roles}}")
EVIL = {"name": "evil", "word": "Correct-horse-battery-7", "roles": ["admin"]}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app(tmp_path) as running:
        yield running


@pytest.fixture
async def op(app: RunningApp) -> Person:
    """An operator, who may plan bulk work and make no accounts."""
    return await person(app, "op", "operator")


async def planned_retry(app: RunningApp, op: Person) -> dict[str, Any]:
    """Let an administrator's step fail for want of values, and the operator plan a retry that brings them."""
    await deploy(app, "job", START, BROKEN, END)
    await playing.start(app, "job")
    await incident(app, "job")
    chosen = {"action": "retryIncidents", "selection": {"processKey": "job"}}
    return await op.client.cmd("PlanBulkJobCommand", **chosen, fields={"variables": EVIL})


async def ended(app: RunningApp, job: dict[str, Any]) -> dict[str, Any]:
    """Start a job as the administrator, and wait until it has ended."""
    await app.cmd("StartBulkJobCommand", bulkId=job["id"])
    return await until(
        lambda: app.cmd("GetBulkJobByIdQuery", bulkId=job["id"]), lambda found: found["state"] != "running"
    )


async def test_an_administrator_starts_the_plan_of_an_operator(app: RunningApp, op: Person) -> None:
    """The values that a plan brings are those of whoever planned it: a step asks both."""
    job = await ended(app, await planned_retry(app, op))
    assert (job["state"], job["done"]) == ("done", 1)
    _, sentence = await incident(app, "job")
    assert sentence == "CreateUserCommand needs the permission users:write, which 'op' does not have"
    assert "evil" not in await names(app)


async def test_a_plan_of_somebody_who_has_left(app: RunningApp, op: Person) -> None:
    """Nothing is done by it, whoever starts it."""
    job = await planned_retry(app, op)
    await app.cmd("UpdateUserCommand", id=op.id, isEnabled=False)
    shown = await ended(app, job)
    assert (shown["state"], shown["done"], shown["left"]) == ("failed", 0, 1)
    assert shown["error"] == "The account 'op' is disabled"


async def test_a_plan_whose_list_is_not_whole(app: RunningApp, op: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server leaves it that stops while it plans: nobody starts it, and it counts among those that are open."""
    job = await planned_retry(app, op)
    database = app.app.database
    await database.write(
        lambda tx: tables.switch_state(tx, job["id"], ("planned",), {"state": "cancelled", "completed_at": None})
    )
    with pytest.raises(ServerRefused, match="is cancelled"):
        await app.cmd("StartBulkJobCommand", bulkId=job["id"])
    monkeypatch.setattr(planning, "MAX_OPEN", 1)
    with pytest.raises(ServerRefused, match="1 bulk jobs are planned or running"):
        await app.cmd("PlanBulkJobCommand", action="retryIncidents")


async def test_a_long_list_is_stored_in_pieces(app: RunningApp, op: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write in between; the list is in its order all the same."""
    monkeypatch.setattr(planning, "PIECE", 2)
    await deploy(app, "job", START, BROKEN, END)
    started = [await playing.start(app, "job") for _ in range(5)]
    await until(lambda: app.cmd("SelectIncidentsQuery", processKey="job"), lambda found: found["matched"] == 5)
    job = await op.client.cmd("PlanBulkJobCommand", action="retryIncidents", selection={"processKey": "job"})
    rows = (await app.cmd("GetBulkJobRowListQuery", bulkId=job["id"]))["items"]
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert len({row["ref"] for row in rows}) == len(started)


async def test_fields_of_every_row_are_small(app: RunningApp) -> None:
    """They are read beside everybody else's work, once for each of up to 10,000 rows."""
    many = {"variables": {"text": "x" * 40_000}}
    with pytest.raises(ServerRefused, match="fields: take more than 32 KiB; they are sent with every row"):
        await app.cmd("PlanBulkJobCommand", action="retryIncidents", fields=many)
