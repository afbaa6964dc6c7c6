"""Failures, retries, skips, and triggers that come too late."""

import pytest

from bpm.bpmn import Instance, Status, Trigger
from bpm.bpmn.effects import Incident, OpenMessageWait, RunScript, SendCommand
from bpm.bpmn.triggers import (
    CompleteTask,
    CompleteUserTask,
    Escalated,
    FailTask,
    MessageArrived,
    Retry,
    Skip,
    Start,
    TimerFired,
)
from tests.bpm.bpmn.player import Player, finished, flows

JOB = """<startEvent id="s"/><serviceTask id="t"><extensionElements><bpm:command type="X">
<bpm:parameter name="a">{{a}}</bpm:parameter></bpm:command>%s</extensionElements></serviceTask>
<endEvent id="e"/>""" + flows("s > t > e")
SCRIPT = '<startEvent id="s"/><scriptTask id="t"><script>x</script></scriptTask>' + flows("s > t")


def test_a_failed_task_is_an_incident_until_it_is_retried() -> None:
    """The retry asks under the next attempt, with the variables as they are then."""
    player = Player(JOB % "").start(a=1).fail("t", "Timeout", "no answer")
    assert player.status is Status.ERROR
    assert player.effect(Incident) == Incident(2, "t", "no answer", "Timeout")
    player.retry("t", a=2)
    assert player.status is Status.RUNNING
    assert player.effect(SendCommand) == SendCommand(2, 2, "t", "X", {"a": 2})
    assert finished(player.complete("t", "done"))
    assert player.events[:5] == ["s completed", "t activated", "t failed", "t retried", "t completed"]


def test_a_failed_script_is_retried_as_a_script() -> None:
    """It sees the mended variables."""
    player = Player(SCRIPT).start(a=1).fail("t").retry("t", a=5)
    assert player.effect(RunScript).variables == {"a": 5}
    assert player.effect(RunScript).attempt == 2


def test_a_skipped_task_goes_on_with_what_was_given() -> None:
    """Nothing but the given variables is written."""
    player = Player(JOB % "").start(a=1).fail("t").skip("t", charge="by hand")
    assert finished(player)
    assert player.variables == {"a": 1, "charge": "by hand"}
    assert player.events[-3:] == ["t skipped", "t completed", "e completed"]


def test_an_answer_to_a_former_attempt_is_ignored() -> None:
    """A late worker cannot complete or fail what another has taken over."""
    player = Player(JOB % "").start(a=1).fail("t").retry("t")
    version = player.instance.version
    for late in (CompleteTask(2, 1), FailTask(2, 1, "late")):
        assert player.send(late).ignored == "attempt 1 of 2 is over; attempt 2 is under way"
    assert player.instance.version == version
    assert finished(player.complete("t"))
    assert player.send(CompleteTask(2, 2)).ignored == "the instance is COMPLETED"


@pytest.mark.parametrize(
    "trigger",
    [CompleteTask(9, 1), FailTask(9, 1, "x"), TimerFired(9), MessageArrived(9), CompleteUserTask(9), Retry(9), Skip(9)],
)
def test_an_unknown_wait_is_ignored(trigger: Trigger) -> None:
    """The instance is the very same and the effect says why."""
    player = Player(JOB % "").start(a=1)
    before = player.instance
    assert player.send(trigger).ignored == "there is no wait 9"
    assert player.instance is before


def test_a_wait_that_is_over_is_told_from_one_that_never_was() -> None:
    """Whoever answers it learns whether the number is wrong or somebody was faster."""
    player = Player(SCRIPT).start(a=1).fail("t")
    (incident,) = player.instance.waits
    player.retry("t", a=5)
    assert player.send(Retry(incident)).ignored != f"there is no wait {incident}"
    assert player.send(Retry(99)).ignored == "there is no wait 99"


@pytest.mark.parametrize("trigger", [TimerFired(2), MessageArrived(2), CompleteUserTask(2), Retry(2), Skip(2)])
def test_a_trigger_of_another_kind_is_ignored(trigger: Trigger) -> None:
    """A command is answered by CompleteTask or FailTask only."""
    player = Player(JOB % "").start(a=1).send(trigger)
    assert "2 is a wait of kind command" in player.ignored
    assert player.waiting == ["t"]


def test_a_second_start_is_ignored() -> None:
    """An instance starts once."""
    player = Player(JOB % "").start(a=1)
    assert player.start(a=2).ignored == "the instance has started already"
    assert player.variables == {"a": 1}


def test_an_answer_that_cannot_be_mapped_is_kept() -> None:
    """The result waits in the incident, so that a retry does not send the command again."""
    outputs = '<bpm:output name="n">{{if broken then huge * 1 else result.n}}</bpm:output>'
    mapping = outputs.replace("huge * 1", "10 ** 400")
    player = Player(JOB % mapping).start(a=1, broken=True).complete("t", {"n": 5})
    assert player.status is Status.ERROR
    assert player.instance.waits[2].data[0] == "complete"
    assert finished(player.retry("t", broken=False))
    assert player.variables["n"] == 5


def test_a_condition_that_fails_behind_a_task_does_not_run_it_again() -> None:
    """The retry takes up where the token left, after the task."""
    body = """<startEvent id="s"/><userTask id="t"/><task id="a"/>
    <sequenceFlow id="t-a" sourceRef="t" targetRef="a"><conditionExpression>=n</conditionExpression></sequenceFlow>"""
    player = Player(body + flows("s > t")).start().do("t", n=5)
    assert player.status is Status.ERROR
    assert "true or false" in player.effect(Incident).message
    assert finished(player.retry("t", n=True))
    assert player.events.count("t activated") == 1


def test_one_branch_may_go_on_while_another_is_an_incident() -> None:
    """The instance is in ERROR until the incident is over."""
    body = JOB % "" + '<userTask id="u"/>' + flows("s > u")
    player = Player(body).start(a=1).fail("t")
    player.do("u")
    assert player.status is Status.ERROR
    assert finished(player.retry("t").complete("t"))


def test_the_same_trigger_on_the_stored_state_gives_the_same_answer() -> None:
    """A step can be repeated from its JSON after a crash."""
    player = Player(JOB % "").start(a=1)
    stored = player.instance.to_json()
    first = player.complete("t", {"b": 1}).effects
    player.instance = Instance.from_json(stored)
    player.open = {2: SendCommand(2, 1, "t", "X", {})}
    assert player.complete("t", {"b": 1}).effects == first


def test_starting_does_not_change_the_callers_variables() -> None:
    """What was handed in stays as it was."""
    given = {"a": 1}
    player = Player(SCRIPT)
    player.send(Start(given)).complete("t", 5, a=2)
    assert given == {"a": 1}
    assert player.variables["a"] == 2


def test_a_retry_whose_parameters_fail_stays_an_incident() -> None:
    """The attempt is not used up, and a better value mends it."""
    body = JOB.replace("{{a}}", "{{10 ** a}}") % ""
    player = Player(body).start(a=1).fail("t").retry("t", a=10**9)
    assert player.status is Status.ERROR
    assert "bits" in player.effect(Incident).message
    player.retry("t", a=2)
    assert player.effect(SendCommand).attempt == 2
    assert player.effect(SendCommand).parameters == {"a": 100}


def test_a_user_task_with_an_odd_priority_is_an_incident() -> None:
    """Nothing was offered yet."""
    body = '<startEvent id="s"/><userTask id="t" bpm:priority="{{p}}"/>' + flows("s > t")
    player = Player(body).start(p="high")
    assert "its priority 'high' is not a whole number" in player.effect(Incident).message
    assert finished(player.retry("t", p=5).do("t"))


def test_skipping_a_sub_process_that_could_not_start_goes_on_behind_it() -> None:
    """No scope was opened for it."""
    body = """<startEvent id="s"/><subProcess id="p1"><extensionElements><bpm:input name="n">{{10 ** a}}</bpm:input>
    </extensionElements><startEvent id="s1"/></subProcess><userTask id="after"/>"""
    player = Player(body + flows("s > p1 > after")).start(a=10**9)
    assert player.effect(Incident).element_id == "p1"
    player.skip("p1")
    assert player.waiting == ["after"]
    assert len(player.instance.scopes) == 1


LISTENING = (
    '<startEvent id="s"/><userTask id="t"/><endEvent id="e"/>'
    + flows("s > t > e")
    + """<subProcess id="h" triggeredByEvent="true"><startEvent id="hs">
    <messageEventDefinition messageRef="m"/></startEvent>
    <endEvent id="he"/><sequenceFlow id="hf" sourceRef="hs" targetRef="he"/></subProcess>"""
)
STOP = """<message id="m" name="Stop"><extensionElements><zeebe:subscription correlationKey="=key"/></extensionElements>
</message>"""


def test_an_event_sub_process_of_the_process_that_cannot_listen_is_an_incident() -> None:
    """At the start event, before anything has happened; a retry listens and goes on."""
    player = Player(LISTENING, STOP).start()
    assert (player.status, player.waiting, player.trace) == (Status.ERROR, ["s"], [])
    assert "an event sub-process can't listen: the correlation key" in player.history[-1].values["message"]
    assert player.retry("s").waiting == ["s"]
    assert player.retry("s", key="a").waiting == ["hs", "t"]
    assert Player(LISTENING, STOP).start().skip("s").waiting == ["t"]


def test_a_failure_whose_catcher_fails_is_an_incident() -> None:
    """Nothing of it has happened, so the task can be retried."""
    mapping = '<extensionElements><bpm:output name="x">{{2 ** 2000}}</bpm:output></extensionElements>'
    boundary = f'<boundaryEvent id="b" attachedToRef="t">{mapping}<errorEventDefinition/></boundaryEvent>'
    body = '<startEvent id="s"/><serviceTask id="t" camunda:topic="X"/><endEvent id="e"/>' + boundary
    player = Player(body + flows("s > t > e", "b > e")).start().fail("t")
    assert player.waiting == ["t"]
    assert "it broke; what caught it failed, too" in player.history[-1].values["message"]
    assert finished(player.retry("t").complete("t"))


def test_an_escalation_whose_catcher_fails_is_recorded() -> None:
    """Nobody has to catch it, so the call goes on."""
    mapping = '<extensionElements><bpm:output name="x">{{2 ** 2000}}</bpm:output></extensionElements>'
    boundary = f'<boundaryEvent id="b" attachedToRef="c">{mapping}<escalationEventDefinition/></boundaryEvent>'
    body = '<startEvent id="s"/><callActivity id="c" calledElement="x"/><endEvent id="e"/>' + boundary
    player = Player(body + flows("s > c > e", "b > e")).start()
    player.send(Escalated(player.wait("c").wait_id, "E"))
    assert player.events[-1] == "c failed"
    assert "what caught the escalation failed" in player.history[-1].values["message"]
    assert finished(player.complete("c"))


def test_an_event_that_can_neither_happen_nor_be_skipped_stays_an_incident() -> None:
    """It can't listen for its next message with the variables as they are; once they are mended it can."""
    boundary = '<boundaryEvent id="b" attachedToRef="t" cancelActivity="false"><messageEventDefinition messageRef="m"/>'
    body = '<startEvent id="s"/><userTask id="t"/><endEvent id="e"/>' + boundary + "</boundaryEvent>"
    player = Player(body + flows("s > t > e", "b > e"), STOP).start(key="a")
    player.message("b", {"key": [1]}).message("b", {})
    assert (player.status, player.waiting) == (Status.ERROR, ["b", "t"])
    assert player.skip("b").status is Status.ERROR
    assert player.retry("b", key="c").status is Status.WAITING
    assert player.effect(OpenMessageWait).key == "c"
