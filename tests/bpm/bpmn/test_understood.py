"""What files of Camunda 7, Flowable and Activiti leave to be understood, and Flowable's own words."""

from typing import Any

import pytest

from bpm.bpmn import compile_all, load, parse
from bpm.bpmn.effects import OpenUserTask
from bpm.bpmn.state import Status
from bpm.model_files.problems import InvalidDefinition
from tests.bpm.bpmn.player import DEFINITIONS, Player, flows, model

FLOWABLE = DEFINITIONS.replace("<definitions ", '<definitions xmlns:flowable="http://flowable.org/bpmn" ', 1)
THROWING = """<startEvent id="s"/><subProcess id="q"><startEvent id="qs"/><endEvent id="x">
<errorEventDefinition errorRef="{thrown}"/></endEvent><sequenceFlow id="f" sourceRef="qs" targetRef="x"/></subProcess>
<boundaryEvent id="b" attachedToRef="q"><errorEventDefinition errorRef="{caught}"/></boundaryEvent>
<userTask id="u" camunda:priority="5"/><endEvent id="e"/>""" + flows("s > q > e", "b > u")


def flowable(body: str, head: str = "") -> str:
    """A file with one process, and Flowable's namespace."""
    return FLOWABLE.format(body=body, head=head)


def errors_of(source: str) -> list[str]:
    """Why a file is refused."""
    with pytest.raises(InvalidDefinition) as caught:
        load(source)
    return list(caught.value.errors)


def played(body: str, **variables: Any) -> Player:
    """A process of Flowable that was started."""
    player = Player('<startEvent id="s"/>')
    player.process = load(flowable(body))
    return player.start(**variables)


def test_an_error_that_is_not_declared_is_its_own_code() -> None:
    """Camunda 7 and its relatives read it so; what a declared one may be meant by is refused."""
    for thrown, caught in (("lost", "lost"), ("lost", "coded"), ("coded", "LOST")):
        head = (
            '<error id="coded" errorCode="lost"/>' if "LOST" not in caught else '<error id="coded" errorCode="LOST"/>'
        )
        assert Player(THROWING.format(thrown=thrown, caught=caught), head).start().waiting == ["u"]
    assert "u" not in Player(THROWING.format(thrown="lost", caught="other")).start().waiting
    near = model(THROWING.format(thrown="codet", caught="coded"), '<error id="coded" errorCode="lost"/>')
    assert any("its errorRef 'codet' is not declared" in error for error in errors_of(near))
    plain = model(THROWING.format(thrown="lost", caught="lost").replace('camunda:priority="5"', ""))
    assert any("its errorRef 'lost' is not declared" in error for error in errors_of(plain))


def test_a_process_of_flowable_is_executed_unless_it_says_otherwise() -> None:
    """Of several all that do not say no."""
    one = '<startEvent id="s{0}"/><userTask id="t{0}" flowable:assignee="ann"/>' + flows("s{0} > t{0}")
    source = flowable(one.format(1)).replace(' isExecutable="true"', "")
    more = f'</process><process id="q">{one.format(2)}</process><process id="r" isExecutable="false">{one.format(3)}'
    assert [process.id for process in compile_all(parse(source.replace("</process>", more + "</process>")))] == [
        "p",
        "q",
    ]
    unclear = source.replace("</process>", more + "</process>").replace("flowable:", "bpm:")
    with pytest.raises(InvalidDefinition, match="this process may be meant"):
        compile_all(parse(unclear))


def test_elements_that_no_flow_needs_to_name_may_be_without_ids() -> None:
    """Each has a name of its own all the same."""
    body = """<startEvent id="s"/><userTask id="t"/><endEvent id="e"/>
    <subProcess triggeredByEvent="true"><startEvent id="a"><escalationEventDefinition/></startEvent></subProcess>
    <subProcess triggeredByEvent="true"><startEvent><errorEventDefinition/></startEvent></subProcess>"""
    process = load(model(body + flows("s > t > e")))
    assert len(process.nodes) == 7
    assert len({element.id for element in process.definition.elements}) == 7


def test_a_data_object_s_value_is_a_variable_of_its_scope() -> None:
    """What the caller gives comes first."""
    body = """<startEvent id="s"/><dataObject id="d1" name="n" itemSubjectRef="xsd:int"><extensionElements>
    <flowable:value>5</flowable:value></extensionElements></dataObject><dataObject id="d2" name="text"
    itemSubjectRef="xsd:string"><extensionElements><flowable:value>7</flowable:value></extensionElements></dataObject>
    <dataObject id="d3" name="drawn"/><subProcess id="q"><dataObject id="d4" name="inner" itemSubjectRef="xsd:boolean">
    <extensionElements><flowable:value>true</flowable:value></extensionElements></dataObject><startEvent id="qs"/>
    <scriptTask id="k" scriptFormat="juel" flowable:resultVariable="seen"><script>${inner}</script></scriptTask>
    <sequenceFlow id="f" sourceRef="qs" targetRef="k"/></subProcess><userTask id="t"/>""" + flows("s > q > t")
    assert played(body).variables == {"n": 5, "text": "7", "seen": True}
    assert played(body, n=6).variables["n"] == 6
    bad = body.replace(">5<", ">five<").replace(">true<", ">1<")
    assert [error.partition(": ")[2] for error in errors_of(flowable(bad))] == [
        "its value 'five' is not of the type int",
        "its value '1' is not of the type boolean",
    ]


@pytest.mark.parametrize(
    ("condition", "holds", "fails"),
    [
        ("var:equals(n, 5)", {"n": 5}, {"n": 4}),
        ("variables:eq('n', 5)", {"n": 5}, {}),
        ("vars:notEquals(n,5)", {"n": 4}, {"n": 5}),
        ("var:lowerThan(n, 5)", {"n": 4}, {"n": 5}),
        ("var:lte(n, 5)", {"n": 5}, {}),
        ("var:gt(n, 5) && var:exists(m)", {"n": 6, "m": 1}, {"n": 6}),
        ("var:greaterThanOrEquals(n, 5)", {"n": 5}, {}),
        ("var:isEmpty(n)", {}, {"n": "a"}),
        ("!var:isNotEmpty(n)", {"n": ""}, {"n": "a"}),
        ("var:get(n) == 5", {"n": 5}, {"n": 6}),
        ("var:getOrDefault(n, 5) == 5", {}, {"n": 6}),
        ("var:equals(n, 'a, (b)')", {"n": "a, (b)"}, {"n": "a"}),
        ("n == 'var:eq(n, 5)'", {"n": "var:eq(n, 5)"}, {"n": "x"}),
    ],
)
def test_functions_of_variables_are_comparisons(
    condition: str, holds: dict[str, object], fails: dict[str, object]
) -> None:
    """A variable that is not there equals nothing."""
    text = condition.replace("&", "&amp;").replace("<", "&lt;")
    body = f"""<startEvent id="s"/><exclusiveGateway id="g" default="no"/><userTask id="a"/><userTask id="b"/>
    <sequenceFlow id="s-g" sourceRef="s" targetRef="g"/><sequenceFlow id="no" sourceRef="g" targetRef="b"/>
    <sequenceFlow id="yes" sourceRef="g" targetRef="a"><conditionExpression>${{{text}}}</conditionExpression>
    </sequenceFlow>"""
    assert played(body, **holds).waiting == ["a"]
    assert played(body, **fails).waiting == ["b"]


def test_a_function_that_is_not_known_is_refused() -> None:
    """As any other."""
    body = '<startEvent id="s"/><userTask id="t" flowable:assignee="${var:base64(n)}"/>' + flows("s > t")
    assert "its assignee" in errors_of(flowable(body))[0]


def test_a_terminate_end_event_of_flowable_ends_the_instance_from_wherever_it_stands() -> None:
    """Event sub-processes, tasks beside it, and the scopes around."""
    body = """<startEvent id="s"/><parallelGateway id="g"/><userTask id="t"/><subProcess id="q"><startEvent id="qs"/>
    <subProcess id="r"><startEvent id="rs"/><endEvent id="x"><terminateEventDefinition flowable:terminateAll="{}"/>
    </endEvent><sequenceFlow id="f1" sourceRef="rs" targetRef="x"/></subProcess><userTask id="u"/>
    <sequenceFlow id="f2" sourceRef="qs" targetRef="r"/><sequenceFlow id="f3" sourceRef="qs" targetRef="u"/>
    </subProcess>""" + flows("s > g > t", "g > q")
    player = played(body.format("true"))
    assert (player.status, player.waiting, player.open) == (Status.COMPLETED, [], {})
    assert played(body.format("false")).waiting == ["t", "u"]
    assert load(flowable(body.format("true"))).ends_callers == ["x"]


def test_words_of_flowable_s_design_mean_nothing_here() -> None:
    """Tenants, history and the drawing of forms."""
    words = "<flowable:work-form-field-validation>false</flowable:work-form-field-validation><flowable:jobCategory/>"
    inner = f"<extensionElements>{words}</extensionElements>"
    body = f"""<startEvent id="s"/><userTask id="t">{inner}</userTask><callActivity id="c" calledElement="q"
    flowable:fallbackToDefaultTenant="true"/>""" + flows("s > t > c")
    assert played(body).waiting == ["t"]
    alone = body.replace("work-form-field-validation", "value")
    assert any("a value is that of a data object" in error for error in errors_of(flowable(alone)))


SKIPPED = """<startEvent id="s"/><userTask id="t"
flowable:skipExpression="${execution.getVariable('skip')}">{}</userTask><userTask id="u"/><endEvent id="e"/>""" + flows(
    "s > t > u > e"
)
ENABLED = {"_FLOWABLE_SKIP_EXPRESSION_ENABLED": True}


def test_a_skip_expression_passes_an_activity_over() -> None:
    """Only in an instance that allows it; boundary events never listen."""
    boundary = '<boundaryEvent id="b" attachedToRef="t"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    boundary += "</timerEventDefinition></boundaryEvent>"
    body = SKIPPED.replace("{}", "") + boundary
    player = played(body, skip=True, **ENABLED)
    assert player.waiting == ["u"]
    assert "t skipped" in player.events
    assert played(body, skip=False, **ENABLED).waiting == ["b", "t"]
    assert played(body, skip=True).waiting == ["b", "t"]
    failed = played(body, skip="perhaps", **ENABLED)
    assert failed.waiting == ["t"]
    assert failed.retry("t", skip=True).waiting == ["u"]


def test_turns_are_skipped_one_by_one() -> None:
    """Of a repeated activity each turn is asked."""
    many = '<multiInstanceLoopCharacteristics flowable:collection="items" flowable:elementVariable="skip"/>'
    player = played(SKIPPED.replace("{}", many), items=[True, False, True], **ENABLED)
    assert player.waiting == ["t"]
    assert player.do("t").waiting == ["u"]


def test_only_activities_are_skipped() -> None:
    """A flow has its condition, a gateway its flows."""
    gateway = '<startEvent id="s"/><exclusiveGateway id="g" flowable:skipExpression="${a}"/>' + flows("s > g")
    assert "its skipExpression is not executed" in errors_of(flowable(gateway))[0]
    flow = SKIPPED.replace("{}", "").replace('id="t-u"', 'id="t-u" flowable:skipExpression="${a}"')
    assert "a skipExpression of a sequence flow is not executed" in errors_of(flowable(flow))[0]


def test_variables_may_be_read_by_the_execution() -> None:
    """Anything else that is Java's is refused."""
    body = '<startEvent id="s"/><userTask id="t" camunda:assignee="{}"/>' + flows("s > t")
    player = Player(body.format("#{execution.getVariable('who')}")).start(who="ann")
    assert player.wait_of(OpenUserTask, "t").assignee == "ann"
    refused = errors_of(model(body.format("${execution.setVariable('a', 1)}")))
    assert "'execution' is an object of Camunda 7's Java" in refused[0]


def test_an_escalation_that_flowable_does_not_declare_is_its_own_code() -> None:
    """As an error is; Camunda 7 declares its escalations."""
    body = THROWING.replace("error", "escalation").replace("camunda:", "flowable:").format(thrown="late", caught="late")
    assert played(body.replace("<boundaryEvent", '<boundaryEvent cancelActivity="false"')).waiting == ["u"]
    with pytest.raises(InvalidDefinition, match="its escalationRef 'late' is not declared"):
        load(model(body.replace("flowable:", "camunda:")))


def test_each_turn_has_its_number_in_a_variable_of_the_author_s() -> None:
    """It counts from 0."""
    many = """<multiInstanceLoopCharacteristics isSequential="true" flowable:collection="items"
    flowable:elementVariable="item" flowable:elementIndexVariable="place"/>"""
    task = f'<userTask id="t" flowable:assignee="${{place}}">{many}</userTask>'
    player = played(f'<startEvent id="s"/>{task}' + flows("s > t"), items=["a", "b"])
    assert player.wait_of(OpenUserTask, "t").assignee == "0"
    player.do("t")
    assert player.wait_of(OpenUserTask, "t").assignee == "1"
    assert "place" not in player.do("t").variables
