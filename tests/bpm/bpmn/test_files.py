"""Files that are refused, each with every problem named in one answer."""

import pytest

from bpm.bpmn import InvalidDefinition, compile_all, compile_process, load, parse
from tests.bpm.bpmn.player import Player, flow, flows, model
from tests.effort import effort_below

LINE = '<startEvent id="s"/><endEvent id="e"/>'
GOOD = model(LINE + flows("s > e"))
BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><definitions>&c;</definitions>"""
EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


def problems(source: str | bytes):
    """The problems of a file as sentences."""
    with pytest.raises(InvalidDefinition) as caught:
        load(source)
    assert [str(problem) for problem in caught.value.problems] == list(caught.value.errors)
    return list(caught.value.errors)


def only(source: str | bytes):
    """The one problem of a file."""
    (problem,) = problems(source)
    return problem


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "not well-formed XML"),
        ("   ", "not well-formed XML"),
        ("{}", "not well-formed XML"),
        ("<definitions>", "not well-formed XML"),
        ("<a><b></a>", "line 1: the file is not well-formed XML"),
        (b"\xff\xfe\x00", "not text in the encoding"),
        (b"\x80abc", "not text in the encoding"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "not text in the encoding 'klingon'"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', "not text in the encoding 'rot13'"),
        ("<a>\x00</a>", "not well-formed XML"),
        ("<a>\ud800</a>", "lone surrogates"),
        ("<a>&undefined;</a>", "not well-formed XML"),
        ("<bpm:a/>", "not well-formed XML"),
        (BOMB, "<!DOCTYPE"),
        (BOMB.encode("utf-16"), "<!DOCTYPE"),
        (EXTERNAL, "<!DOCTYPE"),
        ("<!-- x --><?pi y?>" + EXTERNAL, "<!DOCTYPE"),
        ("<html/>", "the root element is <html>"),
        ("<definitions/>", "not BPMN 2.0's"),
        ('<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "no <process>"),
        (model(""), "it has no start event"),
        (model("").replace(' isExecutable="true"', ""), "the process is empty"),
        ("<a>" * 5000, "not well-formed XML"),
        ("<a>" * 200 + "</a>" * 200, "nested too deep"),
        ("<a" + ' b="c"' * 2 + "/>", "not well-formed XML"),
        ("<a " + " ".join(f'a{number}="1"' for number in range(80_000)) + "/>", "more than 200 attributes"),
        ("x" * 2_000_000, "larger than 1,048,576 bytes"),
        ("é" * 600_000, "larger than 1,048,576 bytes"),
    ],
)
def test_what_is_no_bpmn_is_refused_at_once(source: str | bytes, says: str) -> None:
    """A clear sentence, and never a crash, an expansion or a wait."""
    with effort_below(10):
        assert says in only(source)


def test_a_file_of_nothing_but_mistakes_is_answered_in_bounds() -> None:
    """All problems are kept, five hundred of them put into sentences, in little time."""
    with effort_below(30), pytest.raises(InvalidDefinition) as caught:
        load(model("<fooTask/>" * 20_000))
    assert len(caught.value.problems) == 20_001
    assert len(caught.value.errors) == 501
    assert caught.value.errors[-1] == "and 19501 more problems"


def test_limits_are_the_callers() -> None:
    """Size and depth can be set for each file."""
    with pytest.raises(InvalidDefinition, match="larger than 100 bytes"):
        parse(GOOD, max_bytes=100)
    with pytest.raises(InvalidDefinition, match="nested too deep"):
        parse(GOOD, max_depth=2)


@pytest.mark.parametrize(
    "source",
    [
        GOOD,
        GOOD.encode(),
        "\ufeff" + GOOD,
        "\n  " + '<?xml version="1.0" encoding="UTF-16"?>' + GOOD,
        ('<?xml version="1.0" encoding="UTF-16"?>' + GOOD).encode("utf-16"),
        ('<?xml version="1.0" encoding="iso-8859-1"?>' + GOOD.replace("Test", "Tést")).encode("iso-8859-1"),
        GOOD.replace(
            "<definitions", "<bpmn:definitions xmlns:bpmn='http://www.omg.org/spec/BPMN/20100524/MODEL'", 1
        ).replace("</definitions>", "</bpmn:definitions>"),
        GOOD.replace("<endEvent", "<!-- <!DOCTYPE x> --><endEvent"),
    ],
)
def test_every_honest_encoding_is_read(source: str | bytes) -> None:
    """Text or bytes, with or without a declaration, a byte order mark or a prefix."""
    assert set(load(source).nodes) == {"s", "e"}


def test_a_doctype_inside_a_script_is_only_text() -> None:
    """What a script says is its own affair."""
    script = '<scriptTask id="t"><script><![CDATA[result = "<!DOCTYPE html>"]]></script></scriptTask>'
    assert load(model(LINE + script + flows("s > t > e"))).scripts == [("t", 'result = "<!DOCTYPE html>"')]


def test_every_executable_process_of_a_file_is_compiled() -> None:
    """Other pools may stand in the file; one is chosen by its id, and problems of all come together."""
    other = '<process id="q" isExecutable="{}"><startEvent id="qs"/></process></definitions>'
    two = GOOD.replace("</definitions>", other.format("true"))
    assert [process.id for process in compile_all(parse(two))] == ["p", "q"]
    assert (load(two).id, load(two, "q").id) == ("p", "q")
    with pytest.raises(InvalidDefinition, match="no process 'x'; it holds 'p', 'q'"):
        load(two, "x")
    assert [
        process.id for process in compile_all(parse(two.replace('"true"><startEvent id="qs"', '"false"><startEvent')))
    ] == ["p"]
    broken = two.replace('<startEvent id="qs"/>', "").replace('id="e"', 'id="e2"')
    with pytest.raises(InvalidDefinition) as caught:
        compile_all(parse(broken))
    assert any("'q'" in error for error in caught.value.errors)
    assert any("'s-e'" in error for error in caught.value.errors)


def test_of_several_unmarked_processes_one_must_be_marked() -> None:
    """The engine does not guess which of two pools to run; a single one needs no mark."""
    unmarked = GOOD.replace(' isExecutable="true"', "")
    assert load(unmarked).id == "p"
    two = unmarked.replace("</definitions>", '<process id="q"><startEvent id="qs"/></process></definitions>')
    assert len(problems(two)) == 2
    assert all("isExecutable" in problem for problem in problems(two))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<task id="t"/><endEvent id="e"/>' + flows("t > e"), "'p' (Test): it has no start event"),
        (
            '<startEvent id="s"/><subProcess id="x"><task id="t"/></subProcess>' + flows("s > x", "t > t"),
            "'x': it has no start",
        ),
        (LINE + flows("s > e") + '<task id="t" name="Lost"/>', "'t' (Lost): no path from a start event"),
        (LINE + flows("s > e", "s > t"), "its targetRef 't' is no flow node"),
        (LINE + '<sequenceFlow id="f" sourceRef="s"/>' + flows("s > e"), "'f': the sequence flow has no targetRef"),
        (LINE + flows("s > e") + '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>', "twice"),
        (LINE + flows("s > e", "e > e"), "an endEvent can't have outgoing"),
        (LINE + flows("s > e", "s > s"), "a startEvent can't have incoming"),
        (LINE + flows("s > e") + '<startEvent id="s2"/>', "another start event without a trigger"),
        (LINE + '<task id="t" default="zzz"/>' + flows("s > t > e"), "its default flow 'zzz' does not leave it"),
        (LINE + '<task id="t" default="s-t"/>' + flows("s > t > e"), "its default flow 's-t' does not leave it"),
        (LINE + '<task id="t" default="t-e"/>' + flows("s > t") + flow("t", "e", "=a"), "can't have a condition"),
        (LINE + flows("s > e") + '<boundaryEvent id="b"><errorEventDefinition/></boundaryEvent>', "no attachedToRef"),
        (
            LINE + flows("s > e") + '<boundaryEvent id="b" attachedToRef="e"><errorEventDefinition/></boundaryEvent>',
            "it is attached to 'e', a endEvent",
        ),
        (LINE + '<receiveTask id="t" messageRef="m"/>' + flows("s > t > e"), "its messageRef 'm' is not declared"),
        (LINE + '<receiveTask id="t" messageRef="p"/>' + flows("s > t > e"), "its messageRef 'p' is not declared"),
        (
            LINE + '<receiveTask id="t" messageRef="m" instantiate="true"/>' + flows("s > t > e"),
            "a receive task can't start a process",
        ),
        (
            LINE + flows("s > e", "s > x") + '<endEvent id="x"><errorEventDefinition/></endEvent>',
            "it names no error",
        ),
        (
            LINE + '<receiveTask id="t" messageRef="wrong"/><error id="wrong"/>' + flows("s > t > e"),
            "<error> is not an element that may stand in a <process>",
        ),
        (
            LINE + '<task id="t"/><boundaryEvent id="b" attachedToRef="t" cancelActivity="false">'
            "<errorEventDefinition/></boundaryEvent>" + flows("s > t > e"),
            "an error event always interrupts",
        ),
        (LINE + '<serviceTask id="t"/>' + flows("s > t > e"), "it names no command"),
        (LINE + '<scriptTask id="t"/>' + flows("s > t > e"), "its script is empty"),
        (
            LINE + '<scriptTask id="t" scriptFormat="JavaScript"><script>1</script></scriptTask>' + flows("s > t > e"),
            "its script is written in javascript",
        ),
        (LINE + flow("s", "e", "=a >"), "'s-e': its condition: "),
        (
            LINE + '<sequenceFlow id="f" sourceRef="s" targetRef="e"><conditionExpression/></sequenceFlow>',
            "condition is empty",
        ),
        (
            LINE + flow("s", "e", "a").replace("<conditionExpression>", '<conditionExpression language="groovy">'),
            "its condition is written in groovy",
        ),
        (
            LINE + '<exclusiveGateway id="x"/><task id="t"/>' + flows("s > x > e", "x > t"),
            "leaves the exclusive gateway 'x' without a condition",
        ),
        (
            LINE + '<parallelGateway id="x"/>' + flows("s > x") + flow("x", "e", "=a"),
            "leaves the parallel gateway 'x', so it can't have a condition",
        ),
        (LINE + "<fooTask id='t'/>" + flows("s > e"), "<fooTask> is not an element"),
        (
            LINE + '<subProcess id="x"><startEvent id="xs"/><task id="t"/></subProcess>' + flows("s > x > e", "xs > t"),
            "in another sub-process; flows can't cross",
        ),
        (
            LINE + '<subProcess id="x"><startEvent id="xs"><messageEventDefinition messageRef="m"/></startEvent>'
            "</subProcess>" + flows("s > x > e"),
            "the start event of a sub-process can't have a trigger",
        ),
    ],
)
def test_a_broken_structure_is_refused_by_element(body: str, says: str) -> None:
    """The sentence names the element's id, its name where it has one, and what is wrong."""
    head = "" if "not declared" in says else '<message id="m" name="M"/>'
    found = problems(model(body, head))
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("line ") for problem in found)


TIMER = "<timerEventDefinition>{}</timerEventDefinition>"


@pytest.mark.parametrize(
    ("timer", "says"),
    [
        ("", "its timer says no time"),
        ("<timeDuration/>", "its timer says no time"),
        ("<timeDuration>soon</timeDuration>", '"soon" is not an ISO 8601 duration'),
        ("<timeDuration>P</timeDuration>", '"P" is not an ISO 8601 duration'),
        ("<timeDuration>-PT5M</timeDuration>", '"-PT5M" is not an ISO 8601 duration'),
        ("<timeDate>tomorrow</timeDate>", '"tomorrow" is not an ISO 8601 date'),
        ("<timeCycle>daily</timeCycle>", "is not an ISO 8601 repeating interval"),
        ("<timeCycle>0 0 * * 9</timeCycle>", "is not a cron expression"),
        ("<timeDuration>=1 +</timeDuration>", "its timer: "),
    ],
)
@pytest.mark.parametrize("place", ["intermediateCatchEvent", "boundaryEvent"])
def test_a_timer_that_cannot_work_is_refused(timer: str, says: str, place: str) -> None:
    """Fixed times are read when the file is deployed."""
    attached = ' attachedToRef="t"' if place == "boundaryEvent" else ""
    event = f'<{place} id="c"{attached}>{TIMER.format(timer)}</{place}>'
    body = LINE + '<task id="t"/>' + event + flows("s > t > e", *(["t > c"] if place[0] == "i" else []))
    assert says in only(model(body))


NOT_EXECUTED = [
    '<intermediateCatchEvent id="x"/>',
    '<intermediateCatchEvent id="x"><errorEventDefinition/></intermediateCatchEvent>',
    '<intermediateThrowEvent id="x"><timerEventDefinition/></intermediateThrowEvent>',
    '<intermediateThrowEvent id="x"><compensateEventDefinition waitForCompletion="false"/></intermediateThrowEvent>',
    '<eventBasedGateway id="x" instantiate="true"/>', '<eventBasedGateway id="x" eventGatewayType="Parallel"/>',
    '<task id="x" completionQuantity="2"/>',
    '<task id="x"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality><complexBehaviorDefinition/>'
    "</multiInstanceLoopCharacteristics></task>",
    '<task id="x"><dataInputAssociation><transformation/></dataInputAssociation></task>',
    '<parallelGateway id="x"><extensionElements><zeebe:ioMapping><zeebe:output source="=1" target="a"/>'
    "</zeebe:ioMapping></extensionElements></parallelGateway>",
    '<task id="x"><extensionElements><camunda:executionListener/></extensionElements></task>',
    '<userTask id="x"><extensionElements><camunda:taskListener/></extensionElements></userTask>',
    '<task id="x" camunda:class="com.acme.Charge"/>', '<task id="x" camunda:delegateExpression="${bean}"/>',
    '<task id="x" camunda:calledElementBinding="deployment"/>',
    '<task id="x"><extensionElements><custom:properties><custom:property name="TimeoutMs" value="5"/>'
    "</custom:properties></extensionElements></task>",
]  # fmt: skip


@pytest.mark.parametrize("element", NOT_EXECUTED)
def test_what_the_engine_does_not_execute_is_refused_by_id(element: str) -> None:
    """Nothing is ignored in silence."""
    leads = "" if "endEvent" in element else flows("x > e")
    found = problems(model(LINE + element + flows("s > x", "s > e") + leads))
    assert any(("'x'" in problem and "execut" in problem) or "Java" in problem for problem in found), found


INCOMPLETE = [
    ('<adHocSubProcess id="x"/>', "it holds no activity"),
    ('<adHocSubProcess id="x"><startEvent id="y"/></adHocSubProcess>', "an ad hoc sub-process has no start and end"),
    ('<adHocSubProcess id="x" ordering="Random"><task id="y"/></adHocSubProcess>', "ordering 'Random' is neither"),
    ('<task id="x" bpm:activeElements="=[1]"/>', "only an ad hoc sub-process has some"),
    (
        '<adHocSubProcess id="x"><extensionElements><zeebe:taskDefinition type="Agent"/></extensionElements>'
        '<task id="y"/></adHocSubProcess>',
        "send ActivateAdHocActivitiesCommand",
    ),
    (
        '<complexGateway id="x"><activationCondition>=true</activationCondition></complexGateway>',
        "its activationCondition decides nothing where one flow comes in",
    ),
    *[
        (f'<{tag} id="x" {more}>{"".join(f"<{kind}EventDefinition/>" for kind in kinds.split())}</{tag}>', says)
        for tag, more, kinds, says in (
            ("intermediateCatchEvent", "", "timer message", "its timer says no time"),
            ("intermediateCatchEvent", "", "timer link", "a link definition stands alone"),
            ("intermediateThrowEvent", "", "signal link", "a link definition stands alone"),
            ("intermediateThrowEvent", "", "signal timer", "intermediateThrowEvent with timer is not executed"),
            ("endEvent", "", "error terminate", "only one of its definitions can end it"),
            ("startEvent", "", "timer timer", "a start event has one timer definition"),
            ("startEvent", 'parallelMultiple="true"', "timer signal", "wait for several triggers before it begins"),
        )
    ],
    (
        '<task id="x"/><boundaryEvent id="b" attachedToRef="x" parallelMultiple="true"><errorEventDefinition/>'
        "<messageEventDefinition/></boundaryEvent>",
        "an error can't be waited for together with others",
    ),
    (
        '<task id="x"/><boundaryEvent id="b" attachedToRef="x"><errorEventDefinition/><compensateEventDefinition/>'
        "</boundaryEvent>",
        "a compensate definition stands alone",
    ),
    ('<sendTask id="x"/>', "it names no message"),
    ('<businessRuleTask id="x"/>', "it names no decision"),
    ('<businessRuleTask id="x" bpm:decision="d" camunda:mapDecisionResult="all"/>', "mapDecisionResult 'all'"),
    ('<callActivity id="x"/>', "it names no process"),
    ('<callActivity id="x" calledElement="q" camunda:calledElementVersion="v1"/>', "is not a whole number"),
    ('<callActivity id="x" calledElement="q" camunda:calledElementVersion="1234567890"/>', "at most 9 digits"),
    ('<callActivity id="x" calledElement="q" camunda:calledElementBinding="newest"/>', "is not one of latest, "),
    ('<callActivity id="x" calledElement="q" camunda:calledElementBinding="version"/>', "it names none"),
    ('<callActivity id="x" calledElement="q" camunda:calledElementBinding="versionTag"/>', "it names no tag"),
    (
        '<callActivity id="x" calledElement="q" camunda:calledElementBinding="latest"'
        ' camunda:calledElementVersion="1"/>',
        "names version 1 as well",
    ),
    ('<callActivity id="x" calledElement="q" camunda:calledElementVersionTag="${t}"/>', "is an expression"),
    (
        '<businessRuleTask id="x"><extensionElements><zeebe:calledDecision decisionId="d" bindingType="deployment"'
        ' versionTag="v1"/></extensionElements></businessRuleTask>',
        "names the version tag v1 as well",
    ),
    ('<startEvent id="x"><conditionalEventDefinition/></startEvent>', "its conditional event has no condition"),
    ('<eventBasedGateway id="x"/>', "only catch events and receive tasks may"),
    ('<intermediateCatchEvent id="x"><signalEventDefinition/></intermediateCatchEvent>', "it names no signal"),
    ('<intermediateCatchEvent id="x"><conditionalEventDefinition/></intermediateCatchEvent>', "has no condition"),
    ('<intermediateThrowEvent id="x"><linkEventDefinition name="l"/></intermediateThrowEvent>', "0 link catch events"),
    ('<intermediateThrowEvent id="x"><compensateEventDefinition activityRef="y"/></intermediateThrowEvent>', "'y' is"),
    ('<endEvent id="x"><cancelEventDefinition/></endEvent>', "stands in a transaction only"),
    ('<task id="x" isForCompensation="true"/>', "can't have sequence flows"),
    ('<task id="x"><multiInstanceLoopCharacteristics/></task>', "neither a collection nor a loopCardinality"),
    ('<task id="x"><standardLoopCharacteristics/></task>', "it would loop for ever"),
    ('<task id="x"><standardLoopCharacteristics loopMaximum="many"/></task>', "loopMaximum 'many'"),
    ('<task id="x"/><boundaryEvent id="b" attachedToRef="x"><cancelEventDefinition/></boundaryEvent>', "a transaction"),
    ('<task id="x"/><boundaryEvent id="b" attachedToRef="x"><compensateEventDefinition/></boundaryEvent>', "associat"),
    ('<transaction id="x"><startEvent id="a"/><endEvent id="b"><cancelEventDefinition/></endEvent>'
     '<sequenceFlow id="a-b" sourceRef="a" targetRef="b"/></transaction>', "no cancel boundary event"),
    ('<subProcess id="x"><startEvent id="a"/><subProcess id="y" triggeredByEvent="true"><startEvent id="b"/>'
     '</subProcess></subProcess>', "needs a trigger"),
    ('<task id="x#"/><task id="x"/>', "an id can't hold '#'"),
]  # fmt: skip


@pytest.mark.parametrize(("element", "says"), INCOMPLETE)
def test_what_lacks_something_is_refused(element: str, says: str) -> None:
    """The sentence tells what to add."""
    leads = "" if "endEvent" in element and "transaction" not in element else flows("x > e")
    found = problems(model(LINE + element + flows("s > x", "s > e") + leads))
    assert any(says in problem for problem in found), found


def test_all_problems_of_a_file_come_together_in_the_order_of_its_lines() -> None:
    """Structure, meaning and expressions are all looked at before anything is said."""
    body = """<startEvent id="s"/>
    <implicitThrowEvent id="g" name="Which?"/>
    <serviceTask id="t"/>
    <scriptTask id="u" scriptFormat="ruby"><script>1</script></scriptTask>
    <task id="lost"/>
    <sequenceFlow id="f" sourceRef="g" targetRef="nowhere"/>
    """
    found = problems(model(body + flows("s > g > t > u") + "\n" + flow("u", "t", "=(")))
    assert found[:5] == [
        "line 7, 'g' (Which?): implicitThrowEvent is not executed by this engine",
        found[1],
        "line 9, 'u': its script is written in ruby; scripts are Python",
        "line 10, 'lost': no path from a start event leads to it",
        "line 11, 'f': its targetRef 'nowhere' is no flow node of this process",
    ]
    assert found[1].startswith("line 8, 't': it names no command")
    assert any("'u-t': its condition" in problem for problem in found)


def test_vendor_extensions_without_meaning_are_kept() -> None:
    """Colours, properties, forms and unknown namespaces do no harm, and what was said stays readable."""
    body = (
        LINE
        + """<userTask id="t" camunda:asyncBefore="true" xmlns:x="urn:x" x:color="red"><extensionElements>
    <camunda:properties><camunda:property name="team" value="blue"/></camunda:properties>
    <camunda:formData><camunda:formField id="f"/></camunda:formData><x:anything><x:deep/></x:anything>
    <zeebe:properties><zeebe:property name="cost" value="5"/></zeebe:properties>
    </extensionElements><incoming>nonsense</incoming></userTask><textAnnotation id="a"><text>hi</text></textAnnotation>
    <association id="as" sourceRef="t" targetRef="a"/><dataObjectReference id="d"/>"""
    )
    process = load(model(body + flows("s > t > e")))
    (task,) = [element for element in process.definition.elements if element.id == "t"]
    assert task.extensions.properties == {"asyncBefore": "true", "color": "red", "team": "blue", "cost": "5"}


def test_lanes_pools_and_the_diagram_are_read() -> None:
    """Structure that is not executed stays for the diagram."""
    source = model(
        '<laneSet><lane id="l" name="Sales"><flowNodeRef>s</flowNodeRef><childLaneSet><lane id="k" name="Inner">'
        "<flowNodeRef>e</flowNodeRef></lane></childLaneSet></lane></laneSet>" + LINE + flows("s > e"),
        '<collaboration id="c"><participant id="pa" name="We" processRef="p"/><participant id="pb" name="They"/>'
        '<messageFlow id="mf" sourceRef="pb" targetRef="s"/></collaboration>',
    ).replace(
        "</definitions>",
        """<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI"
        xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI">
        <d:BPMNPlane bpmnElement="c"><d:BPMNShape bpmnElement="s"><dc:Bounds x="1" y="2.5" width="36" height="36"/>
        </d:BPMNShape><d:BPMNShape bpmnElement="e"><dc:Bounds x="NaN" y="2" width="36" height="36"/></d:BPMNShape>
        <d:BPMNEdge bpmnElement="s-e"><di:waypoint x="1" y="2"/><di:waypoint x="3" y="4"/></d:BPMNEdge>
        </d:BPMNPlane></d:BPMNDiagram></definitions>""",
    )
    definitions = parse(source)
    assert [(lane.name, lane.nodes) for lane in definitions.processes[0].lanes] == [
        ("Sales", ("s",)),
        ("Inner", ("e",)),
    ]
    assert [pool.name for pool in definitions.participants] == ["We", "They"]
    assert definitions.message_flows[0].target == "s"
    assert definitions.diagram.shapes["s"].y == 2.5
    assert set(definitions.diagram.shapes) == {"s"}
    assert definitions.diagram.edges == {"s-e": ((1, 2), (3, 4))}
    assert compile_process(definitions).id == "p"


def test_a_deployment_can_check_commands_and_scripts() -> None:
    """The compiled process lists what its tasks will ask for."""
    body = (
        LINE
        + """<serviceTask id="t"><extensionElements><bpm:command type="X"/></extensionElements></serviceTask>
    <scriptTask id="u"><script>result = 1</script></scriptTask>"""
        + flows("s > t > u > e")
    )
    process = load(model(body))
    assert process.commands == [("t", "X", ())]
    assert process.scripts == [("u", "result = 1")]


DATA = """<dataObject id="o" name="Order" isCollection="true"><dataState name="new"/></dataObject>
<dataObjectReference id="r" dataObjectRef="o"/><dataStoreReference id="sr" dataStoreRef="ds"/><property id="v"/>
<startEvent id="s"/><userTask id="t"><ioSpecification><dataInput id="i"/><inputSet><dataInputRefs>i</dataInputRefs>
</inputSet><outputSet/></ioSpecification><dataInputAssociation id="a"><sourceRef>r</sourceRef><targetRef>i</targetRef>
</dataInputAssociation><dataOutputAssociation id="b"><targetRef>sr</targetRef></dataOutputAssociation></userTask>
<endEvent id="e"/>"""


def test_data_objects_and_stores_are_documentation() -> None:
    """With their states, associations and declarations; what would compute is refused, see above."""
    player = Player(DATA + flows("s > t > e"), '<dataStore id="ds" name="Ledger" capacity="5"/>')
    assert player.start().do("t").status == "COMPLETED"
