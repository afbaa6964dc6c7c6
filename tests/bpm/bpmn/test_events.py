"""Start, end and intermediate catch events."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bpm.bpmn import Status
from bpm.bpmn.effects import Cancelled, EmitMessage, Incident, OpenMessageWait, OpenTimer
from tests.bpm.bpmn.player import NOON, Player, finished, flow, flows

MESSAGES = '<message id="m1" name="Ordered"/><message id="m2" name="Called"/>'


def test_a_process_starts_at_the_event_for_its_message() -> None:
    """Each message start event begins at its own place; a direct start needs a none start event."""
    body = """<startEvent id="s1"><messageEventDefinition messageRef="m1"/></startEvent>
    <startEvent id="s2"><messageEventDefinition messageRef="m2"/></startEvent><task id="t"/>"""
    body += flows("s1 > t", "s2 > t")
    player = Player(body, MESSAGES)
    assert player.process.start_messages == ("Ordered", "Called")
    assert "starts by message only: Ordered, Called" in player.start().ignored
    assert "no start event for message 'Other'" in player.start("Other").ignored
    assert player.instance.version == 0
    assert finished(player.start("Called", a=1))
    assert player.trace == ["s2", "t"]


@pytest.mark.parametrize(
    ("timer", "due"),
    [
        ("<timeDuration>PT15M</timeDuration>", NOON + timedelta(minutes=15)),
        ("<timeDuration>=wait</timeDuration>", NOON + timedelta(hours=2)),
        ("<timeDuration>${wait}</timeDuration>", NOON + timedelta(hours=2)),
        ("<timeDuration>PT{{hours}}H</timeDuration>", NOON + timedelta(hours=2)),
        ("<timeDate>2026-05-02T14:00:00+02:00</timeDate>", NOON + timedelta(days=1)),
        ("<timeDate>=now() + duration(wait)</timeDate>", NOON + timedelta(hours=2)),
    ],
)
def test_a_timer_in_the_flow_waits_until_it_is_due(timer: str, due: datetime) -> None:
    """Durations and dates, fixed or computed."""
    body = f'<startEvent id="s"/><intermediateCatchEvent id="c"><timerEventDefinition>{timer}'
    body += '</timerEventDefinition></intermediateCatchEvent><endEvent id="e"/>' + flows("s > c > e")
    player = Player(body).start(wait="PT2H", hours=2)
    assert player.effect(OpenTimer) == OpenTimer(2, "c", due)
    assert player.status is Status.WAITING
    assert finished(player.fire("c"))


def test_a_computed_timer_that_is_no_time_is_an_incident() -> None:
    """The message says what was given; the retry may bring a better value."""
    body = '<startEvent id="s"/><intermediateCatchEvent id="c"><timerEventDefinition><timeDuration>=wait'
    body += "</timeDuration></timerEventDefinition></intermediateCatchEvent>" + flows("s > c")
    player = Player(body).start(wait="soon")
    assert '"soon" is not an ISO 8601 duration' in player.effect(Incident).message
    player.retry("c", wait="PT1S")
    assert player.status is Status.WAITING
    assert finished(player.fire("c"))


def test_a_message_in_the_flow_waits_for_its_key() -> None:
    """An intermediate catch event does what a receive task does."""
    body = """<startEvent id="s"/><intermediateCatchEvent id="c"><extensionElements>
    <bpm:message correlationKey="order-{{id}}"/></extensionElements>
    <messageEventDefinition messageRef="m1"/></intermediateCatchEvent>""" + flows("s > c")
    player = Player(body, MESSAGES).start(id=5)
    assert player.effect(OpenMessageWait) == OpenMessageWait(2, "c", "Ordered", "order-5")
    assert finished(player.message("c", {"ok": True}))
    assert player.variables == {"id": 5, "ok": True}


@pytest.mark.parametrize("value", [None, True, "", [1], {}])
def test_a_correlation_key_without_a_value_is_an_incident(value: Any) -> None:
    """Only texts and numbers can be compared with what a message brings."""
    body = """<startEvent id="s"/><receiveTask id="c" messageRef="m1" bpm:correlationKey="=key"/>""" + flows("s > c")
    player = Player(body, MESSAGES).start(key=value)
    assert "correlation key of message 'Ordered'" in player.effect(Incident).message
    assert player.retry("c", key=1.5).effect(OpenMessageWait).key == "1.5"


def test_a_message_end_event_publishes_its_payload() -> None:
    """Name, key and parameters are evaluated when the token arrives."""
    body = """<startEvent id="s"/><endEvent id="e"><extensionElements><bpm:message correlationKey="{{id}}">
    <bpm:parameter name="total">{{amount}}</bpm:parameter></bpm:message></extensionElements>
    <messageEventDefinition messageRef="m1"/></endEvent>""" + flows("s > e")
    player = Player(body, MESSAGES).start(id="o1", amount=5)
    assert player.effect(EmitMessage) == EmitMessage("e", "Ordered", "o1", {"total": 5})
    assert finished(player)


def test_a_terminate_end_event_ends_everything_at_once() -> None:
    """Tokens elsewhere in the process are removed, and what they waited for is closed."""
    body = """<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>
    <endEvent id="stop"><terminateEventDefinition/></endEvent><endEvent id="e"/>"""
    player = Player(body + flows("s > f > a > stop", "f > b > e")).start().do("a")
    assert finished(player)
    assert player.open == {}
    assert "b terminated" in player.events


def test_a_terminate_end_event_stops_tokens_that_are_still_moving() -> None:
    """A branch that would be moved later in the same step does not get any further."""
    body = """<startEvent id="s"/><parallelGateway id="f"/><task id="a"/><task id="b"/><userTask id="c"/>
    <endEvent id="stop"><terminateEventDefinition/></endEvent>"""
    player = Player(body + flows("s > f > stop", "f > a > b > c")).start()
    assert finished(player)
    assert "c" not in player.trace


def test_an_error_nobody_catches_is_an_incident() -> None:
    """The token stays at the end event that threw it."""
    body = '<startEvent id="s"/><endEvent id="e"><errorEventDefinition errorRef="x"/></endEvent>' + flows("s > e")
    player = Player(body, '<error id="x" errorCode="E42"/>').start()
    assert player.status is Status.ERROR
    assert player.effect(Incident).code == "E42"
    assert finished(player.skip("e"))


def test_cancelling_closes_everything() -> None:
    """Every wait is closed, every token terminated, and nothing can happen afterwards."""
    body = '<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/>'
    player = Player(body + flows("s > f > a", "f > b")).start().cancel("no longer wanted")
    assert player.status is Status.CANCELLED
    assert player.effect(Cancelled).reason == "no longer wanted"
    assert player.open == {}
    assert player.cancel().ignored == "the instance is CANCELLED"
    assert player.start().ignored == "the instance is CANCELLED"


def test_a_condition_sees_the_time_of_the_trigger() -> None:
    """now() is the time given to advance, not the machine's."""
    body = '<startEvent id="s"/><exclusiveGateway id="x" default="x-b"/><task id="a"/><task id="b"/>'
    body += flows("s > x > b") + flow("x", "a", '=now() < date and time("2026-05-01T12:00:01Z")')
    assert Player(body).start().trace[-1] == "a"
    assert Player(body).later(seconds=2).start().trace[-1] == "b"
