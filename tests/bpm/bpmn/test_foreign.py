"""Whole files as the tools of others write them."""

from typing import Any

import pytest

from bpm.bpmn import load
from bpm.bpmn.effects import CallProcess, Decide, OpenMessageWait, OpenTimer, OpenUserTask, SendCommand
from tests.bpm.bpmn.player import NOON, Player, finished


def play(source: str | bytes, **variables: Any):
    """An instance of a whole file."""
    player = Player('<startEvent id="s"/>')
    player.process = load(source)
    return player.start(**variables)


BPMN_IO = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn2:definitions xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:bpmn2="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
 xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI"
 xsi:schemaLocation="http://www.omg.org/spec/BPMN/20100524/MODEL BPMN20.xsd" id="sample"
 targetNamespace="http://bpmn.io/schema/bpmn" exporter="bpmn-js (https://demo.bpmn.io)" exporterVersion="17.9.2">
 <bpmn2:collaboration id="Collaboration_1">
  <bpmn2:participant id="Shop" name="Shop" processRef="Process_shop"/>
  <bpmn2:participant id="Customer" name="Customer" processRef="Process_customer"/>
  <bpmn2:participant id="Bank" name="Bank"/>
  <bpmn2:messageFlow id="Flow_m" name="order" sourceRef="Order" targetRef="Start_shop"/>
  <bpmn2:group id="Group_1" categoryValueRef="Cat_1"/>
 </bpmn2:collaboration>
 <bpmn2:process id="Process_shop" isExecutable="true">
  <bpmn2:laneSet id="Lanes"><bpmn2:lane id="Lane_1" name="Sales"><bpmn2:flowNodeRef>Start_shop</bpmn2:flowNodeRef>
   <bpmn2:childLaneSet id="Inner"><bpmn2:lane id="Lane_2"><bpmn2:flowNodeRef>Task_1</bpmn2:flowNodeRef></bpmn2:lane>
   </bpmn2:childLaneSet></bpmn2:lane></bpmn2:laneSet>
  <bpmn2:startEvent id="Start_shop" name="Order&#10;received"><bpmn2:outgoing>F1</bpmn2:outgoing></bpmn2:startEvent>
  <bpmn2:task id="Task_1" name="Pack"><bpmn2:incoming>F1</bpmn2:incoming><bpmn2:outgoing>F2</bpmn2:outgoing>
   <bpmn2:property id="Property_1" name="__targetRef_placeholder"/>
   <bpmn2:dataInputAssociation id="DIA"><bpmn2:sourceRef>Ref_1</bpmn2:sourceRef>
   <bpmn2:targetRef>Property_1</bpmn2:targetRef></bpmn2:dataInputAssociation></bpmn2:task>
  <bpmn2:endEvent id="End_shop"><bpmn2:incoming>F2</bpmn2:incoming></bpmn2:endEvent>
  <bpmn2:dataObject id="Data_1"/><bpmn2:dataObjectReference id="Ref_1" dataObjectRef="Data_1"/>
  <bpmn2:dataStoreReference id="Store_1"/><bpmn2:textAnnotation id="Note"><bpmn2:text>x</bpmn2:text>
  </bpmn2:textAnnotation><bpmn2:association id="A1" sourceRef="Task_1" targetRef="Note"/>
  <bpmn2:sequenceFlow id="F1" sourceRef="Start_shop" targetRef="Task_1"/>
  <bpmn2:sequenceFlow id="F2" sourceRef="Task_1" targetRef="End_shop"/>
 </bpmn2:process>
 <bpmn2:process id="Process_customer" isExecutable="false"><bpmn2:task id="Order"/></bpmn2:process>
 <bpmn2:category id="Cat"><bpmn2:categoryValue id="Cat_1" value="x"/></bpmn2:category>
 <bpmndi:BPMNDiagram id="D1"><bpmndi:BPMNPlane id="P1" bpmnElement="Collaboration_1">
  <bpmndi:BPMNShape id="Task_1_di" bpmnElement="Task_1"><dc:Bounds x="1" y="2" width="3" height="4"/>
  <bpmndi:BPMNLabel/></bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
 <bpmndi:BPMNDiagram id="D2"><bpmndi:BPMNPlane id="P2" bpmnElement="Process_shop"/></bpmndi:BPMNDiagram>
</bpmn2:definitions>"""


@pytest.mark.parametrize(
    "encoded",
    [
        BPMN_IO,
        BPMN_IO.encode("utf-8-sig"),
        BPMN_IO.encode("utf-16"),
        BPMN_IO.replace('encoding="UTF-8"', "").encode("utf-16-be"),
        BPMN_IO.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        BPMN_IO.replace("bpmn2:", "").replace("xmlns:bpmn2", "xmlns"),
        BPMN_IO.replace("bpmn2:", "ns0.x:").replace("xmlns:bpmn2", "xmlns:ns0.x"),
    ],
    ids=["text", "utf-8 with a mark", "utf-16", "utf-16 unmarked", "latin-1", "no prefix", "another prefix"],
)
def test_a_drawing_of_bpmn_io_runs_in_any_encoding_and_prefix(encoded: bytes) -> None:
    """Pools, lanes, data, notes, groups and two diagrams change nothing."""
    player = play(encoded)
    assert finished(player)
    assert player.trace == ["Start_shop", "Task_1", "End_shop"]


CAMUNDA_8_ORDER = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="D" targetNamespace="http://bpmn.io/schema/bpmn"
 exporter="Camunda Modeler" exporterVersion="5.31.0" modeler:executionPlatform="Camunda Cloud"
 modeler:executionPlatformVersion="8.6.0">
 <bpmn:message id="M" name="=&#34;paid-&#34; + order.country"><bpmn:extensionElements>
  <zeebe:subscription correlationKey="=order.id"/></bpmn:extensionElements></bpmn:message>
 <bpmn:process id="order" isExecutable="true"><bpmn:extensionElements>
  <zeebe:versionTag value="1.0"/><zeebe:userTaskForm id="f">{}</zeebe:userTaskForm></bpmn:extensionElements>
  <bpmn:startEvent id="s"><bpmn:extensionElements><zeebe:formDefinition formId="start"/><zeebe:ioMapping>
   <zeebe:output source="=order.total * 2" target="limits.double"/></zeebe:ioMapping></bpmn:extensionElements>
  </bpmn:startEvent>
  <bpmn:subProcess id="each"><bpmn:multiInstanceLoopCharacteristics isSequential="true"><bpmn:extensionElements>
    <zeebe:loopCharacteristics inputCollection="=order.lines[n &gt; 0]" inputElement="line"
     outputCollection="shipped" outputElement="={sku: line.sku, by: carrier}"/></bpmn:extensionElements>
    <bpmn:completionCondition xsi:type="bpmn:tFormalExpression">=carrier = "none"</bpmn:completionCondition>
   </bpmn:multiInstanceLoopCharacteristics>
   <bpmn:startEvent id="es"/><bpmn:sequenceFlow id="ef" sourceRef="es" targetRef="ship"/>
   <bpmn:serviceTask id="ship"><bpmn:extensionElements>
    <zeebe:taskDefinition type="ShipCommand" retries="=if order.total &gt; 100 then 9 else 1"/>
    <zeebe:ioMapping><zeebe:input source="=line" target="parcel"/><zeebe:output source="=carrier" target="carrier"/>
    </zeebe:ioMapping></bpmn:extensionElements></bpmn:serviceTask>
  </bpmn:subProcess>
  <bpmn:eventBasedGateway id="g"/>
  <bpmn:intermediateCatchEvent id="paid"><bpmn:messageEventDefinition messageRef="M"/></bpmn:intermediateCatchEvent>
  <bpmn:intermediateCatchEvent id="late"><bpmn:timerEventDefinition><bpmn:timeDate
   xsi:type="bpmn:tFormalExpression">=now() + duration("P1D") * 2</bpmn:timeDate></bpmn:timerEventDefinition>
  </bpmn:intermediateCatchEvent>
  <bpmn:userTask id="check"><bpmn:extensionElements><zeebe:userTask/><zeebe:formDefinition formId="check"/>
   <zeebe:assignmentDefinition assignee="=order.owner" candidateGroups="=[&#34;sales&#34;, order.country]"/>
   <zeebe:taskSchedule dueDate="=now() + @&#34;PT4H&#34;"/><zeebe:priorityDefinition priority="70"/>
   </bpmn:extensionElements></bpmn:userTask>
  <bpmn:endEvent id="e"/><bpmn:endEvent id="e2"/>
  <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="each"/><bpmn:sequenceFlow id="f2" sourceRef="each" targetRef="g"/>
  <bpmn:sequenceFlow id="f3" sourceRef="g" targetRef="paid"/><bpmn:sequenceFlow id="f4" sourceRef="g" targetRef="late"/>
  <bpmn:sequenceFlow id="f5" sourceRef="paid" targetRef="check"/>
  <bpmn:sequenceFlow id="f6" sourceRef="check" targetRef="e"/>
  <bpmn:sequenceFlow id="f7" sourceRef="late" targetRef="e2"/>
 </bpmn:process></bpmn:definitions>"""


def test_a_camunda_8_order_runs_from_its_lines_to_its_check() -> None:
    """Filters, computed retries, message names, dates and assignments, all in FEEL."""
    lines = [{"sku": "a", "n": 1}, {"sku": "b", "n": 0}, {"sku": "c", "n": 2}]
    order = {"id": 7, "country": "NG", "total": 500, "lines": lines, "owner": "ann"}
    player = play(CAMUNDA_8_ORDER, order=order)
    assert player.variables["limits"] == {"double": 1000}
    sent = player.effect(SendCommand)
    assert (sent.command, sent.parameters, sent.retries) == ("ShipCommand", {"parcel": lines[0]}, 9)
    player.complete("ship", {"carrier": "dhl"}).complete("ship", {"carrier": "ups"})
    assert player.variables["shipped"] == [{"sku": "a", "by": "dhl"}, {"sku": "c", "by": "ups"}]
    assert player.effect(OpenMessageWait) == OpenMessageWait(player.wait("paid").wait_id, "paid", "paid-NG", "7")
    assert (player.effect(OpenTimer).due - NOON).days == 2
    task = player.message("paid").effect(OpenUserTask)
    assert (task.form_key, task.assignee, task.candidate_groups, task.priority) == ("check", "ann", ("sales", "NG"), 70)
    assert task.due is not None
    assert (task.due - NOON).seconds == 4 * 3600
    assert finished(player.do("check"))


CAMUNDA_7_CLAIM = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="D"
 targetNamespace="http://bpmn.io/schema/bpmn" exporter="Camunda Modeler" exporterVersion="3.7.3">
 <bpmn:process id="claim" isExecutable="true" camunda:historyTimeToLive="P180D" camunda:versionTag="2">
  <bpmn:startEvent id="s" camunda:asyncBefore="true"><bpmn:extensionElements><camunda:formData>
   <camunda:formField id="amount" type="long" defaultValue="5"/></camunda:formData></bpmn:extensionElements>
  </bpmn:startEvent>
  <bpmn:businessRuleTask id="rate" camunda:decisionRef="rate" camunda:resultVariable="rates"/>
  <bpmn:userTask id="check" camunda:candidateGroups="claims, ${branch}" camunda:asyncAfter="true"
   camunda:formRef="f" camunda:formRefBinding="latest">
   <bpmn:multiInstanceLoopCharacteristics camunda:collection="people" camunda:elementVariable="who">
    <bpmn:completionCondition xsi:type="bpmn:tFormalExpression">${nrOfCompletedInstances/nrOfInstances >= 0.5}
    </bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>
  <bpmn:boundaryEvent id="due" attachedToRef="check"><bpmn:timerEventDefinition>
   <bpmn:timeCycle xsi:type="bpmn:tFormalExpression">0 0 9 ? * 2-6</bpmn:timeCycle></bpmn:timerEventDefinition>
  </bpmn:boundaryEvent>
  <bpmn:callActivity id="pay" calledElement="payment"><bpmn:extensionElements>
   <camunda:in businessKey="#{execution.processBusinessKey}"/><camunda:in sourceExpression="${rates[0].rate}"
   target="rate"/><camunda:out source="receipt" target="receipt"/></bpmn:extensionElements></bpmn:callActivity>
  <bpmn:endEvent id="e"/><bpmn:endEvent id="e2"/>
  <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="rate"/>
  <bpmn:sequenceFlow id="f2" sourceRef="rate" targetRef="check"/>
  <bpmn:sequenceFlow id="f3" sourceRef="check" targetRef="pay"/>
  <bpmn:sequenceFlow id="f4" sourceRef="pay" targetRef="e"/>
  <bpmn:sequenceFlow id="f5" sourceRef="due" targetRef="e2"/>
 </bpmn:process></bpmn:definitions>"""


def test_a_camunda_7_claim_runs_to_its_payment() -> None:
    """A list of rows from its decision, turns counted from 0, Quartz's weekdays, and the caller's business key."""
    player = play(CAMUNDA_7_CLAIM, people=["ann", "bob", "cy"], branch="north")
    assert player.effect(Decide).shape == "resultList"
    player.complete("rate", [{"rate": 3}])
    tasks = [effect for effect in player.effects if isinstance(effect, OpenUserTask)]
    assert [task.candidate_groups for task in tasks] == [("claims", "north")] * 3
    assert player.effect(OpenTimer).due.strftime("%a %H:%M") == "Mon 09:00"  # noon is a Friday's
    assert [scope["loopCounter"] for scope in player.instance.variables.values() if "who" in scope] == [0, 1, 2]
    player.do("check").do("check")
    called = player.effect(CallProcess)
    assert (called.variables, called.business_key, called.inherits_key) == ({"rate": 3}, None, True)
    assert finished(player.complete("pay", {"receipt": 1, "noise": 2}))
    assert (player.variables["receipt"], "noise" in player.variables) == (1, False)
