"""What may stand once and stands twice, or contradicts itself, is refused: nothing of it is ignored in silence."""

import pytest

from bpm.bpmn import load
from bpm.bpmn.compiler.compile import load_deployed
from bpm.model_files.problems import InvalidDefinition
from tests.bpm.bpmn.player import flows, model

HEAD = (
    '<message id="m" name="M"><extensionElements><zeebe:subscription correlationKey="=a"/></extensionElements>'
    '</message><error id="x" errorCode="X"/><escalation id="y" escalationCode="Y"/>'
)


def problems(inside: str, *paths: str) -> str:
    """What is wrong with a process that begins at s."""
    try:
        load(model(f'<startEvent id="s"/>{inside}<endEvent id="e"/>{flows(*paths)}', HEAD))
    except InvalidDefinition as invalid:
        return "; ".join(invalid.errors)
    return ""


def element(kind: str, extensions: str = "", attributes: str = "", inside: str = "") -> str:
    """An element called t."""
    return f'<{kind} id="t" {attributes}><extensionElements>{extensions}</extensionElements>{inside}</{kind}>'


def timer(times: str) -> str:
    """A timer with some times."""
    return (
        f'<intermediateCatchEvent id="t"><timerEventDefinition>{times}</timerEventDefinition></intermediateCatchEvent>'
    )


def performer(name: str) -> str:
    """Whoever is to do a task, in BPMN's own words."""
    expression = f"<formalExpression>{name}</formalExpression>"
    return f"<humanPerformer><resourceAssignmentExpression>{expression}</resourceAssignmentExpression></humanPerformer>"


ONE = "of which one alone would be executed"
A, B = '<zeebe:taskDefinition type="A"/>', '<zeebe:taskDefinition type="B"/>'
INPUTS = '<zeebe:ioMapping><zeebe:input source="=1" target="a"/></zeebe:ioMapping>'
TWO_INPUTS = (
    '<zeebe:ioMapping><zeebe:input source="=1" target="a"/><zeebe:input source="=2" target="a"/></zeebe:ioMapping>'
)
TURNS = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
MANY = "multiInstanceLoopCharacteristics"

TWICE = [
    (element("serviceTask", A + B), f"holds <taskDefinition> 2 times, {ONE}"),
    (element("serviceTask", A + INPUTS + INPUTS), "<ioMapping> 2 times"),
    (element("serviceTask", A + TWO_INPUTS), "its input 'a' is given twice"),
    (element("serviceTask", '<bpm:command type="B"/>', 'camunda:topic="A"'), "its command is given twice, as 'A'"),
    (element("serviceTask", '<bpm:command type="A" resultVariable="a"/>', 'bpm:resultVariable="b"'),
     "its result variable is given twice"),
    (element("serviceTask", '<bpm:command type="A"><bpm:parameter name="a">1</bpm:parameter><bpm:parameter name="a">2'
     "</bpm:parameter></bpm:command>"), "its input 'a' is given twice"),
    (element("serviceTask", '<bpm:command type="A">{"a": 1}<bpm:parameter name="a">2</bpm:parameter></bpm:command>'),
     "its input 'a' is given twice"),
    (element("serviceTask", '<bpm:command type="A">{"a": 1, "a": 2}</bpm:command>'), 'the key "a" stands twice'),
    (element("serviceTask", '<custom:properties><custom:property name="ConnectorKey" value="A"/><custom:property '
     'name="CommandName" value="B"/></custom:properties>'), "its command is given twice"),
    (element("serviceTask", f'{A}<zeebe:taskHeaders><zeebe:header key="resultVariable" value="a"/><zeebe:header '
     'key="resultVariable" value="b"/></zeebe:taskHeaders>'), "its result variable is given twice"),
    (element("serviceTask", "", 'camunda:topic="A" camunda:expression="${1}"'),
     "it has two kinds of work, command and expression"),
    (element("businessRuleTask", '<zeebe:calledDecision decisionId="d" resultVariable="r"/>' + A),
     "it has two kinds of work, command and decision"),
    (element("scriptTask", A, inside="<script>x = 1</script>"), "it has two kinds of work, command and script"),
    (element("scriptTask", inside="<script>x = 1</script><script>y = 1</script>"), "<script> 2 times"),
    (element("sendTask", '<bpm:command type="A"/><bpm:message name="M"/>'), "the message 'M' and the command 'A'"),
    ('<serviceTask id="t" camunda:topic="A"><extensionElements/><extensionElements/></serviceTask>',
     "<extensionElements> 2 times"),
    (timer("<timeDuration>PT1H</timeDuration><timeDate>2027-01-01T00:00:00Z</timeDate>"),
     "its <timerEventDefinition> holds <timeDuration> and <timeDate>"),
    (timer("<timeDuration>PT1H</timeDuration><timeDuration>PT2H</timeDuration>"), "<timeDuration> 2 times"),
    (element("userTask", inside=f"{TURNS}<standardLoopCharacteristics loopMaximum='2'/>"),
     "<multiInstanceLoopCharacteristics> and <standardLoopCharacteristics>"),
    (element("userTask", inside=TURNS + TURNS), "<multiInstanceLoopCharacteristics> 2 times"),
    (element("userTask", inside=f"<{MANY}><loopCardinality>2</loopCardinality><loopCardinality>3</loopCardinality>"
     f"</{MANY}>"), "<loopCardinality> 2 times"),
    (element("userTask", inside=f'<{MANY} camunda:collection="a"><loopDataInputRef>b</loopDataInputRef></{MANY}>'),
     "its collection is given twice"),
    (element("userTask", '<zeebe:formDefinition formKey="a" formId="b"/>'), "its form is given twice"),
    (element("userTask", '<zeebe:assignmentDefinition assignee="a"/>', 'camunda:assignee="b"'),
     "its assignee is given twice"),
    (element("userTask", "", 'camunda:assignee="b"', performer("ann")), "its assignee is given twice"),
    (element("userTask", inside=performer("ann") + performer("bob")), "<humanPerformer> 2 times"),
    (element("userTask", '<bpm:executionListener event="start"><bpm:script>a = 1</bpm:script><bpm:script>b = 1'
     "</bpm:script></bpm:executionListener>"), "its listener holds <script> twice"),
    (element("userTask", inside="<dataInputAssociation><assignment><from>1</from><to>x</to></assignment><assignment>"
     "<from>2</from><to>x</to></assignment></dataInputAssociation>"), "lead to 'x'"),
    (element("callActivity", '<zeebe:calledElement processId="a"/>', 'calledElement="b"'),
     "its called process is given twice"),
    (element("callActivity", '<camunda:in source="a" target="x"/><camunda:in source="b" target="x"/>',
     'calledElement="b"'), "its <in> for 'x' is given twice"),
    (element("callActivity", '<camunda:in businessKey="${a}"/><camunda:in businessKey="${b}"/>', 'calledElement="b"'),
     "its business key is given twice"),
    (element("receiveTask", '<bpm:message name="K"/>', 'messageRef="m"'), "its messageRef names 'M'"),
    (element("receiveTask", "", 'messageRef="m" bpm:correlationKey="=b"'), "its correlation key is not that"),
    ('<intermediateCatchEvent id="t"><conditionalEventDefinition><condition>=a</condition><condition>=b</condition>'
     "</conditionalEventDefinition></intermediateCatchEvent>", "<condition> 2 times"),
]  # fmt: skip


@pytest.mark.parametrize(("inside", "says"), TWICE)
def test_what_stands_twice_is_refused(inside: str, says: str) -> None:
    """Elements, mappings, and what two vendors' words say of one thing."""
    found = problems(inside, "s > t > e")
    assert says in found
    assert "'t'" in found


@pytest.mark.parametrize("event", ['error|errorRef="x"', 'escalation|escalationRef="y"', 'message|messageRef="m"'])
def test_two_events_that_catch_the_same_are_refused(event: str) -> None:
    """At one activity, and in the event sub-processes of one scope: only one of them would happen."""
    kind, reference = event.split("|")
    definition = f"<{kind}EventDefinition {reference}/>"
    attached = "".join(f'<boundaryEvent id="{i}" attachedToRef="t">{definition}</boundaryEvent>' for i in "ab")
    assert "'b': it catches the same as 'a'" in problems(f'<userTask id="t"/>{attached}', "s > t > e", "a > e", "b > e")
    triggered = "".join(
        f'<subProcess id="{i}" triggeredByEvent="true"><startEvent id="{i}s">{definition}</startEvent></subProcess>'
        for i in "ab"
    )
    assert "'bs': it catches the same as 'as'" in problems(f'<userTask id="t"/>{triggered}', "s > t > e")


def test_a_gateway_does_not_wait_twice_for_a_message() -> None:
    """Nobody could say where it leads."""
    catch = "".join(f'<receiveTask id="{i}" messageRef="m"/>' for i in "ab")
    found = problems(f'<eventBasedGateway id="g"/>{catch}', "s > g > a > e", "g > b > e")
    assert "'b': it catches the same as 'a' (message M =a)" in found


def test_what_says_the_same_twice_or_belongs_to_several_is_accepted() -> None:
    """An activity's own input beside what is mapped into the called process, and words that agree."""
    same = element("userTask", '<zeebe:assignmentDefinition assignee="ann"/>', 'camunda:assignee="ann"')
    assert problems(same, "s > t > e") == ""
    both = '<camunda:inputOutput><camunda:inputParameter name="x">1</camunda:inputParameter></camunda:inputOutput>'
    called = element("callActivity", f'{both}<camunda:in source="x" target="x"/>', 'calledElement="q"')
    assert problems(called, "s > t > e") == ""
    signals = '<boundaryEvent id="{}" attachedToRef="t"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    signals += "</timerEventDefinition></boundaryEvent>"
    assert (
        problems(f'<userTask id="t"/>{signals.format("a")}{signals.format("b")}', "s > t > e", "a > e", "b > e") == ""
    )


def test_where_vendors_differ_the_file_s_own_platform_counts() -> None:
    """A model that was carried over from one platform to the other may still hold the words of both."""
    body = element("sendTask", '<zeebe:taskDefinition type="email"/>', 'camunda:type="external" camunda:topic="mail"')
    source = model(f'<startEvent id="s"/>{body}<endEvent id="e"/>{flows("s > t > e")}', HEAD)
    for platform, command in (("Camunda Cloud", "email"), ("Camunda Platform", "mail")):
        named = f'xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="{platform}"'
        assert load(source.replace("<definitions ", f"<definitions {named} ", 1)).commands == [("t", command, ())]
    twice = source.replace("</extensionElements></sendTask>", f"{B}</extensionElements></sendTask>")
    with pytest.raises(InvalidDefinition, match="<taskDefinition> 2 times"):
        load(twice.replace("<definitions ", f"<definitions {named} ", 1))


@pytest.mark.parametrize("inside", [inside for inside, _ in TWICE])
def test_what_is_deployed_goes_on(inside: str) -> None:
    """It was checked by the rules of its day: a new version of the product stops no instance that runs."""
    source = model(f'<startEvent id="s"/>{inside}<endEvent id="e"/>{flows("s > t > e")}', HEAD)
    assert {"s", "t", "e"} <= load_deployed(source, "p").nodes.keys()
