"""Tasks one by one: what they ask for, and where the answer goes."""

from datetime import datetime, timedelta, timezone

import pytest

from bpm.bpmn import Status
from bpm.bpmn.effects import CloseWait, History, OpenMessageWait, OpenUserTask, RunScript, SendCommand
from tests.bpm.bpmn.player import NOON, Player, finished, flows

LINE = '<startEvent id="s"/><endEvent id="e"/>' + flows("s > t > e")


def test_a_process_of_two_events_completes_at_once() -> None:
    """A token runs from the start to the end in one step, and its path is recorded."""
    player = Player('<startEvent id="s"/><endEvent id="e"/>' + flows("s > e")).start(amount=5)
    assert finished(player)
    assert player.variables == {"amount": 5}
    assert player.effects[:2] == (
        History("s", "completed", NOON, 1, {}, ("s-e",)),
        History("e", "completed", NOON, 1, {}, ()),
    )


@pytest.mark.parametrize("tag", ["task", "manualTask"])
def test_abstract_and_manual_tasks_pass(tag: str) -> None:
    """A task that no system does completes as soon as it is reached."""
    assert finished(Player(LINE + f'<{tag} id="t"/>').start())


def test_a_node_without_outgoing_flows_ends_its_path() -> None:
    """An activity nothing leaves uses up its token."""
    player = Player('<startEvent id="s"/><task id="t"/>' + flows("s > t")).start()
    assert finished(player)


def test_a_service_task_sends_its_command_with_rendered_parameters() -> None:
    """Parameters keep their types, and the result goes to the named variable."""
    player = Player(
        LINE
        + """<serviceTask id="t"><extensionElements>
        <bpm:command type="ChargeCardCommand" resultVariable="charge" retries="3">
          <bpm:parameter name="amount">{{order.total}}</bpm:parameter>
          <bpm:parameter name="text">Order {{order.id}}</bpm:parameter>
          <bpm:parameter name="card.holder">=upper case(name)</bpm:parameter>
        </bpm:command></extensionElements></serviceTask>"""
    ).start(order={"total": 12.5, "id": 7}, name="ada")
    assert player.effect(SendCommand) == SendCommand(
        2, 1, "t", "ChargeCardCommand", {"amount": 12.5, "text": "Order 7", "card": {"holder": "ADA"}}, True, 3
    )
    assert player.status is Status.RUNNING
    player.complete("t", {"id": 99})
    assert player.effect(CloseWait) == CloseWait(2, "t", "answered", "command")
    assert finished(player)
    assert player.variables["charge"] == {"id": 99}


def test_a_command_takes_its_parameters_from_a_json_body() -> None:
    """A JSON object as the command's text is a template."""
    player = Player(
        LINE
        + """<serviceTask id="t"><extensionElements>
        <bpm:command type="X">{"amount": "{{amount}}", "fixed": 5, "deep": {"list": ["{{amount}}"]}}</bpm:command>
        </extensionElements></serviceTask>"""
    ).start(amount=3)
    assert player.effect(SendCommand).parameters == {"amount": 3, "fixed": 5, "deep": {"list": [3]}}
    player.complete("t", "fine")
    assert player.variables["lastServiceResult"] == "fine"


def test_a_zeebe_job_sees_its_inputs_and_merges_its_result() -> None:
    """Camunda 8's task definition names the command; members of the result become variables."""
    task = """<serviceTask id="t"><extensionElements><zeebe:taskDefinition type="charge" retries="5"/>{mapping}
        </extensionElements></serviceTask>"""
    inputs = '<zeebe:ioMapping><zeebe:input source="=amount * 2" target="order.total"/></zeebe:ioMapping>'
    player = Player(LINE + task.format(mapping=inputs)).start(amount=4)
    assert player.effect(SendCommand) == SendCommand(2, 1, "t", "charge", {"order": {"total": 8}}, True, 5)
    player.complete("t", {"paid": True})
    assert player.variables == {"amount": 4, "paid": True}
    outputs = '<zeebe:ioMapping><zeebe:output source="=paid" target="order.isPaid"/></zeebe:ioMapping>'
    player = Player(LINE + task.format(mapping=outputs)).start(order={"id": 1})
    assert player.effect(SendCommand).is_mapped is False
    assert player.effect(SendCommand).parameters == {"order": {"id": 1}}
    player.complete("t", {"paid": True, "other": 1})
    assert player.variables == {"order": {"id": 1, "isPaid": True}}


def test_a_camunda_external_task_maps_in_and_out() -> None:
    """Camunda 7's topic names the command; parameters may be texts, lists and maps."""
    player = Player(
        LINE
        + """<serviceTask id="t" camunda:type="external" camunda:topic="charge"><extensionElements>
        <camunda:inputOutput><camunda:inputParameter name="total">${amount}</camunda:inputParameter>
        <camunda:inputParameter name="note">for ${name}!</camunda:inputParameter>
        <camunda:inputParameter name="list"><camunda:list><camunda:value>${amount}</camunda:value></camunda:list>
        </camunda:inputParameter>
        <camunda:inputParameter name="map"><camunda:map><camunda:entry key="a">b</camunda:entry></camunda:map>
        </camunda:inputParameter>
        <camunda:outputParameter name="receipt">${number}</camunda:outputParameter></camunda:inputOutput>
        </extensionElements></serviceTask>"""
    ).start(amount=4, name="Ada")
    parameters = {"total": 4, "note": "for Ada!", "list": [4], "map": {"a": "b"}}
    assert player.effect(SendCommand).parameters == parameters
    player.complete("t", {"number": "R-1"})
    assert player.variables["receipt"] == "R-1"


def test_the_seed_products_properties_are_understood() -> None:
    """ConnectorKey, InputMapping and OutputMapping work, with `context` for the variables."""
    player = Player(
        LINE
        + """<serviceTask id="t"><extensionElements><custom:properties>
        <custom:property name="ConnectorKey" value="GetCustomer"/>
        <custom:property name="InputMapping" value='{"id": "context.customerId"}'/>
        <custom:property name="parameters.region" value="eu"/>
        <custom:property name="OutputMapping" value='{"customerName": "result.name"}'/>
        <custom:property name="ResultVariable" value="customer"/>
        </custom:properties></extensionElements></serviceTask>"""
    ).start(customerId=7)
    assert player.effect(SendCommand).command == "GetCustomer"
    assert player.effect(SendCommand).parameters == {"id": 7, "region": "eu"}
    player.complete("t", {"name": "Ada"})
    assert player.variables == {"customerId": 7, "customer": {"name": "Ada"}, "customerName": "Ada"}


def test_a_script_runs_with_all_variables_and_writes_back_what_it_changed() -> None:
    """The result goes to lastScriptResult unless the task names a variable."""
    task = '<scriptTask id="t" scriptFormat="python" {}><script><![CDATA[result = 1 < 2]]></script></scriptTask>'
    player = Player(LINE + task.format("")).start(a=1, b=2)
    assert player.effect(RunScript) == RunScript(2, 1, "t", "result = 1 < 2", {"a": 1, "b": 2})
    player.complete("t", True, b=3)
    assert player.variables == {"a": 1, "b": 3, "lastScriptResult": True}
    player = Player(LINE + task.format('bpm:resultVariable="ok"')).start().complete("t", True)
    assert player.variables == {"ok": True}


@pytest.mark.parametrize(
    "task",
    [
        '<scriptTask id="t"><extensionElements><zeebe:script expression="=a + 1" resultVariable="a"/>'
        "</extensionElements></scriptTask>",
        '<scriptTask id="t" scriptFormat="feel" camunda:resultVariable="a"><script>a + 1</script></scriptTask>',
        '<scriptTask id="t" scriptFormat="juel" camunda:resultVariable="a"><script>${a + 1}</script></scriptTask>',
    ],
)
def test_an_expression_as_a_script_is_evaluated_in_place(task: str) -> None:
    """FEEL and JUEL need no sandbox."""
    player = Player(LINE + task).start(a=1)
    assert finished(player)
    assert player.variables == {"a": 2}


def test_a_user_task_is_offered_with_form_people_and_due_date() -> None:
    """What the form gives becomes variables."""
    player = Player(
        LINE
        + """<userTask id="t" name="Approve" camunda:formKey="approve.form" camunda:assignee="${boss}"
        camunda:candidateUsers="ada, bob" camunda:candidateGroups="${groups}" camunda:dueDate="P2D"
        camunda:priority="50"/>"""
    ).start(boss="eve", groups=["a", "b"])
    assert player.effect(OpenUserTask) == OpenUserTask(
        2, "t", "Approve", "approve.form", "eve", ("ada", "bob"), ("a", "b"), NOON + timedelta(days=2), 50
    )
    assert player.status is Status.WAITING
    player.do("t", approved=True)
    assert finished(player)
    assert player.variables["approved"] is True


def test_a_zeebe_user_task_reads_its_definitions() -> None:
    """Form, assignment, schedule and priority of Camunda 8 are read; inputs are the form's own variables."""
    player = Player(
        LINE
        + """<userTask id="t"><extensionElements><zeebe:formDefinition formId="f1"/>
        <zeebe:assignmentDefinition assignee="=boss" candidateGroups="sales, ops" candidateUsers='=["x"]'/>
        <zeebe:taskSchedule dueDate="2026-06-01T10:00:00+02:00"/><zeebe:priorityDefinition priority="70"/>
        <zeebe:ioMapping><zeebe:input source="=boss" target="who"/><zeebe:output source="=ok" target="fine"/>
        </zeebe:ioMapping></extensionElements></userTask>"""
    ).start(boss="eve")
    task = player.effect(OpenUserTask)
    assert (task.form_key, task.assignee, task.priority) == ("f1", "eve", 70)
    assert (task.candidate_groups, task.candidate_users) == (("sales", "ops"), ("x",))
    assert task.due == datetime(2026, 6, 1, 10, tzinfo=timezone(timedelta(hours=2)))
    assert task.variables == {"who": "eve"}
    player.do("t", ok=1, noise=2)
    assert player.variables == {"boss": "eve", "fine": 1}


PAID = '<message id="m" name="Paid">{}</message>'


def test_a_receive_task_waits_for_its_message_and_key() -> None:
    """The payload's members become variables; the key is the expression's value as text."""
    head = PAID.format('<extensionElements><zeebe:subscription correlationKey="=orderId"/></extensionElements>')
    player = Player(LINE + '<receiveTask id="t" messageRef="m"/>', head).start(orderId=17)
    assert player.effect(OpenMessageWait) == OpenMessageWait(2, "t", "Paid", "17")
    player.message("t", {"amount": 5})
    assert finished(player)
    assert player.variables == {"orderId": 17, "amount": 5}


def test_a_message_without_a_key_must_name_the_instance() -> None:
    """No correlation key is None, and a named result variable takes the whole payload."""
    body = LINE + '<receiveTask id="t" messageRef="m" bpm:resultVariable="answer"/>'
    player = Player(body, PAID.format("")).start()
    assert player.effect(OpenMessageWait).key is None
    assert player.message("t", [1, 2]).variables == {"answer": [1, 2]}


def test_the_seed_products_receive_task_stores_the_signal() -> None:
    """Its message and correlation key are properties, and its result goes to lastSignalData."""
    player = Player(
        LINE
        + """<receiveTask id="t"><extensionElements><custom:properties>
        <custom:property name="message" value="Approval"/>
        <custom:property name="correlationKey" value="context.requestId"/>
        </custom:properties></extensionElements></receiveTask>"""
    ).start(requestId="r1")
    assert player.effect(OpenMessageWait) == OpenMessageWait(2, "t", "Approval", "r1")
    assert player.message("t", {"ok": True}).variables["lastSignalData"] == {"ok": True}


def test_a_waiting_instance_is_small() -> None:
    """One token that waits for a person takes less than 300 bytes."""
    player = Player(LINE + '<userTask id="t"/>').start(customerId="c-1234567890", amount=1250.5)
    assert len(player.instance.to_json()) < 300
    assert [token.element for token in player.instance.tokens.values()] == ["t"]


def test_the_acceptance_sample_runs() -> None:
    """A script that reads `variables["payload"]` gets them as they were given."""
    source = 'result = sum(i["qty"] for i in variables["payload"]["items"])'
    player = Player(LINE + f'<scriptTask id="t" scriptFormat="python"><script>{source}</script></scriptTask>')
    player.start(payload={"items": [{"qty": 2}, {"qty": 5}]})
    assert player.effect(RunScript).source == source
    assert finished(player.complete("t", 7))
    assert player.variables["lastScriptResult"] == 7
