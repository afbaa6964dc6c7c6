"""A process may multiply as it likes: its instance stops with an incident, and nobody else waits for it."""

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bpm.bpmn import CompiledProcess, Instance, InvalidDefinition, Status, advance, load
from bpm.bpmn.effects import Incident
from bpm.bpmn.triggers import Cancel, GoOn, Retry, Start, Trigger
from bpm.dmn import load_decisions
from bpm.process.transaction_budget import TransactionBudget
from bpm.settings import ProcessSettings
from bpm.testing import RunningApp, running_app, until
from tests.bpm.bpmn.player import model
from tests.commands.playing import bpmn, deploy, start

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LIMITS = ProcessSettings(max_tokens=500, max_state_bytes=100_000, max_unattended_steps=3_000)
INSIDE = """start s; end e; sub q many {} over items as i {{
start a; {} many {} over items as j; end b
a -> t -> b
}}
s -> q -> e"""
FOREVER = "start s; xor m; script t: n = 1; xor g; end e\ns -> m -> t -> g\ng -> m if n = 1\ng -> e default"
GROWING = "start s; xor m; script t: x = x + x; xor g; end e\ns -> m -> t -> g\ng -> m if 1 = 1\ng -> e default"
GROWING_LIST = GROWING.replace("x + x", "[x, x]")
DOUBLING = (
    "start s; xor m; and f; task g; xor x; end e\ns -> m -> f\nf -> g -> x; f -> x\nx -> m if 1 = 1\nx -> e default"
)
START_ITSELF = '<zeebe:ioMapping><zeebe:input source="p" target="processKey"/></zeebe:ioMapping>'
ITEMS = {"items": list(range(400))}
BOMBS: dict[str, tuple[str, dict[str, Any]]] = {
    "a multi-instance activity in another": (
        INSIDE.format("parallel", "user t", "parallel"),
        ITEMS,
    ),
    "a loop without a wait": (FOREVER, {}),
    "a text that doubles": (GROWING, {"x": "x"}),
    "a list that doubles": (GROWING_LIST, {"x": 1}),
    "turns in turns, one after the other": (
        INSIDE.format("sequential", "task t", "sequential"),
        ITEMS,
    ),
    "a gateway that doubles its tokens": (DOUBLING, {}),
}


class Victim:
    """An instance driven piece by piece, as workers would; `pieces` counts them."""

    def __init__(self, process: CompiledProcess) -> None:
        self.process = process
        self.instance = Instance()
        self.pieces = 0
        self.incidents: list[Incident] = []

    def send(self, trigger: Trigger) -> None:
        """Apply a trigger, then go on until the instance rests."""
        following: Trigger | None = trigger
        while following is not None:
            budget = TransactionBudget(200, math.inf)
            self.instance, effects = advance(self.process, self.instance, following, NOW, LIMITS, budget)
            assert len(effects) < 4_000, "a piece may not be large"
            self.incidents += [effect for effect in effects if isinstance(effect, Incident)]
            self.pieces += 1
            assert self.pieces < 1_000, "it does not end"
            pending = self.instance.pending
            following = GoOn(pending.wait_id) if pending is not None and not pending.is_halted else None


@pytest.mark.parametrize("name", BOMBS)
def test_what_multiplies_inside_an_instance_is_one_incident(name: str) -> None:
    """It names the limit; a retry goes on and stops again; the instance can be cancelled."""
    text, variables = BOMBS[name]
    victim = Victim(load(bpmn(text)))
    victim.send(Start(variables))
    assert victim.instance.status is Status.ERROR
    (incident,) = victim.incidents
    assert "BPM_PROCESSES__MAX_" in incident.message
    assert len(victim.instance.tokens) <= LIMITS.max_tokens
    victim.send(Retry(incident.wait_id))
    assert victim.instance.status is Status.ERROR
    victim.send(Cancel())
    assert victim.instance.status is Status.CANCELLED
    assert victim.instance.pending is None
    assert victim.instance.waits == {}


@pytest.mark.parametrize("cycle", ["R/PT0S", "R999999999/PT0S", "R11/PT0.9S", "R/PT0.999S", "R/PT0.000000001S"])
def test_a_timer_that_repeats_without_a_pause_is_refused(cycle: str) -> None:
    """By its sentence, when it is deployed."""
    timer = f"<timerEventDefinition><timeCycle>{cycle}</timeCycle></timerEventDefinition>"
    body = (
        f'<startEvent id="s">{timer}</startEvent><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"/>'
    )
    with pytest.raises(InvalidDefinition, match="at least 1 second"):
        load(model(body))


LOCAL_INPUT = '<extensionElements><zeebe:ioMapping><zeebe:input source="=big" target="x"/></zeebe:ioMapping>'
ENDS = "</extensionElements>"
SENDS = f'<zeebe:taskDefinition type="X"/>{ENDS}'
KEPT = {
    "what tasks show": f'<userTask id="t">{LOCAL_INPUT}{ENDS}{{}}</userTask>',
    "what messages are sent with": f'<serviceTask id="t">{LOCAL_INPUT}{SENDS}{{}}</serviceTask>',
    "what sub-processes begin with": f'<subProcess id="t">{LOCAL_INPUT}{ENDS}{{}}<startEvent id="b"/></subProcess>',
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_of_many_turns_is_counted(name: str) -> None:
    """A large value for each of many turns is no variable of the process, and yet in the history and in the waits."""
    turns = (
        "<multiInstanceLoopCharacteristics><loopCardinality>400</loopCardinality></multiInstanceLoopCharacteristics>"
    )
    body = f'<startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>{KEPT[name].format(turns)}'
    victim = Victim(load(model(body)))
    victim.send(Start({"big": "x" * 50_000}))
    assert [incident.message for incident in victim.incidents if "BPM_PROCESSES__MAX_" in incident.message]


def test_the_reason_of_an_incident_is_short() -> None:
    """Each of many turns would keep it three times."""
    timer = "<timerEventDefinition><timeDuration>=big</timeDuration></timerEventDefinition>"
    body = f'<startEvent id="s"/><intermediateCatchEvent id="t">{timer}</intermediateCatchEvent>'
    victim = Victim(load(model(f'{body}<sequenceFlow id="f" sourceRef="s" targetRef="t"/>')))
    victim.send(Start({"big": "x" * 50_000}))
    (incident,) = victim.incidents
    assert len(incident.message) < 2_100


def test_a_file_of_thousands_of_processes_or_decisions_is_refused() -> None:
    """Each would be stored with the whole file."""
    process = '<process id="p{}" isExecutable="true"><startEvent id="s"/></process>'
    processes = "".join(process.format(number) for number in range(21))
    with pytest.raises(InvalidDefinition, match="more than 20 processes"):
        load(f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">{processes}</definitions>')
    decisions = "".join(f'<decision id="d{number}"/>' for number in range(101))
    with pytest.raises(InvalidDefinition, match="more than 100 decisions"):
        load_decisions(f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">{decisions}</definitions>')


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """An application whose limits are near."""
    async with running_app(tmp_path, processes=ProcessSettings(max_caused_instances=200)) as running:
        yield running


async def quiet(app: RunningApp) -> int:
    """Wait until no job is left and nothing runs by itself any more; return how many instances there are then."""
    quiet_looks = 0  # a job that a worker has just taken is neither waiting nor running, for a moment
    async with asyncio.timeout(120):
        while quiet_looks < 10:
            status = await app.cmd("GetSystemStatusQuery")
            left = status["jobsWaiting"] + status["jobsRunning"] + await count(app, status="RUNNING")
            quiet_looks = 0 if left else quiet_looks + 1
            await asyncio.sleep(0.1)
    return await count(app)


async def count(app: RunningApp, **filters: Any) -> int:
    return (await app.cmd("GetProcessInstanceListQuery", pageSize=1, **filters))["totalCount"]


async def cancelled(app: RunningApp, instance_id: int) -> None:
    """Cancel an instance, and wait until all that it called is cancelled, too."""
    await app.cmd("CancelProcessInstanceCommand", instanceId=instance_id)
    for status in ("WAITING", "ERROR"):
        await until(lambda status=status: count(app, status=status), lambda left: left == 0, seconds=60)


async def test_a_process_that_calls_itself_twice_ends(app: RunningApp) -> None:
    """The calls that are too many are incidents; one cancellation ends the whole tree."""
    await deploy(app, "start s; and g; call c: p; call d: p; end e\ns -> g\ng -> c -> e; g -> d -> e")
    root = await start(app)
    assert 50 < await quiet(app) <= 201
    events = (await app.cmd("GetEventListQuery", event="process.incident", pageSize=100))["items"]
    messages = {event["data"]["message"] for event in events}
    assert any("BPM_PROCESSES__MAX_CAUSED_INSTANCES" in message for message in messages)
    await cancelled(app, root["instanceId"])


async def test_many_called_instances_are_cancelled_in_pieces(app: RunningApp) -> None:
    """A call for each of many turns: the calling instance ends at once, the others soon after."""
    await deploy(app, "start s; user u; end e\ns -> u -> e", "child")
    await deploy(app, "start s; call c many parallel over items as i: child; end e\ns -> c -> e")
    root = await start(app, items=list(range(150)))
    assert await quiet(app) == 101
    await cancelled(app, root["instanceId"])
    assert await count(app, status="CANCELLED") == 101


@pytest.mark.parametrize("between", ["", "catch x: timer PT0S; "])
async def test_a_process_that_starts_itself_twice_ends(app: RunningApp, between: str) -> None:
    """Also when a timer without a pause stands in between."""
    steps = "s -> x -> a -> b -> e" if between else "s -> a -> b -> e"
    text = bpmn(
        f"start s; {between}end e\n{steps}\n"
        "service a: StartProcessInstanceCommand; service b: StartProcessInstanceCommand"
    )
    text = text.replace("<zeebe:taskDefinition", f"{START_ITSELF}<zeebe:taskDefinition")
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=text)
    await start(app)
    assert 15 < await quiet(app) <= 201
    assert await count(app, status="ERROR")


async def test_others_do_not_wait_for_long_work(app: RunningApp) -> None:
    """While an instance takes tens of thousands of steps, other writes come in between its pieces."""
    await deploy(
        app,
        "start s; end e; sub q many sequential over items as i {\nstart a; script t: n = i; end b\na -> t -> b\n}\n"
        "s -> q -> e",
    )
    ticks = 0
    await app.cmd(
        "StartProcessInstanceCommand",
        processKey="p",
        variables={"items": list(range(8_000))},
        executionMode="FireAndForget",
    )
    while await count(app, status="RUNNING"):
        await app.cmd("PublishEventCommand", event="other.work", data={})
        ticks += 1
    assert ticks > 5
    assert await count(app, status="COMPLETED") == 1


async def test_a_start_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """It is told what is too large, and no instance is left behind."""
    async with running_app(tmp_path, processes=LIMITS) as app:
        await deploy(app, "start s; user u; end e\ns -> u -> e")
        fields = {"processKey": "p", "variables": {"text": "x" * LIMITS.max_state_bytes}}
        answer = await app.send("StartProcessInstanceCommand", fields)
        assert (answer.status, await count(app)) == (422, 0), answer.body
        assert "BPM_PROCESSES__MAX_STATE_BYTES" in answer.errors[0]
