"""Input and output mappings: who sees which values, and which of them stay inside."""

import json
from typing import Any

import pytest

from bpm.bpmn import load
from bpm.bpmn.effects import CallProcess, Incident, RunScript, SendCommand
from bpm.bpmn.limits import EngineLimits
from bpm.bpmn.triggers import Escalated, FailTask
from bpm.model_files.problems import InvalidDefinition
from tests.bpm.bpmn.player import Player, flows, model

CAMUNDA = (
    '<extensionElements><camunda:inputOutput><camunda:inputParameter name="y">${x + 1}</camunda:inputParameter>'
    '<camunda:outputParameter name="z">${y * 2}</camunda:outputParameter></camunda:inputOutput></extensionElements>'
)
ZEEBE = (
    '<extensionElements><zeebe:taskDefinition type="Work"/><zeebe:ioMapping><zeebe:input source="=x + 1" target="y"/>'
    '<zeebe:output source="=y * 2" target="z"/></zeebe:ioMapping></extensionElements>'
)
CAMUNDA_OUTPUT = (
    '<extensionElements><camunda:inputOutput><camunda:outputParameter name="z">${w * 2}</camunda:outputParameter>'
    "</camunda:inputOutput></extensionElements>"
)
ZEEBE_OUTPUT = (
    '<extensionElements><zeebe:ioMapping><zeebe:output source="=w * 2" target="z"/></zeebe:ioMapping>'
    "</extensionElements>"
)
ZEEBE_INPUT = (
    '<extensionElements><zeebe:taskDefinition type="Work"/><zeebe:ioMapping><zeebe:input source="=x" target="y"/>'
    "</zeebe:ioMapping></extensionElements>"
)


def play(task: str, **variables: Any):
    """Start a process of one element, which is called t."""
    body = f'<startEvent id="s"/>{task}<endEvent id="e"/>' + flows("s > t > e")
    return Player(body).start(**variables)


@pytest.mark.parametrize(
    "task",
    [
        f'<task id="t">{CAMUNDA}</task>',
        f'<manualTask id="t">{CAMUNDA}</manualTask>',
        f'<serviceTask id="t" camunda:expression="${{1}}">{CAMUNDA}</serviceTask>',
        f'<scriptTask id="t" scriptFormat="juel">{CAMUNDA}<script>${{1}}</script></scriptTask>',
    ],
)
def test_an_output_mapping_sees_the_inputs_of_a_task_that_passes(task: str) -> None:
    """The task need not wait for anything."""
    assert play(task, x=1).variables["z"] == 4


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        (f'<userTask id="t">{CAMUNDA}</userTask>', "do"),
        (f'<serviceTask id="t" camunda:type="external" camunda:topic="Work">{CAMUNDA}</serviceTask>', "complete"),
        (f'<serviceTask id="t">{ZEEBE}</serviceTask>', "complete"),
        (f'<scriptTask id="t">{CAMUNDA}<script>1</script></scriptTask>', "complete"),
        (f'<receiveTask id="t">{CAMUNDA}</receiveTask>', "message"),
        (f'<callActivity id="t" calledElement="q">{CAMUNDA}</callActivity>', "complete"),
    ],
)
def test_an_output_mapping_sees_the_inputs_of_a_task_that_waits(task: str, answer: str) -> None:
    """As they were when the task began, and they are not variables of the process."""
    player = play(task, x=1)
    getattr(player, answer)("t")
    assert player.variables["z"] == 4
    assert "y" not in player.variables


def test_the_inputs_are_those_of_the_beginning() -> None:
    """What happens beside the task changes nothing of them."""
    task = f'<userTask id="t">{CAMUNDA}</userTask><boundaryEvent id="b" attachedToRef="t" cancelActivity="false">'
    task += '<messageEventDefinition messageRef="m"/></boundaryEvent><endEvent id="be"/>'
    body = f'<startEvent id="s"/>{task}<endEvent id="e"/>' + flows("s > t > e", "b > be")
    player = Player(body, '<message id="m" name="M"/>').start(x=1)
    player.message("b", {"x": 10}).do("t")
    assert player.variables == {"x": 10, "z": 4}


def test_a_retried_task_has_its_inputs_anew() -> None:
    """They are computed again with the variables that the retry set."""
    player = play(f'<serviceTask id="t">{ZEEBE}</serviceTask>', x=1)
    player.fail("t").retry("t", x=4).complete("t", {})
    assert player.variables == {"x": 4, "z": 10}


def test_a_result_member_comes_before_an_input_of_its_name() -> None:
    """The task has written its own local variable."""
    player = play(f'<serviceTask id="t">{ZEEBE}</serviceTask>', x=1).complete("t", {"y": 50})
    assert player.variables == {"x": 1, "z": 100}


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        (f'<serviceTask id="t">{ZEEBE_INPUT}</serviceTask>', {"y": 5, "w": 6}),
        ('<userTask id="t">' + ZEEBE_INPUT.replace('<zeebe:taskDefinition type="Work"/>', "") + "</userTask>", None),
    ],
)
def test_what_an_input_made_local_does_not_leave_the_task(task: str, answer: dict[str, Any] | None) -> None:
    """Other members of the result become variables of the process."""
    player = play(task, x=1)
    player = player.complete("t", answer) if answer else player.do("t", y=5, w=6)
    assert player.variables == {"x": 1, "w": 6}


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("scriptTask", '<zeebe:script expression="=7" resultVariable="r"/>'),
        ("businessRuleTask", '<zeebe:calledDecision decisionId="d" resultVariable="r"/>'),
        (
            "serviceTask",
            '<zeebe:taskDefinition type="Work"/><zeebe:taskHeaders><zeebe:header key="resultVariable" value="r"/>'
            "</zeebe:taskHeaders>",
        ),
    ],
)
def test_beside_an_output_mapping_of_camunda_8_the_result_variable_is_local(kind: str, word: str) -> None:
    """Only what is mapped leaves the task; without a mapping the result variable does."""
    mapping = '<zeebe:ioMapping><zeebe:output source="=r + 1" target="z"/></zeebe:ioMapping>'
    for words, written in ((word, {"r": 7}), (word + mapping, {"z": 8})):
        player = play(f'<{kind} id="t"><extensionElements>{words}</extensionElements></{kind}>')
        if kind != "scriptTask":
            player.complete("t", 7)
        assert player.variables == written


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ('<userTask id="t">{}</userTask>', "do"),
        ('<receiveTask id="t">{}</receiveTask>', "message"),
        (
            '<intermediateCatchEvent id="t">{}<messageEventDefinition messageRef="m"/></intermediateCatchEvent>',
            "message",
        ),
        ('<intermediateCatchEvent id="t">{}<signalEventDefinition signalRef="n"/></intermediateCatchEvent>', "signal"),
    ],
)
@pytest.mark.parametrize(("words", "kept"), [(CAMUNDA_OUTPUT, {"w": 7, "z": 14}), (ZEEBE_OUTPUT, {"z": 14})])
def test_beside_an_output_mapping_of_camunda_7_what_was_brought_is_kept(
    task: str, answer: str, words: str, kept: dict[str, Any]
) -> None:
    """There whoever answers sets variables of the process; Camunda 8 maps instead."""
    body = f'<startEvent id="s"/>{task.format(words)}<endEvent id="e"/>' + flows("s > t > e")
    player = Player(body, '<message id="m" name="M"/><signal id="n" name="S"/>').start(x=1)
    if answer == "do":
        player.do("t", w=7)
    else:
        getattr(player, answer)("t", {"w": 7})
    assert player.variables == {"x": 1} | kept


def test_a_script_that_changes_its_input_changes_it_for_itself() -> None:
    """As any other local variable."""
    task = '<scriptTask id="t"><extensionElements><bpm:input name="y">{{x}}</bpm:input></extensionElements>'
    player = play(f"{task}<script>y = 5</script></scriptTask>", x=1)
    assert player.effect(RunScript).variables == {"x": 1, "y": 1}
    assert player.complete("t", None, y=5, w=6).variables == {"x": 1, "w": 6, "lastScriptResult": None}


def test_a_result_variable_may_be_called_as_a_parameter() -> None:
    """Parameters are fields of the message, and where its result goes was said in so many words."""
    task = '<serviceTask id="t"><extensionElements><bpm:command type="Work" resultVariable="y">'
    task += '<bpm:parameter name="y">{{x}}</bpm:parameter></bpm:command></extensionElements></serviceTask>'
    assert play(task, x=1).complete("t", 5).variables == {"x": 1, "y": 5}


def test_all_variables_of_a_called_process_may_come_back_where_camunda_7_maps_them_in() -> None:
    """An <in> names a variable of the called process, none of the call activity."""
    task = '<callActivity id="t" calledElement="q"><extensionElements><camunda:in source="x" target="y"/>'
    task += '<camunda:out variables="all"/></extensionElements></callActivity>'
    assert play(task, x=1).complete("t", {"y": 5}).variables == {"x": 1, "y": 5}


THROWS = """<startEvent id="s"/><callActivity id="t" calledElement="q"><extensionElements>{words}</extensionElements>
</callActivity><boundaryEvent id="b" attachedToRef="t"><extensionElements><bpm:output name="caught">{{{{code}}}}
</bpm:output></extensionElements><errorEventDefinition/></boundaryEvent><userTask id="u"/><endEvent id="e"/>"""


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ('<camunda:out source="a" target="y"/>', {"y": 5}),
        ('<camunda:out variables="all"/>', {"a": 5, "w": 6}),
        ('<zeebe:ioMapping><zeebe:output source="=a" target="y"/></zeebe:ioMapping>', {}),
        (
            "<camunda:inputOutput><camunda:outputParameter name='y'>${a}</camunda:outputParameter>"
            "</camunda:inputOutput>",
            {},
        ),
        ("", {}),
    ],
)
def test_what_camunda_7_maps_out_comes_back_with_an_error_too(words: str, written: dict[str, Any]) -> None:
    """The path behind the boundary event sees it; Camunda 8 maps nothing then, nor does a call without words."""
    player = Player(THROWS.format(words=words) + flows("s > t > e", "b > u")).start(x=1)
    call = player.task("t")
    player.send(FailTask(call.wait_id, call.attempt, "no", "E1", {"a": 5, "w": 6}))
    assert player.waiting == ["u"]
    assert player.variables == {"x": 1, "caught": "E1"} | written


def test_what_is_mapped_out_comes_back_with_an_escalation_and_again_at_the_end() -> None:
    """The called process goes on behind it."""
    body = """<startEvent id="s"/><callActivity id="t" calledElement="q"><extensionElements>
    <camunda:out source="a" target="y"/></extensionElements></callActivity>
    <boundaryEvent id="b" attachedToRef="t" cancelActivity="false"><escalationEventDefinition/></boundaryEvent>
    <userTask id="u"/><endEvent id="e"/>"""
    player = Player(body + flows("s > t > e", "b > u")).start()
    player.send(Escalated(player.wait("t").wait_id, "late", {"a": 5}))
    assert (player.waiting, player.variables) == (["t", "u"], {"y": 5})
    assert player.complete("t", {"a": 6}).variables == {"y": 6}


def test_a_failure_of_the_call_itself_maps_nothing() -> None:
    """A process that is not there, or was cancelled, has no variables."""
    player = Player(THROWS.format(words='<camunda:out source="a" target="y"/>') + flows("s > t > e", "b > u")).start()
    assert player.fail("t", "NotFound").variables == {"caught": "NotFound"}


def test_what_is_mapped_out_with_an_error_is_bounded() -> None:
    """A variable that is too large makes an incident of the call, which a retry calls anew."""
    body = THROWS.format(words='<camunda:out source="a" target="y"/>') + flows("s > t > e", "b > u")
    player = Player(body, limits=EngineLimits(max_state_bytes=1_000)).start()
    call = player.task("t")
    player.send(FailTask(call.wait_id, call.attempt, "no", "E1", {"a": "x" * 2_000}))
    assert "BPM_PROCESSES__MAX_STATE_BYTES" in player.effect(Incident).message
    assert player.retry("t").effect(CallProcess).attempt == 2


def test_the_variables_of_a_called_process_leave_a_local_input_of_camunda_8_alone() -> None:
    """There the call activity has a local variable of that name."""
    task = '<callActivity id="t"><extensionElements><zeebe:calledElement processId="q"/><zeebe:ioMapping>'
    task += '<zeebe:input source="=x" target="y"/></zeebe:ioMapping></extensionElements></callActivity>'
    assert play(task, x=1).complete("t", {"y": 5, "w": 6}).variables == {"x": 1, "w": 6}


@pytest.mark.parametrize("name", ["variables", "context"])
def test_all_variables_stand_beside_another_parameter(name: str) -> None:
    """As a copy, which does not hold itself."""
    task = (
        '<serviceTask id="t"><extensionElements><bpm:command type="Work"><bpm:parameter name="event">x</bpm:parameter>'
    )
    task += f'<bpm:parameter name="data">{{{{{name}}}}}</bpm:parameter><bpm:parameter name="more">{{{{data}}}}'
    task += "</bpm:parameter></bpm:command></extensionElements></serviceTask>"
    parameters = play(task, x=1).effect(SendCommand).parameters
    assert json.dumps(parameters)
    assert parameters["data"]["x"] == 1


def test_an_attribute_of_a_task_sees_its_inputs() -> None:
    """The number of retries may be one of them."""
    task = '<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="Work" retries="=n"/><zeebe:ioMapping>'
    task += '<zeebe:input source="=x" target="n"/></zeebe:ioMapping></extensionElements></serviceTask>'
    assert play(task, x=2).effect(SendCommand).retries == 2


def test_an_output_mapping_of_a_message_that_is_thrown_counts() -> None:
    """It is not dropped because nothing is answered."""
    task = '<sendTask id="t" messageRef="m"><extensionElements><bpm:output name="sent">{{x}}</bpm:output>'
    body = f'<startEvent id="s"/>{task}</extensionElements></sendTask><endEvent id="e"/>' + flows("s > t > e")
    assert Player(body, '<message id="m" name="M"/>').start(x=1).variables == {"x": 1, "sent": 1}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("<camunda:other>1</camunda:other>", "its parameter 'p' is a <other>"),
        ("<camunda:list><camunda:other>1</camunda:other></camunda:list>", "its parameter 'p' holds a <other>"),
        (
            '<camunda:map><camunda:entry key="k"><camunda:list><camunda:other>1</camunda:other></camunda:list>'
            "</camunda:entry></camunda:map>",
            "its parameter 'k' holds a <other>",
        ),
        ('<camunda:map><camunda:entry key="${k}">1</camunda:entry></camunda:map>', "its map has the key '${k}'"),
        ("<camunda:map><camunda:entry>1</camunda:entry></camunda:map>", "its map has an entry without a key"),
        (
            '<camunda:map><camunda:entry key="k">1</camunda:entry><camunda:entry key="k">2</camunda:entry>'
            "</camunda:map>",
            "its map has the key 'k' 2 times",
        ),
        ("text<camunda:list/>", "its parameter 'p' holds more than one value"),
        ("<camunda:list/><camunda:map/>", "its parameter 'p' holds more than one value"),
    ],
)
def test_what_is_not_computed_in_a_list_or_map_is_refused(value: str, says: str) -> None:
    """As it is where it stands alone."""
    parameter = f'<camunda:inputParameter name="p">{value}</camunda:inputParameter>'
    task = f"<extensionElements><camunda:inputOutput>{parameter}</camunda:inputOutput></extensionElements>"
    with pytest.raises(InvalidDefinition) as caught:
        load(model(f'<startEvent id="s"/><userTask id="t">{task}</userTask>' + flows("s > t")))
    assert any(says in error for error in caught.value.errors)


def test_lists_and_maps_nest() -> None:
    """Each text in them may be an expression."""
    value = "<camunda:list><camunda:list><camunda:value>${x}</camunda:value></camunda:list><camunda:map>"
    value += '<camunda:entry key="k"><camunda:value>a</camunda:value></camunda:entry></camunda:map></camunda:list>'
    parameter = f'<camunda:inputParameter name="p">{value}</camunda:inputParameter>'
    task = f"<extensionElements><camunda:inputOutput>{parameter}</camunda:inputOutput></extensionElements>"
    player = play(f'<serviceTask id="t" camunda:type="external" camunda:topic="W">{task}</serviceTask>', x=1)
    assert player.effect(SendCommand).parameters == {"p": [[1], {"k": "a"}]}


def associated(kind: str, source: str, target: str, more: str = "") -> str:
    """A data association with an assignment."""
    assignment = f"<assignment><from {more}>{source}</from><to>{target}</to></assignment>"
    return (
        f"<data{kind}Association><sourceRef>d</sourceRef><targetRef>i</targetRef>{assignment}</data{kind}Association>"
    )


def test_assignments_of_data_associations_are_mappings() -> None:
    """By the name of a variable, or the id of a data input that has a name."""
    data = '<ioSpecification><dataInput id="i" name="amount"/><dataOutput id="o" name="paid"/></ioSpecification>'
    task = (
        f'<serviceTask id="t" camunda:type="external" camunda:topic="W">{data}{associated("Input", "order.total", "i")}'
        f"{associated('Input', '${order.id}', 'number')}{associated('Output', '=result.ok', 'o')}</serviceTask>"
    )
    player = play(task, order={"total": 5, "id": "x"})
    assert player.effect(SendCommand).parameters == {"amount": 5, "number": "x"}
    assert player.complete("t", {"ok": True}).variables["paid"] is True


def test_an_association_without_an_assignment_says_nothing_of_variables() -> None:
    """Data objects, stores and their references are kept as they are drawn."""
    body = (
        '<dataObject id="o"/><dataObjectReference id="r" name="Order form" dataObjectRef="o"/>'
        '<dataStoreReference id="store" name="Archive"/>'
        '<serviceTask id="t" camunda:type="external" camunda:topic="W"><property id="q" name="slot"/>'
        "<dataInputAssociation><sourceRef>r</sourceRef><targetRef>q</targetRef></dataInputAssociation></serviceTask>"
    )
    effect = play(body, x=1).effect(SendCommand)
    assert (effect.parameters, effect.is_mapped) == ({"x": 1}, False)


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        (associated("Input", "x", "a + b"), "<from> an expression <to> the name of a variable"),
        (associated("Input", "", "a"), "<from> an expression <to> the name of a variable"),
        (associated("Input", "x", "a", 'language="http://www.w3.org/1999/XPath"'), "is written in http://www.w3.org"),
        (
            "<dataOutputAssociation><transformation>x</transformation></dataOutputAssociation>",
            "the transformation of its data association is not executed; write it as an assignment",
        ),
    ],
)
def test_a_data_association_that_cannot_be_done_is_refused(inner: str, says: str) -> None:
    """On activities and on events."""
    for tag in ("task", "intermediateThrowEvent"):
        with pytest.raises(InvalidDefinition) as caught:
            load(model(f'<startEvent id="s"/><{tag} id="t">{inner}</{tag}>' + flows("s > t")))
        assert any(says in error for error in caught.value.errors)
