"""Requests that are executed in the transaction that stores them: what of it can be seen, and when it is not done."""

from collections.abc import AsyncIterator

import pytest

from bpm.bus import Envelope, Outcome, Recorder
from bpm.bus.costs import ENOUGH_RUNS, Costs
from bpm.errors import Forbidden
from bpm.security.permissions import Principal
from bpm.store import Transaction
from bpm.testing import RunningApp, running_app
from tests.router import probes
from tests.router.conftest import noting, rows, runs, stored, until
from tests.router.probes import NoteCommand

pytestmark = pytest.mark.anyio


class ImmediateProbe(Recorder):
    """Counts how often it is asked to write."""

    def __init__(self) -> None:
        self.asked = 0

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Count."""
        self.asked += 1


@pytest.fixture
async def cheap(app: RunningApp) -> AsyncIterator[RunningApp]:
    """The application once it knows what the probes' commands cost, whatever machine this is."""
    known = app.app.bus.costs
    app.app.bus.costs = Costs()
    for name in ("NoteCommand", "StumbleCommand"):
        for _ in range(ENOUGH_RUNS):
            app.app.bus.costs.note(name, 0.0)
    yield app
    app.app.bus.costs = known


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


def test_a_type_that_has_hardly_run_is_not_cheap() -> None:
    """What a handler costs is known only after some runs."""
    costs = Costs()
    for _ in range(ENOUGH_RUNS - 1):
        costs.note("NoteCommand", 0.0)
    assert not costs.is_cheap("NoteCommand")
    costs.note("NoteCommand", 0.0)
    assert costs.is_cheap("NoteCommand")


async def test_refusals_say_nothing_about_a_handler(cheap: RunningApp) -> None:
    """What its sender may not do was not executed, however often it is tried."""
    cheap.app.bus.costs = Costs()
    stranger = Principal("user", "user:0", "nobody", 1, frozenset())
    for _ in range(ENOUGH_RUNS):
        recorder = ImmediateProbe()
        outcome = await cheap.app.bus.execute(Envelope(NoteCommand(event="refused"), stranger, recorder=recorder))
        assert (type(outcome.error), recorder.asked) == (Forbidden, 1)
    assert not cheap.app.bus.costs.is_cheap("NoteCommand")


async def test_a_rule_may_name_a_command_by_its_namespace(cheap: RunningApp) -> None:
    """It is known by the one name that its cost is noted under."""
    rule = await noting(cheap, "immediate-namespace", commandName="My.App.NoteCommand")
    compiled = cheap.app.routes.by_id(rule["id"])
    assert compiled is not None
    assert compiled.sends == "NoteCommand"


async def test_slow_handlers_are_left_to_a_worker(cheap: RunningApp) -> None:
    """A slow run tells at once: nobody's acceptance waits for the next."""
    cheap.app.bus.costs.note("NoteCommand", 1.0)
    assert not cheap.app.bus.costs.is_cheap("NoteCommand")


async def test_a_failure_is_the_first_attempt(cheap: RunningApp) -> None:
    """When the handler raises, its effect is undone, and the request is tried again as its policy says."""
    probes.tries.clear()
    fields = {"commandName": "StumbleCommand", "parameters": {"event": "immediate-stumble", "times": 1}}
    await noting(cheap, "immediate-stumble", **fields, retry={"attempts": 2, "backoffSeconds": [0]})
    answer = await cheap.hook("immediate-stumble", {})
    assert (answer.status, answer.message) == (200, "Accepted")
    (kept,) = await until(cheap, "immediate-stumble", "done")
    assert (kept["attempt"], probes.tries["immediate-stumble"]) == (2, 2)
    assert await runs(cheap, "immediate-stumble") == 1


async def test_the_last_attempt_is_the_last(cheap: RunningApp) -> None:
    """A request that is tried once is dead when it is answered."""
    fields = {"commandName": "StumbleCommand", "parameters": {"event": "immediate-once", "times": 9}}
    await noting(cheap, "immediate-once", **fields, retry={"attempts": 1})
    await cheap.hook("immediate-once", {})
    (kept,) = await stored(cheap, "immediate-once")
    assert (kept["state"], kept["attempt"], kept["errors"]) == ("dead", 1, ["try 1 of immediate-once failed"])
    assert await runs(cheap, "immediate-once") == 0


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
