"""Vendor extensions: what they mean, and what of them is refused."""

from typing import Any

import pytest

from bpm.bpmn import InvalidDefinition, Status, load
from bpm.bpmn.effects import CallProcess, Decide, OpenTimer, OpenUserTask, RunScript, SendCommand
from tests.bpm.bpmn.player import Player, finished, flow, flows, model

LINE = '<startEvent id="s"/><endEvent id="e"/>' + flows("s > t > e")


def service(extensions: str, attributes: str = ""):
    """A service task between a start and an end."""
    return LINE + f'<serviceTask id="t" {attributes}><extensionElements>{extensions}</extensionElements></serviceTask>'


def seed(task: str = "serviceTask", **properties: Any):
    """A task with BankLingo's properties."""
    inner = "".join(f"<custom:property name=\"{name}\" value='{value}'/>" for name, value in properties.items())
    extensions = f"<extensionElements><custom:properties>{inner}</custom:properties></extensionElements>"
    return LINE + f'<{task} id="t">{extensions}</{task}>'


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (service("<bpm:command/>"), "its <command> names no type"),
        (service('<bpm:command type="X">[1]</bpm:command>'), "must be a JSON object"),
        (service('<bpm:command type="X">{"a": NaN}</bpm:command>'), "must be a JSON object"),
        (service('<bpm:command type="X"><bpm:oops/></bpm:command>'), "its <command> holds <oops>"),
        (service('<bpm:command type="X"><bpm:parameter>1</bpm:parameter></bpm:command>'), "without a target name"),
        (service('<bpm:command type="X"><bpm:parameter name="a..b">1</bpm:parameter></bpm:command>'), "target name"),
        (service('<bpm:command type="X"><bpm:parameter name="a">{{</bpm:parameter></bpm:command>'), "input mapping:"),
        (service('<bpm:command type="X">{"a": "{{1 +}}"}</bpm:command>'), "its parameters: a: "),
        (service('<bpm:command type="X" retries="many"/>'), "its number of retries 'many'"),
        (service('<bpm:command type="X" retries="-1"/>'), "its number of retries '-1'"),
        (service("<camunda:connector/>", 'camunda:topic="X"'), "camunda:connector is not executed"),
        (service('<camunda:field name="x"/>', 'camunda:topic="X"'), "camunda:field belongs to Java"),
        (
            service(
                '<camunda:inputOutput><camunda:inputParameter name="x"><camunda:script/></camunda:inputParameter>'
                "</camunda:inputOutput>",
                'camunda:topic="X"',
            ),
            "its input mapping: its script is empty",
        ),
        (seed(ConnectorKey="X", Parameters="nonsense"), "its property Parameters must be a JSON object"),
        (seed(ConnectorKey="X", Endpoint="http://x"), "Endpoint is not called"),
        (seed("userTask", ServerScript="x"), "ServerScript is not executed"),
        (seed("userTask", Script="x"), "its Script is not executed"),
        (seed("scriptTask", Script="x = 1", ScriptLanguage="javascript"), "written in javascript"),
    ],
)
def test_an_extension_that_cannot_work_is_refused(body: str, says: str) -> None:
    """By the element's id, in words of the vendor's own."""
    with pytest.raises(InvalidDefinition) as caught:
        load(model(body))
    assert any(says in error and "'t'" in error for error in caught.value.errors), caught.value.errors


def test_the_seed_products_names_are_read_without_regard_to_case() -> None:
    """commandName, parameters as JSON, and no mapping at all."""
    player = Player(seed(commandName="X", Parameters='{"a": "{{context.n}}"}', retries="2", empty="")).start(n=5)
    assert player.effect(SendCommand) == SendCommand(2, 1, "t", "X", {"a": 5}, True, 2)
    player = Player(seed(CONNECTORKEY="X")).start(n=5)
    assert player.effect(SendCommand) == SendCommand(2, 1, "t", "X", {"n": 5}, False, None)
    assert player.complete("t", {"ok": 1}).variables == {"n": 5, "lastServiceResult": {"ok": 1}}


def test_the_seed_products_user_and_script_tasks_are_read() -> None:
    """Teams are candidate groups; a script may be a property."""
    player = Player(seed("userTask", FormKey="f", ResponsibleTeams="a,b", ResponsibleUsers="u")).start()
    task = player.effect(OpenUserTask)
    assert (task.form_key, task.candidate_groups, task.candidate_users) == ("f", ("a", "b"), ("u",))
    player = Player(seed("scriptTask", Script="result = 1", ResultVariable="one")).start()
    assert player.effect(RunScript).source == "result = 1"
    assert player.complete("t", 1).variables == {"one": 1}


def test_our_own_mappings_work_on_every_task() -> None:
    """Inputs are local to the task; outputs see the result and its members."""
    body = (
        LINE
        + """<userTask id="t" bpm:formKey="f"><extensionElements>
    <bpm:input name="days">{{order.days}}</bpm:input><bpm:input name="text">{{days}} days</bpm:input>
    <bpm:output name="approved">{{ok}}</bpm:output><bpm:output name="all">=result</bpm:output>
    </extensionElements></userTask>"""
    )
    player = Player(body).start(order={"days": 3})
    assert player.effect(OpenUserTask).variables == {"days": 3, "text": "3 days"}
    player.do("t", ok=True)
    assert player.variables == {"order": {"days": 3}, "approved": True, "all": {"ok": True}}


def test_a_zeebe_header_may_name_the_result_variable() -> None:
    """As Camunda 8's connectors do."""
    headers = '<zeebe:taskHeaders><zeebe:header key="resultVariable" value="answer"/></zeebe:taskHeaders>'
    player = Player(service('<zeebe:taskDefinition type="X"/>' + headers)).start().complete("t", {"a": 1})
    assert player.variables == {"answer": {"a": 1}}


def test_camundas_retry_cycle_gives_the_number_of_tries() -> None:
    """R4/PT5M is four."""
    cycle = "<camunda:failedJobRetryTimeCycle>R4/PT5M</camunda:failedJobRetryTimeCycle>"
    player = Player(service(cycle, 'camunda:type="external" camunda:topic="X"')).start()
    assert player.effect(SendCommand).retries == 4


@pytest.mark.parametrize("text", ["R3/PT1X", "3", "R3", "R/PT1H", "PT5M,PT10M", "R3/PT10S/x", "rubbish", "R12345/PT1M"])
def test_a_retry_cycle_that_is_not_read_is_refused(text: str) -> None:
    """It was passed over, and the task was tried as often as one that says nothing."""
    cycle = f"<camunda:failedJobRetryTimeCycle>{text}</camunda:failedJobRetryTimeCycle>"
    with pytest.raises(InvalidDefinition, match=r"'t'.*failedJobRetryTimeCycle.*write how often and when"):
        Player(service(cycle, 'camunda:type="external" camunda:topic="X"'))


@pytest.mark.parametrize("vendor", ["http://operaton.org/schema/1.0/bpmn", "http://flowable.org/bpmn"])
def test_camundas_relatives_are_read_alike(vendor: str) -> None:
    """The same words in another namespace."""
    source = model(LINE + f'<userTask id="t" xmlns:v="{vendor}" v:formKey="f" v:candidateGroups="g"/>')
    task = load(source).definition.elements[2].extensions
    assert (task.form_key, task.candidate_groups) == ("f", "g")


CAMUNDA_8 = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="Definitions_1" targetNamespace="http://bpmn.io/schema/bpmn"
 exporter="Camunda Modeler" exporterVersion="5.20.0" modeler:executionPlatform="Camunda Cloud">
 <bpmn:process id="order" name="Order" isExecutable="true">
  <bpmn:startEvent id="start"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
  <bpmn:serviceTask id="reserve" name="Reserve stock"><bpmn:extensionElements>
   <zeebe:taskDefinition type="ReserveStockCommand" retries="3"/><zeebe:ioMapping>
   <zeebe:input source="=order.items" target="items"/><zeebe:output source="=reserved" target="order.reserved"/>
   </zeebe:ioMapping></bpmn:extensionElements><bpmn:incoming>f1</bpmn:incoming></bpmn:serviceTask>
  <bpmn:exclusiveGateway id="big" name="Big?" default="f4"/>
  <bpmn:userTask id="approve" name="Approve"><bpmn:extensionElements><zeebe:userTask/>
   <zeebe:assignmentDefinition candidateGroups="managers"/></bpmn:extensionElements></bpmn:userTask>
  <bpmn:boundaryEvent id="late" cancelActivity="false" attachedToRef="approve">
   <bpmn:timerEventDefinition id="td"><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">=patience
   </bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
  <bpmn:serviceTask id="remind"><bpmn:extensionElements><zeebe:taskDefinition type="RemindCommand"/>
   </bpmn:extensionElements></bpmn:serviceTask>
  <bpmn:endEvent id="end"/>
  <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="reserve"/>
  <bpmn:sequenceFlow id="f2" sourceRef="reserve" targetRef="big"/>
  <bpmn:sequenceFlow id="f3" name="yes" sourceRef="big" targetRef="approve">
   <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">=sum(order.items.price) &gt; 100 and not(order.vip)
   </bpmn:conditionExpression></bpmn:sequenceFlow>
  <bpmn:sequenceFlow id="f4" sourceRef="big" targetRef="end"/>
  <bpmn:sequenceFlow id="f5" sourceRef="approve" targetRef="end"/>
  <bpmn:sequenceFlow id="f6" sourceRef="late" targetRef="remind"/>
 </bpmn:process></bpmn:definitions>"""


def test_a_camunda_8_model_deploys_and_runs() -> None:
    """Job type, mappings, FEEL conditions and a boundary timer, as Camunda's modeler writes them."""
    player = Player('<startEvent id="s"/>')
    player.process = load(CAMUNDA_8)
    items = [{"price": 60}, {"price": 70}]
    player.start(order={"items": items, "vip": False}, patience="PT1H")
    assert player.effect(SendCommand) == SendCommand(2, 1, "reserve", "ReserveStockCommand", {"items": items}, True, 3)
    player.complete("reserve", {"reserved": True, "noise": 1})
    assert player.variables["order"] == {"items": items, "vip": False, "reserved": True}
    assert player.effect(OpenTimer).element_id == "late"
    player.fire("late")
    assert player.effect(SendCommand).command == "RemindCommand"
    player.complete("remind").do("approve", approved=True)
    assert finished(player)


CAMUNDA_7 = (
    """<startEvent id="s" camunda:initiator="starter"/>
<serviceTask id="charge" camunda:type="external" camunda:topic="ChargeCommand" camunda:asyncBefore="true"/>
<boundaryEvent id="declined" attachedToRef="charge"><errorEventDefinition errorRef="x" camunda:errorCodeVariable="why"/>
</boundaryEvent><userTask id="call" camunda:candidateGroups="support" camunda:dueDate="${due}"/>
<exclusiveGateway id="g"/><task id="ship"/><task id="gift"/><endEvent id="e"/>"""
    + flows("s > charge > g", "declined > call > e", "ship > e", "gift > e")
    + flow("g", "gift", "${amount gt 100 && customer.vip == true}")
    + flow("g", "ship", "${!(amount gt 100 && customer.vip == true)}")
)


@pytest.mark.parametrize(("amount", "taken"), [(500, "gift"), (50, "ship")])
def test_a_camunda_7_model_deploys_and_runs(amount: int, taken: str) -> None:
    """External task, JUEL conditions and an error boundary event."""
    head = '<error id="x" name="Declined" errorCode="DECLINED"/>'
    start: dict[str, Any] = {"amount": amount, "customer": {"vip": True}, "due": "2026-06-01"}
    player = Player(CAMUNDA_7, head).start(**start).complete("charge", {"receipt": 5})
    assert finished(player)
    assert taken in player.trace
    player = Player(CAMUNDA_7, head).start(**start).fail("charge", "DECLINED")
    assert player.variables["why"] == "DECLINED"
    assert player.status is Status.WAITING
    assert player.effect(OpenUserTask).due is not None
    assert finished(player.do("call"))


def repeated(attributes: str = "", inner: str = "", task: str = 'serviceTask id="t" camunda:topic="X"'):
    """A multi-instance service task between a start and an end."""
    tag = task.split()[0]
    loop = f"<multiInstanceLoopCharacteristics {attributes}>{inner}</multiInstanceLoopCharacteristics>"
    return LINE + f"<{tag} {task.partition(' ')[2]}>{loop}</{tag}>"


def test_camunda_8s_multi_instance_collects_its_outputs() -> None:
    """Collection and element of the input, collection and element of the output."""
    words = '<zeebe:loopCharacteristics inputCollection="=orders" inputElement="order" outputCollection="receipts"'
    inner = f'<extensionElements>{words} outputElement="=receipt.id"/></extensionElements>'
    body = repeated(inner=inner).replace(' camunda:topic="X"', "")
    body = body.replace(
        '<serviceTask id="t">',
        '<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="X"/><zeebe:ioMapping>'
        '<zeebe:input source="=order.id" target="orderId"/><zeebe:input source="=loopCounter" target="n"/>'
        "</zeebe:ioMapping></extensionElements>",
    )
    player = Player(body).start(orders=[{"id": "a"}, {"id": "b"}])
    first, second = [effect for effect in player.effects if isinstance(effect, SendCommand)]
    assert (first.parameters, second.parameters) == ({"orderId": "a", "n": 1}, {"orderId": "b", "n": 2})
    player.complete("t", {"receipt": {"id": 2}}).complete("t", {"receipt": {"id": 1}})
    assert finished(player)
    assert player.variables == {"orders": [{"id": "a"}, {"id": "b"}], "receipts": [1, 2]}


def test_camunda_7s_multi_instance_reads_its_collection() -> None:
    """A variable's name or an expression; in a file for its platform turns are counted from 0."""
    body = repeated('isSequential="true" camunda:collection="items" camunda:elementVariable="item"')
    source = model(body).replace(
        "<definitions",
        '<definitions xmlns:modeler="http://camunda.org/schema/modeler/1.0"'
        ' modeler:executionPlatform="Camunda Platform"',
        1,
    )
    player = Player('<startEvent id="s"/>')
    player.process = load(source)
    player.start(items=["a", "b"])
    sent = player.effect(SendCommand).parameters
    assert (sent["item"], sent["loopCounter"], sent["nrOfInstances"]) == ("a", 0, 2)
    player.complete("t")
    assert player.effect(SendCommand).parameters["nrOfCompletedInstances"] == 1
    assert finished(player.complete("t"))


@pytest.mark.parametrize(
    ("call", "given", "written"),
    [
        ("", {"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3, "d": 4}),
        ('<camunda:in source="a" target="x"/><camunda:out sourceExpression="${c + 1}" target="y"/>',
         {"x": 1}, {"a": 1, "b": 2, "y": 4}),
        ('<camunda:out variables="all"/><camunda:out source="c" target="y"/>',
         {"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3, "d": 4, "y": 3}),
        ('<camunda:in variables="all"/><camunda:in businessKey="${b}"/><camunda:out variables="all"/>',
         {"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3, "d": 4}),
        ('<zeebe:calledElement processId="child" propagateAllParentVariables="false"'
         ' propagateAllChildVariables="false"/><zeebe:ioMapping><zeebe:input source="=b" target="x"/>'
         '<zeebe:output source="=d" target="y"/></zeebe:ioMapping>', {"x": 2}, {"a": 1, "b": 2, "y": 4}),
    ],
)  # fmt: skip
def test_a_call_activitys_variables_travel_as_the_vendor_says(
    call: str, given: dict[str, Any], written: dict[str, Any]
) -> None:
    """All of them, or those that are mapped."""
    body = (
        LINE
        + f'<callActivity id="t" calledElement="child"><extensionElements>{call}</extensionElements></callActivity>'
    )
    player = Player(body).start(a=1, b=2)
    called = player.effect(CallProcess)
    assert (called.process, called.variables) == ("child", given)
    assert called.business_key == ("2" if "businessKey" in call else None)
    assert player.complete("t", {"c": 3, "d": 4}).variables == written


@pytest.mark.parametrize(
    ("words", "shape", "variable"),
    [
        ('<zeebe:calledDecision decisionId="rate" resultVariable="r"/>', "", "r"),
        ("camunda", "singleEntry", "r"),
        ("bpm", "", "decisionResult"),
    ],
)
def test_a_business_rule_task_names_its_decision_in_each_dialect(words: str, shape: str, variable: str) -> None:
    """And says where the result goes."""
    attributes = {
        "camunda": ' camunda:decisionRef="rate" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"',
        "bpm": ' bpm:decision="rate"',
    }.get(words, "")
    inner = f"<extensionElements>{words}</extensionElements>" if not attributes else ""
    player = Player(LINE + f'<businessRuleTask id="t"{attributes}>{inner}</businessRuleTask>').start(n=1)
    asked = player.effect(Decide)
    assert (asked.decision, asked.shape, asked.variables) == ("rate", shape, {"n": 1})
    assert player.complete("t", 5).variables == {"n": 1, variable: 5}


def test_camundas_expression_is_evaluated_in_place() -> None:
    """As long as it calls no Java."""
    body = LINE + '<serviceTask id="t" camunda:expression="${amount * 2}" camunda:resultVariable="double"/>'
    assert Player(body).start(amount=4).variables == {"amount": 4, "double": 8}
    with pytest.raises(InvalidDefinition, match="its expression"):
        load(model(LINE + '<serviceTask id="t" camunda:expression="${bean.call(execution)}"/>'))


def test_our_own_schema_of_a_form_reaches_the_task() -> None:
    """As JSON; anything else is refused."""
    words = '<extensionElements><bpm:formSchema>{"type": "object"}</bpm:formSchema></extensionElements>'
    player = Player(LINE + f'<userTask id="t">{words}</userTask>').start()
    assert player.effect(OpenUserTask).schema == {"type": "object"}
    with pytest.raises(InvalidDefinition, match="must be a JSON object"):
        load(model(LINE + f'<userTask id="t">{words.replace("object", "x").replace("{", "[")}</userTask>'))
