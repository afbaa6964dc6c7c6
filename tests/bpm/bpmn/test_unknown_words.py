"""Nothing is ignored in silence: a word that is not known where it stands is refused, or known to be harmless."""

import pytest

from bpm.bpmn import load
from bpm.model_files.problems import InvalidDefinition
from tests.bpm.bpmn.player import flows, model


def problems(element: str, head: str = ""):
    """What is wrong with a process of one element, called t."""
    body = f'<startEvent id="s"/>{element}<endEvent id="e"/>' + flows("s > t > e")
    source = model(body, head).replace("<definitions ", '<definitions xmlns:flowable="http://flowable.org/bpmn" ', 1)
    try:
        load(source)
    except InvalidDefinition as invalid:
        return invalid.errors
    return ()


def user(attributes: str = "", inside: str = "") -> str:
    """A user task."""
    return f'<userTask id="t" {attributes}>{inside}</userTask>'


def timer(attributes: str) -> str:
    """A timer with a cycle."""
    time = f"<timeCycle {attributes}>R3/PT1H</timeCycle>"
    event = f"<timerEventDefinition>{time}</timerEventDefinition>"
    return f'<intermediateCatchEvent id="t">{event}</intermediateCatchEvent>'


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (user('bpm:asignee="ann"'), "'assignee' may be meant"),
        (user('bpm:assignee="ann" bpm:reminder="P1D"'), "its attribute 'reminder' is not known"),
        (user('camunda:asignee="ann"'), "'assignee' may be meant"),
        (user('camunda:followUpDate="2026-01-01T00:00:00Z"'), "a followUpDate is not executed"),
        (user('isForCompensaton="true"'), "its attribute 'isForCompensaton' is none of BPMN's for <userTask>"),
        (user(inside='<extensionElements><zeebe:asignmentDefinition assignee="a"/></extensionElements>'),
         "'assignmentDefinition' may be meant"),
        (user(inside='<extensionElements><zeebe:assignmentDefinition asignee="a"/></extensionElements>'),
         "the attribute 'asignee' of its <assignmentDefinition> is not known"),
        (user(inside="<extensionElements><bpm:fromSchema>{}</bpm:fromSchema></extensionElements>"),
         "'formSchema' may be meant"),
        (user(inside='<extensionElements><bpm:output name="a" nmae="b">1</bpm:output></extensionElements>'),
         "the attribute 'nmae' of its <output> is not known; 'name' may be meant"),
        (user(inside='<multiInstanceLoopCharacteristics behavior="One"><loopCardinality>2</loopCardinality>'
                     "</multiInstanceLoopCharacteristics>"), "its behavior throws events between its turns"),
        (user(inside='<multiInstanceLoopCharacteristics isSequental="true"><loopCardinality>2</loopCardinality>'
                     "</multiInstanceLoopCharacteristics>"), "'isSequential' may be meant"),
        (user('isForCompensation="False"'), "its isForCompensation 'False' is neither true nor false"),
        (user(inside='<multiInstanceLoopCharacteristics isSequential="yes"><loopCardinality>2</loopCardinality>'
                     "</multiInstanceLoopCharacteristics>"), "its isSequential 'yes' is neither true nor false"),
        (user(inside="<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
                     "<loopDataOutputRef>x</loopDataOutputRef></multiInstanceLoopCharacteristics>"),
         "it names the collection of its outputs or their element, but not both"),
        ('<intermediateThrowEvent id="t"><compensateEventDefinition waitForCompletion="0"/></intermediateThrowEvent>',
         'waitForCompletion="false" is not executed'),
        (timer('flowable:endDate="2026-01-01T00:00:00Z"'), "the end date of a cycle is not executed"),
        (timer('flowable:somethingNew="x"'), "its attribute 'somethingNew' is not known"),
        ('<intermediateCatchEvent id="t"><conditionalEventDefinition camunda:variableName="y"><condition>=x</condition>'
         "</conditionalEventDefinition></intermediateCatchEvent>", "a conditional event is asked whenever"),
        ('<serviceTask id="t"><extensionElements><bpm:command type="X" resultVarable="y"/></extensionElements>'
         "</serviceTask>", "'resultVariable' may be meant"),
    ],
)  # fmt: skip
def test_a_word_that_is_not_known_is_refused(element: str, says: str) -> None:
    """By the element's id; a slip names the word that may be meant."""
    found = problems(element)
    assert any(says in problem and "'t'" in problem for problem in found), found


@pytest.mark.parametrize(
    "inside",
    [
        "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality><completionCondition L>a"
        "</completionCondition></multiInstanceLoopCharacteristics>",
        "<multiInstanceLoopCharacteristics><loopCardinality L>a</loopCardinality></multiInstanceLoopCharacteristics>",
        "<standardLoopCharacteristics><loopCondition L>a</loopCondition></standardLoopCharacteristics>",
        "<potentialOwner><resourceAssignmentExpression><formalExpression L>${a}</formalExpression>"
        "</resourceAssignmentExpression></potentialOwner>",
    ],
)
def test_a_language_that_is_not_evaluated_is_refused_wherever_an_expression_stands(inside: str) -> None:
    """Only FEEL and the like are; what is the same in every language has none."""
    foreign = user(inside=inside.replace("L>", 'language="urn:javascript">', 1))
    assert any("is written in urn:javascript; write FEEL" in problem for problem in problems(foreign))
    assert problems(user(inside=inside.replace("L>", 'language="https://www.omg.org/spec/FEEL/20140401">', 1))) == ()


@pytest.mark.parametrize("time", ["timeDuration", "timeDate", "timeCycle"])
def test_a_time_may_be_said_to_be_of_any_language_unless_it_is_an_expression(time: str) -> None:
    """Editors write the language of the whole file beside a constant."""
    wait = f'<intermediateCatchEvent id="t"><timerEventDefinition><{time} language="urn:xpath">%s</{time}>'
    wait += "</timerEventDefinition></intermediateCatchEvent>"
    constant = {"timeDuration": "PT1H", "timeDate": "2027-01-01T00:00:00Z", "timeCycle": "R3/PT1H"}[time]
    assert problems(wait % constant) == ()
    assert any("is written in urn:xpath" in problem for problem in problems(wait % "${a}"))


def test_a_vendors_attribute_on_its_own_extension_counts_too() -> None:
    """Also with the prefix that others write in front of it."""
    inputs = '<extensionElements><camunda:in camunda:source="a" target="b"/></extensionElements>'
    called = f'<callActivity id="t" calledElement="q">{inputs}</callActivity>'
    assert any("the attribute 'source' of its <in> is not known" in problem for problem in problems(called))
    cycle = '<camunda:failedJobRetryTimeCycle exclusive="false">R3/PT1M</camunda:failedJobRetryTimeCycle>'
    retried = user(inside=f"<extensionElements>{cycle}</extensionElements>")
    assert any("'exclusive' of its <failedJobRetryTimeCycle>" in problem for problem in problems(retried))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('<camunda:map><camunda:entry key="k" value="1"/></camunda:map>', "'value' of its <entry>"),
        ('<camunda:list><camunda:value text="1"/></camunda:list>', "'text' of its <value>"),
        ('<camunda:list type="x"><camunda:value>1</camunda:value></camunda:list>', "'type' of its <list>"),
        ('<camunda:map><camunda:entry key="k"><camunda:list kind="x"/></camunda:entry></camunda:map>', "'kind' of its"),
        ('<camunda:script scriptFormat="feel" language="x">1</camunda:script>', "'language' of its <script>"),
    ],
)
def test_a_value_in_an_attribute_of_what_a_parameter_holds_is_refused(value: str, says: str) -> None:
    """It stands in the element's text; in an attribute it was nothing."""
    mapping = f'<camunda:inputParameter name="a">{value}</camunda:inputParameter>'
    inside = f"<extensionElements><camunda:inputOutput>{mapping}</camunda:inputOutput></extensionElements>"
    found = problems(user(inside=inside))
    assert any(f"the attribute {says}" in problem for problem in found), found


def test_words_on_flows_and_declarations_count_too() -> None:
    """They are elements as any other."""
    error = '<error id="x" errorCode="X" camunda:errorMessage="went wrong"/>'
    assert any("the message of an error is not thrown" in problem for problem in problems(user(), error))
    body = '<startEvent id="s"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="e"><extensionElements>'
    body += '<camunda:executionListener class="X" event="take"/></extensionElements></sequenceFlow>'
    with pytest.raises(InvalidDefinition, match="its listener calls Java code"):
        load(model(body))


@pytest.mark.parametrize(
    "element",
    [
        user('camunda:asyncBefore="true" camunda:exclusive="false" camunda:jobPriority="5"'),
        user('zeebe:modelerTemplate="x" zeebe:modelerTemplateVersion="1"'),
        user(inside="<extensionElements><zeebe:userTask/><camunda:formData/></extensionElements>"),
        user('xmlns:c="http://www.omg.org/spec/BPMN/non-normative/color/1.0" c:border-color="#fff"'),
        user('xmlns:t="http://tool.example/1" t:size="3"', '<extensionElements><t:shape a="1"/></extensionElements>'),
        user('implementation="##unspecified"', "<documentation textFormat='x'>what to do</documentation>"),
    ],
)
def test_what_has_no_meaning_for_execution_is_kept(element: str) -> None:
    """Layout, forms, tools and what the engine arranges itself."""
    assert problems(element) == ()


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (user('camunda:collection="items"'), "its collection is not executed; it belongs on <multiInstance"),
        (user('bpm:collection="items"'), "its collection is not executed; it belongs on <multiInstance"),
        (user('flowable:elementVariable="x"'), "its variable of a turn is not executed"),
        (user('flowable:elementIndexVariable="x"'), "its number of a turn is not executed"),
        (user('camunda:topic="Work"'), "its command is not executed; it belongs on <serviceTask>"),
        (user('camunda:expression="${1}"'), "its expression is not executed; it belongs on <serviceTask>"),
        (user('camunda:decisionRef="d"'), "its decision is not executed; it belongs on <businessRuleTask>"),
        (user('camunda:initiator="who"'), "its initiator is not executed; it belongs on <startEvent>"),
        (user('flowable:terminateAll="true"'), "its terminateAll is not executed; it belongs on <endEvent>"),
        (user('camunda:errorCodeVariable="c"'), "its variable for a code is not executed"),
        (user('camunda:businessKey="k"'), "its called process is not executed; it belongs on <callActivity>"),
        (user('camunda:versionTag="v1"'), "its version tag is not executed; it belongs on <process>"),
        ('<manualTask id="t" camunda:assignee="ann"/>', "its assignee is not executed; it belongs on <userTask>"),
        ('<manualTask id="t" camunda:resultVariable="r"/>', "its result variable is not executed"),
        ('<serviceTask id="t" camunda:topic="Work" camunda:formKey="f"/>', "its form is not executed"),
        (
            '<callActivity id="t" calledElement="q"><extensionElements><zeebe:loopCharacteristics '
            'inputCollection="=items"/></extensionElements></callActivity>',
            "its collection is not executed; it belongs on <multiInstance",
        ),
        (
            '<exclusiveGateway id="t"><extensionElements><zeebe:calledElement processId="q"/></extensionElements>'
            "</exclusiveGateway>",
            "its called process is not executed",
        ),
        (
            '<userTask id="t"><multiInstanceLoopCharacteristics camunda:assignee="ann"><loopCardinality>2'
            "</loopCardinality></multiInstanceLoopCharacteristics></userTask>",
            "its assignee is not executed; it belongs on <userTask>",
        ),
    ],
)
def test_a_word_that_means_nothing_where_it_stands_is_refused(element: str, says: str) -> None:
    """It is known, but of other elements; the sentence names one of them."""
    assert any(says in problem for problem in problems(element))


def called(inner: str) -> str:
    """A call activity."""
    return f'<callActivity id="t" calledElement="q"><extensionElements>{inner}</extensionElements></callActivity>'


def extended(inner: str) -> str:
    """A user task with extensions."""
    return user("", f"<extensionElements>{inner}</extensionElements>")


MANY = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>{}</multiInstanceLoopCharacteristics>"
LOOP = '<standardLoopCharacteristics loopMaximum="2">{}</standardLoopCharacteristics>'
FLOW = '<task id="t"/><sequenceFlow id="f" sourceRef="t" targetRef="e">{}</sequenceFlow>'


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (user("", MANY.format("<completionConditon>=true</completionConditon>")), "'completionCondition' may be meant"),
        (user("", LOOP.format("<loopConditon>=a</loopConditon>")), "'loopCondition' may be meant"),
        (
            FLOW.format("<conditionExpresion>=a</conditionExpresion>"),
            "its <conditionExpresion> is none of BPMN's for <sequenceFlow>; 'conditionExpression' may be meant",
        ),
        (extended('<zeebe:ioMapping><zeebe:inptu source="=1" target="a"/></zeebe:ioMapping>'), "'input' may be meant"),
        (extended('<zeebe:ioMapping><zeebe:input sorce="=1" target="a"/></zeebe:ioMapping>'), "'source' may be meant"),
        (extended('<zeebe:taskHeaders><zeebe:header kye="a" value="b"/></zeebe:taskHeaders>'), "'key' may be meant"),
        (
            extended('<camunda:inputOutput><camunda:inputParamter name="a"/></camunda:inputOutput>'),
            "its <inputOutput> holds <inputParamter>, which is not known; 'inputParameter' may be meant",
        ),
        (called('<camunda:in variabels="all"/>'), "'variables' may be meant"),
        (called('<camunda:in source="a" target="b" local="true"/>'), "the attribute 'local' of its <in> is not known"),
        (called('<camunda:in variables="some"/>'), "its <in> must have one source and a target"),
        (called('<camunda:in source="a"/>'), "its <in> must have one source and a target"),
        (called('<camunda:out source="a" sourceExpression="${b}" target="c"/>'), "its <out> must have one source"),
    ],
)
def test_a_slip_inside_of_what_is_known_is_refused(element: str, says: str) -> None:
    """Nothing of it would have been executed: a flow would have been taken always, a mapping would have been empty."""
    assert any(says in problem for problem in problems(element)), problems(element)
