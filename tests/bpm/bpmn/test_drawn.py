"""What modellers draw instead of writing: messages between pools, one pool of several, steps that do nothing."""

from datetime import timedelta

import pytest

from bpm.bpmn import Instance, InvalidDefinition, advance, compile_all, load, parse
from bpm.bpmn.effects import EmitMessage, EmitSignal, OpenMessageWait, OpenTimer
from bpm.bpmn.triggers import MessageArrived, Start
from tests.bpm.bpmn.player import DEFINITIONS, NOON, Player, flows

POOLS = """<collaboration id="c"><participant id="ours" name="Bank" processRef="p"/>
<participant id="theirs" name="Customer" processRef="q"/>{flows}</collaboration>
<process id="q"><startEvent id="qs"/><sendTask id="ask"/><endEvent id="qe"/>{inside}</process>"""
ANSWERED = '<startEvent id="s"/><receiveTask id="r"/><endEvent id="e"/>' + flows("s > r > e")
CAUGHT = """<startEvent id="s"/><intermediateCatchEvent id="r"><messageEventDefinition/></intermediateCatchEvent>
<intermediateThrowEvent id="t"><messageEventDefinition/></intermediateThrowEvent><endEvent id="e"/>"""


def drawn(*message_flows: tuple[str, str, str, str]) -> str:
    """The other pool, and message flows, each a name, its source, its target and a message."""
    lines = [
        f'<messageFlow id="f{number}" name="{name}" sourceRef="{source}" targetRef="{target}" messageRef="{message}"/>'
        for number, (name, source, target, message) in enumerate(message_flows)
    ]
    return POOLS.format(flows="".join(lines), inside=flows("qs > ask > qe"))


def test_a_message_flow_names_the_messages_at_its_ends() -> None:
    """The name of the arrow is the name of the message, for whoever sends and whoever receives."""
    head = drawn(("Order  placed", "ask", "r", ""), ("Order paid", "t", "theirs", ""))
    player = Player(CAUGHT + flows("s > r > t > e"), head).start()
    assert player.effect(OpenMessageWait).name == "Order placed"
    player.message("r", {})
    assert player.effect(EmitMessage).name == "Order paid"
    assert player.status == "COMPLETED"


def test_the_message_of_a_message_flow_comes_before_its_label() -> None:
    """A declared message brings its correlation key; what the event itself says comes first."""
    declared = """<message id="m" name="Paid"><extensionElements><zeebe:subscription correlationKey="=id"/>
    </extensionElements></message><message id="n" name="Other"/>"""
    player = Player(ANSWERED, declared + drawn(("a label", "ask", "r", "m"))).start(id=7)
    assert (player.effect(OpenMessageWait).name, player.effect(OpenMessageWait).key) == ("Paid", "7")
    own = ANSWERED.replace('id="r"', 'id="r" messageRef="n"')
    player = Player(own, declared + drawn(("a label", "ask", "r", "m"))).start(id=7)
    assert player.effect(OpenMessageWait).name == "Other"


@pytest.mark.parametrize(("label", "name"), [("Answer", "Answer"), ("", "m")])
def test_a_message_without_a_name_is_called_by_its_flow_s_label_or_its_id(label: str, name: str) -> None:
    """Wherever it is referred to, so that both ends mean the same."""
    flow = f'<messageFlow id="f" name="{label}" sourceRef="other" targetRef="elsewhere" messageRef="m"/>'
    head = f'<message id="m"/><collaboration id="c">{flow}</collaboration>'
    body = ANSWERED.replace('id="r"', 'id="r" messageRef="m"')
    assert Player(body, head).start().effect(OpenMessageWait).name == name


def test_message_flows_of_several_names_are_refused() -> None:
    with pytest.raises(InvalidDefinition, match=r"'r'.*name several messages: 'One', 'Two'"):
        Player(ANSWERED, drawn(("One", "ask", "r", ""), ("Two", "theirs", "r", "")))


@pytest.mark.parametrize(("named", "runs"), [("p", "p"), ("ours", "p"), ("Bank", "p"), ("q", "q"), ("Customer", "q")])
def test_one_of_several_pools_is_named_to_run(named: str, runs: str) -> None:
    """By the id of its process, or by the id or name of its pool; the others may be what they like."""
    text = DEFINITIONS.format(head=drawn(("Order", "ask", "r", "")), body=ANSWERED).replace(' isExecutable="true"', "")
    with pytest.raises(InvalidDefinition, match="name one by processId"):
        compile_all(parse(text))
    assert [one.id for one in compile_all(parse(text), named)] == [runs]
    assert load(text, runs).id == runs
    with pytest.raises(InvalidDefinition, match="no process 'x'; it holds 'q', 'p'"):
        compile_all(parse(text), "x")


def test_a_sub_process_without_a_start_event_begins_where_nothing_leads() -> None:
    """All that has no incoming flow starts at once (BPMN 2.0.2, 13.3.4)."""
    inside = '<userTask id="a"/><userTask id="b"/><task id="c"/><endEvent id="pe"/>' + flows("a > c > pe", "b > c")
    body = f'<startEvent id="s"/><subProcess id="q">{inside}</subProcess><endEvent id="e"/>' + flows("s > q > e")
    player = Player(body).start()
    assert player.waiting == ["a", "b"]
    player.do("b").do("a")
    assert (player.status, player.trace.count("c")) == ("COMPLETED", 2)


@pytest.mark.parametrize("inside", ["", '<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality>'
                                        '</multiInstanceLoopCharacteristics>'])  # fmt: skip
def test_an_empty_sub_process_passes(inside: str) -> None:
    body = f'<startEvent id="s"/><subProcess id="q">{inside}</subProcess><endEvent id="e"/>' + flows("s > q > e")
    assert Player(body).start().status == "COMPLETED"


def test_a_sub_process_that_could_never_begin_is_refused() -> None:
    inside = '<task id="a"/><task id="b"/>' + flows("a > b > a")
    body = f'<startEvent id="s"/><subProcess id="q">{inside}</subProcess><endEvent id="e"/>' + flows("s > q > e")
    with pytest.raises(InvalidDefinition, match="it has no start event"):
        Player(body)


def test_in_a_sketch_the_labels_of_events_name_messages_and_signals() -> None:
    """A process that is marked to be executed must refer to them: a forgotten reference would wait for ever."""
    events = """<startEvent id="s"/><intermediateCatchEvent id="a" name="Order  placed"><messageEventDefinition/>
    </intermediateCatchEvent><intermediateThrowEvent id="b" name="Stock low"><signalEventDefinition/>
    </intermediateThrowEvent><endEvent id="e"/>"""
    marked = DEFINITIONS.format(head="", body=events + flows("s > a > b > e"))
    with pytest.raises(InvalidDefinition, match=r"'a'.*names no message.*'b'.*names no signal"):
        load(marked)
    process = load(marked.replace(' isExecutable="true"', ' isExecutable="false"'))
    waiting, effects = advance(process, Instance(), Start({}), NOON)
    (wait,) = [effect for effect in effects if isinstance(effect, OpenMessageWait)]
    assert wait.name == "Order placed"
    _, effects = advance(process, waiting, MessageArrived(wait.wait_id, {}), NOON)
    assert [effect.name for effect in effects if isinstance(effect, EmitSignal)] == ["Stock low"]


@pytest.mark.parametrize(("label", "days"), [("7 days", 7), ("24  Hours", 1), ("1 week", 7), ("2880 minutes", 2)])
def test_in_a_sketch_the_label_of_a_timer_says_how_long(label: str, days: int) -> None:
    """Where it is a number and a unit; a process that is marked to be executed must say it."""
    timer = f'<intermediateCatchEvent id="a" name="{label}"><timerEventDefinition/></intermediateCatchEvent>'
    marked = DEFINITIONS.format(head="", body=f'<startEvent id="s"/>{timer}<endEvent id="e"/>' + flows("s > a > e"))
    with pytest.raises(InvalidDefinition, match="its timer says no time"):
        load(marked)
    _, effects = advance(load(marked.replace(' isExecutable="true"', "")), Instance(), Start({}), NOON)
    assert [effect.due - NOON for effect in effects if isinstance(effect, OpenTimer)] == [timedelta(days=days)]
    for unclear in ("7", "some days", "7 days or more", "=7 days", "7 months"):
        with pytest.raises(InvalidDefinition, match="its timer says no time"):
            load(marked.replace(' isExecutable="true"', "").replace(label, unclear))


def test_a_label_that_would_be_an_expression_names_nothing() -> None:
    event = '<intermediateCatchEvent id="a" name="=x"><messageEventDefinition/></intermediateCatchEvent>'
    body = f'<startEvent id="s"/>{event}<endEvent id="e"/>' + flows("s > a > e")
    with pytest.raises(InvalidDefinition, match="names no message"):
        load(DEFINITIONS.format(head="", body=body).replace(' isExecutable="true"', ""))
