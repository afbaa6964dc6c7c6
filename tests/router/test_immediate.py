"""Requests that are executed in the transaction that stores them: what of it can be seen, and when it is not done."""

from collections.abc import AsyncIterator

import pytest

from bpm.bus.costs import ENOUGH_RUNS
from bpm.testing import RunningApp, running_app
from tests.router import probes
from tests.router.conftest import noting, rows, runs, stored, until

pytestmark = pytest.mark.anyio

PROBES = ("NoteCommand", "StumbleCommand")


@pytest.fixture
async def cheap(app: RunningApp) -> AsyncIterator[RunningApp]:
    """The application once it knows what the probes' commands cost, whatever machine this is."""
    for name in PROBES:
        app.app.bus.costs.forget(name)
        for _ in range(ENOUGH_RUNS):
            app.app.bus.costs.note(name, 0.0)
    yield app
    for name in PROBES:
        app.app.bus.costs.forget(name)


async def test_a_cheap_request_is_done_when_it_is_answered(cheap: RunningApp) -> None:
    """Its row, its effect and its audit line are one commit, and no job is left."""
    await noting(cheap, "immediate")
    answer = await cheap.hook("immediate", {})
    assert (answer.status, answer.message) == (200, "Accepted")
    (row,) = await rows(cheap, config_key="immediate")
    assert (row.request_id, row.state, row.attempt, row.message_type) == (
        answer.data["requestId"], "done", 1, "NoteCommand"
    )  # fmt: skip
    assert await runs(cheap, "immediate") == 1


async def test_a_type_that_has_hardly_run_is_left_to_a_worker(app: RunningApp) -> None:
    """What a handler costs is known only after some runs."""
    app.app.bus.costs.forget("NoteCommand")
    assert not app.app.bus.costs.is_cheap("NoteCommand")
    await noting(app, "unknown-cost")
    await app.hook("unknown-cost", {})
    await until(app, "unknown-cost", "done")


async def test_slow_handlers_are_left_to_a_worker(cheap: RunningApp) -> None:
    """A slow run tells at once: nobody's acceptance waits for the next."""
    cheap.app.bus.costs.note("NoteCommand", 1.0)
    assert not cheap.app.bus.costs.is_cheap("NoteCommand")


async def test_a_failure_leaves_the_request_to_a_worker(cheap: RunningApp) -> None:
    """When the handler raises, the request stands as accepted, and of the try in vain nothing does."""
    probes.tries.clear()
    await noting(
        cheap, "immediate-stumble", commandName="StumbleCommand", parameters={"event": "immediate-stumble", "times": 1}
    )
    answer = await cheap.hook("immediate-stumble", {})
    assert (answer.status, answer.message) == (200, "Accepted")
    (kept,) = await until(cheap, "immediate-stumble", "done")
    assert (kept["attempt"], probes.tries["immediate-stumble"]) == (1, 2)
    assert await runs(cheap, "immediate-stumble") == 1
    assert not cheap.app.bus.costs.is_cheap("StumbleCommand")


async def test_a_repetition_has_no_second_effect(cheap: RunningApp) -> None:
    """The unique index knows the provider's id: the second unit is undone with its effect."""
    await noting(cheap, "immediate-twice", deduplication="header:x-id", signature=None)
    for _ in range(3):
        answer = await cheap.hook("immediate-twice", {"a": 1}, headers={"x-id": "7"})
        assert answer.status == 200
    states = sorted(request["state"] for request in await stored(cheap, "immediate-twice"))
    assert states == ["done", "duplicate", "duplicate"]
    assert await runs(cheap, "immediate-twice") == 1


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("immediate-lane", {"lane": {"key": "one"}}),
        ("immediate-chain", {"executionType": 1, "commandName": "NoteCommand,NoteCommand", "parameters": None}),
    ],
)
async def test_lanes_and_effects_are_left_to_a_worker(cheap: RunningApp, key: str, fields: dict[str, object]) -> None:
    """Requests of a lane keep their order, and what may reach outside waits until it is on disk."""
    await noting(cheap, key, **fields)
    await cheap.hook(key, {"event": key})
    await until(cheap, key, "done")


async def test_nothing_is_executed_where_no_worker_runs() -> None:
    """A process that leaves its jobs to others only takes in."""
    async with running_app(command_packages=("tests.router.probes",), worker=False) as app:
        for _ in range(ENOUGH_RUNS):
            app.app.bus.costs.note("NoteCommand", 0.0)
        await noting(app, "immediate-idle")
        await app.hook("immediate-idle", {})
        assert [request["state"] for request in await stored(app, "immediate-idle")] == ["pending"]
