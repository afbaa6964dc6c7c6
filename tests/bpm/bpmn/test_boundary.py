"""Boundary events, on tasks and on sub-processes."""

from datetime import timedelta

import pytest

from bpm.bpmn import Status
from bpm.bpmn.effects import CloseWait, Incident, OpenTimer, SendCommand
from bpm.bpmn.limits import EngineLimits
from bpm.bpmn.triggers import TimerFired
from tests.bpm.bpmn.player import NOON, Player, finished, flows

MESSAGES = '<message id="m" name="Called"/>'
ERRORS = '<error id="x1" errorCode="E1"/><error id="x2" errorCode="E2"/>'
USER = '<startEvent id="s"/><userTask id="t"/><endEvent id="e"/><task id="late"/>' + flows("s > t > e", "b > late")
JOB = """<startEvent id="s"/><serviceTask id="t"><extensionElements><bpm:command type="X">
<bpm:parameter name="a">{{a}}</bpm:parameter></bpm:command></extensionElements></serviceTask>
<endEvent id="e"/>""" + flows("s > t > e")


def boundary(name: str, definition: str, host: str = "t", interrupting: bool = True) -> str:
    """A boundary event."""
    cancel = "" if interrupting else ' cancelActivity="false"'
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"{cancel}>{definition}</boundaryEvent>'


def timer(kind: str, text: str) -> str:
    """A timer event definition."""
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def error(name: str, reference: str = "", task: str = "t"):
    """An error boundary event that leads to a task of its own."""
    attribute = f' errorRef="{reference}"' if reference else ""
    definition = f"<errorEventDefinition{attribute}/>"
    return boundary(name, definition, task) + f'<task id="after-{name}"/>' + flows(f"{name} > after-{name}")


def test_an_interrupting_timer_takes_the_place_of_its_task() -> None:
    """The task is withdrawn and the timer's path runs."""
    player = Player(USER + boundary("b", timer("timeDuration", "PT1H"))).start()
    assert player.effect(OpenTimer).due == NOON + timedelta(hours=1)
    assert player.waiting == ["b", "t"]
    player.fire("b")
    assert finished(player)
    assert player.events == [
        "s completed", "t activated", "t terminated", "b completed", "late completed"
    ]  # fmt: skip
    assert [effect.reason for effect in player.effects if isinstance(effect, CloseWait)] == ["answered", "cancelled"]


def test_a_task_done_in_time_withdraws_its_timer() -> None:
    """The timer's wait is closed as cancelled; firing it later is stale."""
    player = Player(USER + boundary("b", timer("timeDuration", "PT1H"))).start()
    late = player.wait("b")
    player.do("t")
    assert finished(player)
    assert player.send(TimerFired(late.wait_id)).ignored == "the instance is COMPLETED"


def test_a_timer_that_does_not_interrupt_runs_beside_its_task() -> None:
    """Its path ends on its own and the task stays open."""
    player = Player(USER + boundary("b", timer("timeDuration", "PT1H"), interrupting=False)).start().fire("b")
    assert player.waiting == ["t"]
    assert player.trace == ["s", "b", "late"]
    assert finished(player.do("t"))


def test_a_cycle_fires_as_often_as_it_says() -> None:
    """R3/PT10M fires three times, ten minutes apart, under a new wait each time."""
    player = Player(USER + boundary("b", timer("timeCycle", "R3/PT10M"), interrupting=False)).start()
    seen: list[int] = []
    for turn in (1, 2, 3):
        wait = player.wait_of(OpenTimer, "b")
        assert wait.due == NOON + timedelta(minutes=10 * turn)
        seen.append(wait.wait_id)
        player.fire("b")
    assert len(set(seen)) == 3
    assert player.waiting == ["t"]
    assert player.trace.count("late") == 3


def test_an_endless_cycle_that_was_late_does_not_catch_up_in_a_burst() -> None:
    """After a day without a server the next reminder is one interval away."""
    player = Player(USER + boundary("b", timer("timeCycle", "R/PT10M"), interrupting=False)).start()
    player.later(days=1).fire("b")
    assert player.wait_of(OpenTimer, "b").due == NOON + timedelta(days=1, minutes=10)
    player.later(minutes=10, seconds=30).fire("b")
    assert player.wait_of(OpenTimer, "b").due == NOON + timedelta(days=1, minutes=20)


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_message_on_a_boundary_writes_its_values(interrupting: bool) -> None:
    """An interrupting one ends the task; another goes on listening."""
    body = USER + boundary("b", '<messageEventDefinition messageRef="m"/>', interrupting=interrupting)
    player = Player(body, MESSAGES).start().message("b", {"why": "phone"})
    assert player.variables == {"why": "phone"}
    assert player.trace == ["s", "b", "late"]
    if interrupting:
        assert finished(player)
        return
    assert player.waiting == ["b", "t"]
    player.message("b", {"why": "mail"}).message("b", {"why": "fax"})
    assert finished(player.do("t"))
    assert player.trace.count("late") == 3
    assert player.variables == {"why": "fax"}


@pytest.mark.parametrize(("code", "caught_by"), [("E1", "one"), ("E2", "two"), ("E3", "any"), (None, "any")])
def test_the_boundary_event_for_the_code_catches_an_error(code: str | None, caught_by: str) -> None:
    """An exact code wins over one that catches any, wherever it stands in the file."""
    body = JOB + error("any") + error("one", "x1") + error("two", "x2")
    player = Player(body, ERRORS).start(a=1).fail("t", code, "no credit")
    assert finished(player)
    assert player.trace == ["s", caught_by, f"after-{caught_by}"]
    assert player.variables["lastError"] == {"code": code, "message": "no credit"}
    assert "t failed" in player.events


def test_an_error_of_another_code_is_an_incident() -> None:
    """Only what fits is caught; the task's other boundary events stay armed meanwhile."""
    body = JOB + error("one", "x1") + boundary("b", timer("timeDuration", "PT1H")) + '<task id="z"/>' + flows("b > z")
    player = Player(body, ERRORS).start(a=1).fail("t", "E9")
    assert player.status is Status.ERROR
    assert player.waiting == ["b", "t"]
    assert finished(player.fire("b"))


def test_camundas_error_variables_are_set() -> None:
    """Code and message go to the variables the event names."""
    definition = '<errorEventDefinition camunda:errorCodeVariable="c" camunda:errorMessageVariable="m"/>'
    player = Player(JOB + boundary("b", definition)).start(a=1).fail("t", "E7", "sorry")
    assert player.variables["c"] == "E7"
    assert player.variables["m"] == "sorry"


INNER = (
    """<startEvent id="s"/><subProcess id="p1"><startEvent id="s1"/><parallelGateway id="f"/><userTask id="u"/>
    <subProcess id="p2"><startEvent id="s2"/><userTask id="v"/><endEvent id="e2"/>{inner}"""
    + flows("s2 > v > e2")
    + '</subProcess><endEvent id="e1"/>{outer}'
    + flows("s1 > f > u > e1", "f > p2 > e1")
    + '</subProcess><endEvent id="e"/>'
    + flows("s > p1 > e")
)


def nested(inner: str = "", outer: str = "", after: str = ""):
    """A sub-process in a sub-process."""
    return INNER.format(inner=inner, outer=outer) + after


def test_a_timer_on_a_sub_process_ends_all_that_runs_inside() -> None:
    """Nested sub-processes, their tasks and their scopes are gone."""
    body = nested(after=boundary("b", timer("timeDuration", "PT1H"), "p1") + '<userTask id="late"/>')
    player = Player(body + flows("b > late")).start()
    assert player.waiting == ["b", "u", "v"]
    player.fire("b")
    assert player.waiting == ["late"]
    assert len(player.instance.scopes) == 1
    assert [event for event in player.events if "terminated" in event] == [
        "u terminated", "v terminated", "p2 terminated", "p1 terminated"
    ]  # fmt: skip
    assert finished(player.do("late"))


def test_a_timer_on_the_inner_sub_process_leaves_the_outer_one_alone() -> None:
    """Only the inner scope ends; the outer one goes on along the timer's path."""
    outer = boundary("b", timer("timeDuration", "PT1H"), "p2") + '<userTask id="late"/>' + flows("b > late")
    player = Player(nested(outer=outer)).start().fire("b")
    assert player.waiting == ["late", "u"]
    assert finished(player.do("u").do("late"))


@pytest.mark.parametrize("inner_catches", [True, False])
def test_an_error_goes_outwards_until_it_is_caught(inner_catches: bool) -> None:
    """An error end event ends its sub-process; the nearest boundary event for the code takes it."""
    throw = '<endEvent id="x"><errorEventDefinition errorRef="x1"/></endEvent>' + flows("v > x")
    outer = error("near", "x1" if inner_catches else "x2", "p2")
    player = Player(nested(throw, outer, error("far", "x1", "p1")), ERRORS).start().do("v")
    if inner_catches:
        assert player.waiting == ["u"]
        assert "after-near" in player.trace
    else:
        assert finished(player)
        assert player.trace[-2:] == ["far", "after-far"]


def test_a_failing_job_inside_is_caught_outside() -> None:
    """A command's error code reaches the boundary event of the sub-process around it."""
    job = JOB.replace('"s"', '"s1"').replace('"s-t"', '"s1-t"')
    body = f'<startEvent id="s"/><subProcess id="p1">{job}</subProcess>' + flows("s > p1") + error("b", "x1", "p1")
    player = Player(body, ERRORS).start(a=1).fail("t", "E1")
    assert finished(player)
    assert player.trace[-2:] == ["b", "after-b"]


def test_a_boundary_timer_that_cannot_be_set_is_an_incident_of_the_task() -> None:
    """Nothing of the task was opened; the retry opens all of it once."""
    player = Player(JOB + boundary("b", timer("timeDuration", "=wait"))).start(a=1)
    assert player.status is Status.ERROR
    assert player.waiting == ["t"]
    assert player.effect(Incident).element_id == "t"
    player.retry("t", wait="PT1M")
    assert player.waiting == ["b", "t"]
    assert isinstance(player.wait("t"), SendCommand)
    assert finished(player.complete("t"))


def test_a_message_that_cannot_be_mapped_is_an_incident_beside_its_task() -> None:
    """The task goes on; the message's values wait for a retry or a skip, which starts the path."""
    outputs = '<extensionElements><bpm:output name="n">{{10 ** size}}</bpm:output></extensionElements>'
    event = boundary("b", outputs + '<messageEventDefinition messageRef="m"/>', interrupting=False)
    player = Player(USER + event, MESSAGES).start(size=10**9).message("b", {"x": 1})
    assert player.status is Status.ERROR
    assert player.effect(Incident).element_id == "b"
    assert player.retry("b").status is Status.ERROR
    player.retry("b", size=1)
    assert player.variables["n"] == 10
    assert player.waiting == ["b", "t"]
    player.message("b", {"size": 10**9}).skip("b", n=0)
    assert player.variables["n"] == 0
    assert player.trace.count("late") == 2
    assert player.waiting == ["b", "t"]
    assert finished(player.do("t"))


def test_a_token_stopped_at_a_boundary_event_can_be_skipped() -> None:
    """Running out of steps there is an incident like any other."""
    player = Player(USER + boundary("b", timer("timeDuration", "PT1H"), interrupting=False)).start()
    player.limits = EngineLimits(max_steps=1)
    player.fire("b")
    assert player.effect(Incident).element_id == "late"
    player.skip("late")
    assert player.trace == ["s", "b", "late"]
    assert finished(player.do("t"))
