"""Calls and decisions that a transaction has no time for are asked for anew, and their rows keep no values."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bpm.bpmn.effects import CallProcess, Decide
from bpm.bpmn.triggers import AskNow
from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.conformance.notation import Writer
from tests.bpm.bpmn.player import Player
from tests.commands.playing import deploy, instances, start

DECISION = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<inputData id="i" name="n"><variable name="n" typeRef="number"/></inputData><decision id="r" name="r">
<variable name="r" typeRef="number"/><informationRequirement id="q"><requiredInput href="#i"/></informationRequirement>
<literalExpression><text>n + 1</text></literalExpression></decision></definitions>"""
NOTED = """CREATE TABLE noted (kind TEXT, size INTEGER);
CREATE TRIGGER note AFTER INSERT ON process_wait BEGIN
INSERT INTO noted VALUES (new.kind, coalesce(length(new.data), 0)); END"""
LARGE = "x" * 10_000
SLOW = 60
"""How many elements of several milliseconds come behind what is put off, so that a transaction has no time for it."""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


@pytest.mark.anyio
async def test_what_is_put_off_stores_no_variables(app: RunningApp) -> None:
    """Beside a variable of 10 KB the rows of ten calls and ten decisions hold no more than which they are."""
    for statement in NOTED.split(";\n"):
        await app.app.database.write(lambda tx, sql=statement: tx.connection.execute(text(sql)))
    await deploy(app, "start s; end e\ns -> e", "c")
    await app.cmd("CreateDecisionDefinitionCommand", dmnXml=DECISION)
    slow = "; ".join(f"script w{k}: w = sum(for i in 1..5000 return i)" for k in range(SLOW))
    work = "; ".join(f"call c{k}: c; rule r{k}: r" for k in range(10))
    paths = "; ".join(f"f -> {name} -> j" for k in range(10) for name in (f"c{k}", f"r{k}"))
    waiting = " -> ".join(f"w{k}" for k in range(SLOW))
    await deploy(app, f"start s; and f; and j; end e\n{slow}; {work}\ns -> f; {paths}; f -> {waiting} -> j; j -> e")
    await start(app, n=1, large=LARGE)
    [done] = await instances(app, "p", 1)
    shown = await app.cmd("GetProcessInstanceByIdQuery", instanceId=done["instanceId"])
    assert (shown["variables"]["decisionResult"], shown["variables"]["large"]) == (2, LARGE)
    sizes = await app.app.database.read(
        lambda tx: tx.connection.execute(text("SELECT kind, max(size) FROM noted GROUP BY kind")).all()
    )
    assert {kind: size for kind, size in sizes if size > 100} == {}
    assert {"calling", "decision"} <= {kind for kind, _ in sizes}


@pytest.mark.anyio
async def test_the_history_of_a_command_shows_what_it_is_given(app: RunningApp) -> None:
    """Of all variables those that are its fields, where the diagram maps nothing."""
    await deploy(app, "start s; service t: PublishEventCommand; end e\ns -> t -> e")
    begun = await start(app, event="done", data={"a": 1}, large=LARGE)
    page = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=begun["instanceId"])
    given = [entry["values"] for entry in page["items"] if (entry["elementId"], entry["event"]) == ("t", "activated")]
    assert given == [{"event": "done", "data": {"a": 1}}]


def playing(model: str) -> Player:
    """A player of a model in the notation of the conformance cases."""
    writer = Writer()
    for statement in model.split("; "):
        writer.write(statement)
    return Player("\n".join(writer.xml), "".join(writer.declarations.values()))


def test_what_was_put_off_sees_the_variables_of_the_moment() -> None:
    """It keeps its attempt, and an answer to it is taken; what is stale changes nothing."""
    player = playing(
        "start s; and f; call c: x; rule r: d; user u; end e; s -> f; f -> c -> e; f -> r -> e; f -> u -> e"
    )
    player.start(n=1).do("u", n=2)
    for element, kind in (("c", CallProcess), ("r", Decide)):
        task = player.task(element)
        player.send(AskNow(task.wait_id, task.attempt))
        asked = player.effect(kind)
        assert (asked.wait_id, asked.attempt, asked.variables["n"]) == (task.wait_id, task.attempt, 2)
        assert "over" in player.send(AskNow(task.wait_id, task.attempt + 1)).ignored
    player.complete("c").complete("r")
    assert "COMPLETED" in player.send(AskNow(1, 1)).ignored
    assert player.status == "COMPLETED"


def test_what_can_t_be_asked_any_more_is_an_incident() -> None:
    """A retry asks once more."""
    player = playing("start s; call c: =target; and f; user u; end e; s -> f; f -> c -> e; f -> u -> e")
    player.start(target="x").do("u", target=5)
    task = player.task("c")
    player.send(AskNow(task.wait_id, task.attempt))
    assert (player.status, player.waiting) == ("ERROR", ["c"])
    player.retry("c", target="y")
    assert player.effect(CallProcess).process == "y"
    player.complete("c")
    assert player.status == "COMPLETED"
