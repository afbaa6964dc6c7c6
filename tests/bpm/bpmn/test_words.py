"""Single words of other tools: what they mean, and what would be misread and is therefore refused."""

from typing import Any

import pytest

from bpm.bpmn import InvalidDefinition, Status, load
from bpm.bpmn.effects import CallProcess, EmitMessage, OpenMessageWait, OpenTimer, OpenUserTask, SendCommand
from bpm.bpmn.triggers import Start
from bpm.dmn import decide, load_decisions
from tests.bpm.bpmn.player import NOON, Player, finished, flows, model

LINE = '<startEvent id="s"/><endEvent id="e"/>' + flows("s > t > e")


def refused(body: str, head: str = ""):
    """The sentences by which a model is refused."""
    with pytest.raises(InvalidDefinition) as caught:
        load(model(body, head))
    return list(caught.value.errors)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"id": 7}, "name of its message"),
        ({"id": 7, "country": "x" * 200}, "name of its message"),
        ({"country": "NG"}, "correlation key"),
        ({"country": "NG", "id": "x" * 401}, "correlation key"),
        ({"country": "NG", "id": "a\0b"}, "correlation key"),
    ],
)
def test_a_message_that_cannot_be_named_is_an_incident(order: str, says: str) -> None:
    """Neither its name nor its key is guessed."""
    body = LINE + '<receiveTask id="t" messageRef="m"/>'
    head = '<message id="m" name="=&#34;paid-&#34; + order.country"><extensionElements><zeebe:subscription '
    player = Player(body, head + 'correlationKey="=order.id"/></extensionElements></message>').start(order=order)
    assert player.status is Status.ERROR
    assert says in player.history[-1].values["message"]


def test_a_thrown_messages_name_may_be_an_expression() -> None:
    """In the words of Camunda 7 as well."""
    body = LINE + '<sendTask id="t" messageRef="m"/>'
    player = Player(body, '<message id="m" name="order-${kind}"/>').start(kind="new")
    assert player.effect(EmitMessage).name == "order-new"


def test_the_message_that_starts_a_process_has_a_fixed_name() -> None:
    """Nobody's variables are there to compute it from."""
    start = '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent><endEvent id="e"/>'
    (problem,) = refused(start + flows("s > e"), '<message id="m" name="=a"/>')
    assert "its message's name must be fixed" in problem


def test_a_receive_task_without_a_message_waits_for_an_answer_to_its_instance() -> None:
    """As Camunda 7, Flowable and Activiti have it."""
    player = Player(LINE + '<receiveTask id="t"/>').start()
    assert player.effect(OpenMessageWait).name == ""
    assert finished(player.message("t", {"a": 1}))
    assert player.variables == {"a": 1}


@pytest.mark.parametrize("vendor", ["http://flowable.org/bpmn", "http://activiti.org/bpmn"])
def test_flowables_own_words_are_read(vendor: str) -> None:
    """Message expressions, inherited variables and keys, and the standard's own resources."""
    words = f'xmlns:v="{vendor}"'
    event = f'<intermediateCatchEvent id="t"><messageEventDefinition {words} v:messageExpression="m-${{n}}"/>'
    assert Player(LINE + event + "</intermediateCatchEvent>").start(n=5).effect(OpenMessageWait).name == "m-5"
    call = f'<callActivity id="t" calledElement="tns:child" {words} v:inheritVariables="true"'
    mapped = f'><extensionElements><v:in {words} source="n" target="m"/></extensionElements></callActivity>'
    called = Player(LINE + call + ' v:inheritBusinessKey="true"' + mapped).start(n=5).effect(CallProcess)
    assert (called.process, called.variables, called.inherits_key) == ("child", {"n": 5, "m": 5}, True)


def owner(tag: str, expression: str) -> str:
    """A resource of a user task."""
    formal = f"<formalExpression>{expression}</formalExpression>"
    return f"<{tag}><resourceAssignmentExpression>{formal}</resourceAssignmentExpression></{tag}>"


@pytest.mark.parametrize(
    ("resources", "assignee", "users", "groups"),
    [
        (owner("humanPerformer", "kermit"), "kermit", (), ()),
        (owner("humanPerformer", "${boss}"), "ann", (), ()),
        (owner("potentialOwner", "user(kermit), group(sales), managers"), None, ("kermit",), ("sales", "managers")),
        (owner("potentialOwner", "user(a)") + owner("potentialOwner", "user(b)"), None, ("a", "b"), ()),
        (owner("potentialOwner", "${teams}"), None, (), ("x", "y")),
        ("<potentialOwner/>", None, (), ()),
    ],
)
def test_the_standards_resources_say_whose_task_it_is(
    resources: str,
    assignee: str | None,
    users: tuple[Any, ...] | tuple[str, ...],
    groups: tuple[Any, ...] | tuple[str, ...],
) -> None:
    """Performers and potential owners, as formal expressions."""
    task = Player(LINE + f'<userTask id="t">{resources}</userTask>').start(boss="ann", teams=["x", "y"])
    task = task.effect(OpenUserTask)
    assert (task.assignee, task.candidate_users, task.candidate_groups) == (assignee, users, groups)


@pytest.mark.parametrize(
    ("timing", "due"),
    [
        ("<timeCycle>0 0 9 * * MON-FRI</timeCycle>", "2026-05-04T09:00:00"),
        ("<timeCycle>R3/PT10M</timeCycle>", "2026-05-01T12:10:00"),
        ('<timeCycle>=cycle(3, duration("PT10M"))</timeCycle>', "2026-05-01T12:10:00"),
        ("<timeDate>2026-05-02T09:00:00+02:00[Europe/Berlin]</timeDate>", "2026-05-02T07:00:00"),
        ('<timeDate>=date and time("2026-05-02T09:00:00@Europe/Berlin")</timeDate>', "2026-05-02T07:00:00"),
        ('<timeDuration>=duration("PT1H") * n</timeDuration>', "2026-05-01T15:00:00"),
    ],
)
def test_a_timer_in_the_flow_takes_the_first_time_it_says(timing: str, due: str) -> None:
    """Cycles and cron as well: the token leaves when they fire first."""
    event = f'<intermediateCatchEvent id="t"><timerEventDefinition>{timing}</timerEventDefinition>'
    player = Player(LINE + event + "</intermediateCatchEvent>").start(n=3)
    assert player.effect(OpenTimer).due.isoformat() == f"{due}+00:00"
    assert finished(player.fire("t"))


def test_an_interrupting_timer_with_a_cycle_fires_once() -> None:
    """There is no activity left to fire beside."""
    timer = "<timerEventDefinition><timeCycle>R3/PT10M</timeCycle></timerEventDefinition>"
    body = LINE + f'<userTask id="t"/><boundaryEvent id="b" attachedToRef="t">{timer}</boundaryEvent>'
    player = Player(body + '<endEvent id="late"/>' + flows("b > late")).start().fire("b")
    assert finished(player)
    assert player.trace == ["s", "b", "late"]


@pytest.mark.parametrize(("written", "means"), [("2-6", "MON-FRI"), ("1", "SUN"), ("MON,7", "MON,SAT"), ("2#1", "2#1")])
def test_days_of_the_week_count_from_sunday_in_files_for_camunda_7(written: str, means: str) -> None:
    """Its timers are Quartz's."""
    timer = f"<timerEventDefinition><timeCycle>0 0 9 ? * {written} *</timeCycle></timerEventDefinition>"
    body = LINE + f'<intermediateCatchEvent id="t" camunda:asyncBefore="true">{timer}</intermediateCatchEvent>'
    if means == written:
        assert "is not a cron expression" in refused(body)[0]
    else:
        assert load(model(body)).definition.elements[2].events[0].text == f"0 0 9 ? * {means}"


def test_true_may_be_written_as_one() -> None:
    """XML Schema knows 1 and 0 for its booleans."""
    marker = '<multiInstanceLoopCharacteristics isSequential="1"><loopCardinality>2</loopCardinality>'
    player = Player(LINE + f'<userTask id="t">{marker}</multiInstanceLoopCharacteristics></userTask>').start()
    assert player.waiting == ["t"]
    body = LINE + '<userTask id="t"/><boundaryEvent id="b" attachedToRef="t" cancelActivity="0">'
    body += "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    assert Player(body).start().fire("b").waiting == ["t"]


@pytest.mark.parametrize("language", [
    "https://www.omg.org/spec/DMN/20240513/FEEL/", "http://www.omg.org/spec/FEEL/20140401", "FEEL", "juel",
])  # fmt: skip
def test_conditions_may_name_feel_by_any_of_its_addresses(language: str) -> None:
    """Each version of DMN has one of its own."""
    condition = f'<conditionExpression language="{language}">=n &gt; 1</conditionExpression></sequenceFlow>'
    flow = f'<sequenceFlow id="f" sourceRef="t" targetRef="x">{condition}<endEvent id="x"/>'
    assert "x" in Player(LINE + '<task id="t"/>' + flow).start(n=2).trace


CONNECTOR = '<serviceTask id="t" camunda:topic="X" {}/>'


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<userTask id="t" camunda:assignee="${task.assignee}"/>', "'task' is an object of Camunda 7's Java"),
        ('<serviceTask id="t" camunda:expression="${execution.id}"/>', "'execution' is an object of Camunda 7's Java"),
        ('<serviceTask id="t" camunda:expression="${list.size()}"/>', "write count(list)"),
        ('<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="X" retries="many"/></extensionElements>'
         "</serviceTask>", "its number of retries 'many'"),
        ('<scriptTask id="t"><extensionElements><zeebe:taskDefinition type="js"/></extensionElements></scriptTask>',
         "the job worker 'js' has it; make it a service task"),
        ('<task id="t"><extensionElements><custom:preScript>x</custom:preScript></extensionElements></task>',
         "put script tasks around it"),
        ('<intermediateCatchEvent id="t"/>', "give it a timer, a message or another"),
        ('<endEvent id="t"><terminateEventDefinition camunda:terminateMultiInstance="true"/></endEvent>',
         "ends its own turn"),
        ('<task id="t"/><dataObject id="o" itemSubjectRef="xsd:int"><extensionElements><camunda:value>five'
         "</camunda:value></extensionElements></dataObject>", "its value 'five' is not of the type int"),
        ('<callActivity id="t" calledElement="c" camunda:calledElementType="id"/>', "name the process by its key"),
        ('<userTask id="t" camunda:taskIdVariableName="x"/>', "such a variable is not written"),
        ('<task id="t"/><correlationSubscription id="c"/>', "correlation by properties is not executed"),
        ('<task id="t"/><startEvent id="a"><signalEventDefinition signalRef="g"/></startEvent>'
         '<startEvent id="b"><signalEventDefinition signalRef="g"/></startEvent>' + flows("a > t", "b > t"),
         "another start event for signal 'G'"),
    ],
)  # fmt: skip
def test_what_would_be_misread_is_refused(body: str, says: str) -> None:
    """With a sentence that names the element and what to do."""
    found = refused(LINE + body, '<signal id="g" name="G" camunda:scope="global"/>')
    assert any(says in problem for problem in found), found


def test_computed_retries_must_be_a_number() -> None:
    """Anything else is an incident before anything is sent."""
    words = '<zeebe:taskDefinition type="X" retries="=n"/>'
    body = LINE + f'<serviceTask id="t"><extensionElements>{words}</extensionElements></serviceTask>'
    assert Player(body).start(n=4).effect(SendCommand).retries == 4
    player = Player(body).start(n="many")
    assert "its number of retries 'many'" in player.history[-1].values["message"]


def test_a_cell_may_compare_with_two_equal_signs() -> None:
    """As Flowable's editor writes it."""
    rules = "".join(
        f"<rule><inputEntry><text>{test}</text></inputEntry><outputEntry><text>{value}</text></outputEntry></rule>"
        for test, value in (('== "a"', 1), ("== 'b'", 2))
    )
    table = f"<input><inputExpression><text>x</text></inputExpression></input><output name='y'/>{rules}"
    source = f"""<definitions xmlns="http://www.omg.org/spec/DMN/20180521/MODEL/">
    <decision id="d" name="D"><decisionTable>{table}</decisionTable></decision></definitions>"""
    decision = load_decisions(source)["d"]
    assert [decide(decision, {"x": value}, NOON) for value in ("a", "b", "c")] == [1, 2, None]


@pytest.mark.parametrize(
    ("source", "kind", "cell", "values"),
    [
        ("date(x)", "string", '&gt; date("2026-01-31")', {"2026-02-01": 1, "2026-01-31": None}),
        ("x", "date", '[@"2026-01-01"..@"2026-01-31"]', {"2026-01-31": 1, "2026-02-01": None}),
        ("x", "dayTimeDuration", '&lt;= duration("PT2H")', {"PT90M": 1, "PT3H": None}),
        ('date and time(x) - duration("P1D")', "dateTime", '&lt; date and time("2026-01-31T00:00:00")',
         {"2026-01-31T12:00:00": 1, "2026-02-03T00:00:00": None}),
    ],
)  # fmt: skip
def test_a_decision_calculates_with_dates(source: str, kind: str, cell: str, values: dict[str, Any]) -> None:
    """Between its expressions they stay dates; its result is text."""
    inputs = f'<input><inputExpression typeRef="{kind}"><text>{source}</text></inputExpression></input>'
    rule = f"<rule><inputEntry><text>{cell}</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>"
    table = f'<decisionTable>{inputs}<output name="y"/>{rule}</decisionTable>'
    literal = '<literalExpression><text>date("2026-01-01") + duration("P1D")</text></literalExpression>'
    source = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">
    <decision id="d" name="D">{table}</decision><decision id="l" name="L">{literal}</decision></definitions>"""
    decisions = load_decisions(source)
    assert {value: decide(decisions["d"], {"x": value}, NOON) for value in values} == values
    assert decide(decisions["l"], {}, NOON) == "2026-01-02"


def test_a_signal_within_its_instance_is_refused() -> None:
    """It would be heard by everybody."""
    signal = '<signal id="g" name="G" camunda:scope="processInstance"/>'
    (problem,) = refused(LINE + '<task id="t"/>', signal)
    assert "'g' (G): a signal is heard by everybody" in problem


def test_the_start_event_may_name_a_variable_for_whoever_begins() -> None:
    """Which Camunda 7's modellers then assign a task to."""
    body = LINE.replace('id="s"', 'id="s" camunda:initiator="starter"')
    player = Player(body + '<userTask id="t" camunda:assignee="${starter}"/>')
    assert player.send(Start({}, starter="ann")).effect(OpenUserTask).assignee == "ann"


def test_an_external_worker_of_flowable_has_its_own_mapping() -> None:
    """Parameters in and out."""
    words = '<v:externalWorkerInParameter source="n" target="m"/><v:externalWorkerOutParameter source="a" target="b"/>'
    task = '<serviceTask id="t" xmlns:v="http://flowable.org/bpmn" v:type="external-worker" v:topic="X">'
    player = Player(LINE + f"{task}<extensionElements>{words}</extensionElements></serviceTask>").start(n=5)
    assert player.effect(SendCommand).parameters == {"m": 5}
    assert player.complete("t", {"a": 1}).variables == {"n": 5, "b": 1}


@pytest.mark.parametrize(
    ("attribute", "cell", "value", "result"),
    [
        ("", 'cellInput == "gold"', "gold", 1),
        ("", "${cellInput > 5}", 6, 1),
        ("", "${cellInput > 5}", 5, None),
        ("", "cellInput = true", False, None),
        ("", '"cellInput"', "cellInput", 1),
        ('c:inputVariable="score"', "score &gt; 5 and score &lt; 9", 6, 1),
        ('c:inputVariable="score"', "score &gt; 5 and score &lt; 9", 9, None),
    ],
)
def test_a_cell_of_camunda_7_knows_the_tested_value_by_name(
    attribute: str, cell: str, value: Any, result: int | None
) -> None:
    """`cellInput`, or the name that the column gives it."""
    inputs = f"<input {attribute}><inputExpression><text>x</text></inputExpression></input>"
    rule = f"<rule><inputEntry><text>{cell}</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>"
    source = f"""<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd"
    xmlns:c="http://camunda.org/schema/1.0/dmn"><decision id="d" name="D"><decisionTable>{inputs}<output name="y"/>
    {rule}</decisionTable></decision></definitions>"""
    assert decide(load_decisions(source)["d"], {"x": value}, NOON) == result
