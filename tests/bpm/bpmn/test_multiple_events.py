"""Events with several definitions, beside the conformance cases: starts, payloads, versions, moves."""

import pytest

from bpm.bpmn import Instance, InvalidDefinition, advance, load
from bpm.bpmn.effects import EmitMessage, EmitSignal, Incident, OpenMessageWait, OpenTimer
from bpm.bpmn.migration import Comparison
from bpm.bpmn.triggers import MoveTokens, Start
from tests.bpm.bpmn.player import NOON, Player, finished, flows, model

HEAD = '<message id="m" name="M"/><message id="n" name="N"/><signal id="g" name="G"/>'
MESSAGE, OTHER = '<messageEventDefinition messageRef="m"/>', '<messageEventDefinition messageRef="n"/>'
SIGNAL = '<signalEventDefinition signalRef="g"/>'
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"


def catch(*events: str, more: str = ""):
    event = f'<intermediateCatchEvent id="c" {more}>{"".join(events)}</intermediateCatchEvent>'
    return f'<startEvent id="s"/>{event}<userTask id="u"/>' + flows("s > c > u")


def test_a_process_begins_by_any_of_several_triggers() -> None:
    """A start event is known by its id to each of them."""
    start = f'<startEvent id="s">{MESSAGE}{OTHER}{SIGNAL}{TIMER}</startEvent><endEvent id="e"/>' + flows("s > e")
    process = load(model(start, HEAD))
    assert process.starts == {"M": "s", "N": "s"}
    assert process.start_signals == {"G": "s"}
    assert list(process.start_timers) == ["s"]
    assert finished(Player(start, HEAD).start("N"))


def test_two_start_events_may_not_have_the_same_trigger() -> None:
    """Nor may one have it twice."""
    start = f'<startEvent id="s">{MESSAGE}{MESSAGE}</startEvent><endEvent id="e"/>' + flows("s > e")
    with pytest.raises(InvalidDefinition, match="there is another start event for message 'M' beside it"):
        load(model(start, HEAD))


def test_an_event_throws_everything_it_names() -> None:
    """In the order of the file; the history has a line for each."""
    event = f'<intermediateThrowEvent id="t">{SIGNAL}{MESSAGE}</intermediateThrowEvent>'
    body = f'<startEvent id="s"/>{event}<endEvent id="e"/>' + flows("s > t > e")
    player = Player(body, HEAD).start()
    assert [type(effect) for effect in player.effects if isinstance(effect, EmitSignal | EmitMessage)] == [
        EmitSignal,
        EmitMessage,
    ]
    assert player.events == ["s completed", "t happened", "t completed", "e completed"]


def test_a_part_that_cannot_be_mapped_is_an_incident_of_the_event() -> None:
    """Under the event's own id; what came is kept for the retry."""
    out = '<extensionElements><bpm:output name="x">{{2 ** n}}</bpm:output></extensionElements>'
    player = Player(catch(out, TIMER, MESSAGE, more='parallelMultiple="true"'), HEAD).start(n=2000)
    player.message("c")
    player.send_retry(player.wait_of(Incident, "c"), n=2)
    assert player.variables["x"] == 4
    player.fire("c")
    assert player.waiting == ["u"]


def test_an_instance_waits_on_in_a_version_with_the_same_definitions() -> None:
    """In another order they would mean something else."""
    old = load(model(catch(MESSAGE, SIGNAL), HEAD))
    started, _ = advance(old, Instance(), Start(), NOON)
    assert Comparison(old, load(model(catch(OTHER, SIGNAL), HEAD))).missing(started) == []
    for other in (catch(SIGNAL, MESSAGE), catch(MESSAGE), catch(MESSAGE, SIGNAL, more='parallelMultiple="true"')):
        assert Comparison(old, load(model(other, HEAD))).missing(started) == ["c"]


def test_a_token_at_several_events_can_be_moved() -> None:
    """All its waits go with it."""
    player = Player(catch(TIMER, MESSAGE), HEAD).start()
    assert {type(wait) for wait in player.open.values()} == {OpenTimer, OpenMessageWait}
    player.send(MoveTokens(("c",), ("u",), {}, "me"))
    assert player.waiting == ["u"]
