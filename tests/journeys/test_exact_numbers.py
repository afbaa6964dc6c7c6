"""An amount of money goes through a whole server, from the body of a webhook to what is stored, shown and sent."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.exact_json import read_json, write_json
from bpm.number import Number
from bpm.testing import ServerProcess, WebhookReceiver
from tests.numbers import is_kept, many

pytestmark = pytest.mark.anyio

AMOUNTS = ("19.99", "100.00", "12345678901234567.89", "0.1234567890123456789", "0.0000001", "-0.50")
PROCESS = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpm="https://bpm.example/schema"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="t">
  <process id="fees" isExecutable="true">
    <startEvent id="start"/>
    <scriptTask id="calculate" scriptFormat="python">
      <script>variables['fee'] = variables['amount'] * 2</script>
    </scriptTask>
    <exclusiveGateway id="which" default="low"/>
    <userTask id="review"/>
    <endEvent id="end"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="calculate"/>
    <sequenceFlow id="f2" sourceRef="calculate" targetRef="which"/>
    <sequenceFlow id="high" sourceRef="which" targetRef="review">
      <conditionExpression>=fee = amount + amount and fee &gt; 0.1</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="low" sourceRef="which" targetRef="end"/>
  </process>
</definitions>"""


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server that may deliver to loopback."""
    async with ServerProcess(BPM_DELIVERY__ALLOWED_NETWORKS="127.0.0.0/8") as server:
        server.exact_numbers = True
        yield server


def digits(value: Any) -> str:
    """Return a number's digits; a text would not do."""
    assert isinstance(value, Number)
    return str(value)


async def test_events_carry_the_digits(server: ServerProcess) -> None:
    """Templates, the answer, the stored event, its view, the audit log and the delivery agree with the body."""
    data = {"same": "{{payload.amount}}", "kobo": "{{payload.amount * 100}}", "text": "NGN {{payload.amount}}"}
    await server.rule(
        "exact",
        responseMode="sync",
        commandName="PublishEventCommand",
        parameters={"event": "exact.paid", "data": data},
    )
    async with WebhookReceiver() as receiver:
        await server.cmd("RegisterEventTypeCommand", event="exact.paid", description="An exact amount.")
        await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["exact.paid"])
        for amount in AMOUNTS:
            reply = await server.hook("exact", b'{"amount":%b}' % amount.encode(), {"content-type": "application/json"})
            assert reply.status == 200
            assert digits(reply.data["data"]["same"]) == amount
            assert reply.data["data"]["kobo"] == Number(amount) * 100
            assert reply.data["data"]["text"] == f"NGN {amount}"
        received = await receiver.wait_for(len(AMOUNTS), 120)
    delivered = {request.json()["data"]["text"]: request for request in received}
    for amount in AMOUNTS:
        assert b'"same":%b,' % amount.encode() in delivered[f"NGN {amount}"].body
    events = (await server.cmd("GetEventListQuery", event="exact.paid"))["items"]
    assert sorted(digits(event["data"]["same"]) for event in events) == sorted(AMOUNTS)


def lost(numbers: list[str], values: list[Any]) -> list[tuple[str, str]]:
    """Return the numbers that came out otherwise, each with what it became."""
    pairs = zip(numbers, [write_json(value).decode() for value in values], strict=True)
    return [(number, again) for number, again in pairs if not is_kept(number, again)]


async def test_deliveries_of_every_form_carry_any_number(server: ServerProcess) -> None:
    """As they are, through a template, a script and a filter, and as CloudEvents."""
    numbers = many(200)
    forms: list[dict[str, Any]] = [
        {},
        {"transform": {"template": {"data": "{{data}}"}}},
        {"transform": {"script": "return {'data': payload['data']}"}},
        {"format": "cloudevents-structured"},
        {"filter": "data.numbers[0] == data.first && data.numbers[-1] == data.last"},
    ]
    await server.cmd("RegisterEventTypeCommand", event="exact.many", description="Numbers of every kind.")
    data = {"numbers": "{{payload.numbers}}", "first": "{{payload.numbers[0]}}", "last": "{{payload.numbers[-1]}}"}
    parameters = {"event": "exact.many", "data": data}
    await server.rule("many", responseMode="sync", commandName="PublishEventCommand", parameters=parameters)
    async with WebhookReceiver() as receiver:
        for form in forms:
            await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["exact.many"], **form)
        body = '{"numbers":[%s]}' % ",".join(numbers)  # noqa: UP031 braces of JSON
        reply = await server.hook("many", body.encode(), {"content-type": "application/json"})
        assert reply.status == 200
        received = await receiver.wait_for(len(forms), 120)
    assert lost(numbers, reply.data["data"]["numbers"]) == []
    for request in received:
        assert lost(numbers, read_json(request.body)["data"]["numbers"]) == []


async def test_scripts_are_given_and_return_the_digits(server: ServerProcess) -> None:
    """A rule's script returns what it was given, and calculates without rounding."""
    code = "return {'same': payload['amount'], 'kobo': payload['amount'] * 100}"
    await server.rule("script", responseMode="sync", executionType=2, executionCode=code)
    for amount in AMOUNTS:
        reply = await server.hook("script", b'{"amount":%b}' % amount.encode(), {"content-type": "application/json"})
        assert reply.ok, reply
        assert digits(reply.data["same"]) == amount
        assert reply.data["kobo"] == Number(amount) * 100


async def test_processes_keep_the_digits(server: ServerProcess) -> None:
    """Variables are exact after a script, a condition and a restart."""
    definition = await server.cmd("CreateProcessDefinitionCommand", name="fees", bpmnXml=PROCESS)
    amount, numbers = Number("12345678901234567.89"), many(100)
    given = {"amount": amount, "many": read_json(f"[{','.join(numbers)}]")}
    fields = {"processDefinitionId": definition["id"], "variables": given}
    started = await server.cmd("StartProcessInstanceCommand", **fields)
    await server.settled()
    await server.kill()
    await server.start()
    await server.login()
    variables = (await server.cmd("GetProcessInstanceByIdQuery", instanceId=started["instanceId"]))["variables"]
    assert (digits(variables["amount"]), digits(variables["fee"])) == (str(amount), "24691357802469135.78")
    assert lost(numbers, variables["many"]) == []


@pytest.mark.parametrize("number", ["1e400", "-1e309", "1e999999999", "1e-999999999", "NaN", "Infinity"])
async def test_what_is_no_number_is_refused_with_a_sentence(server: ServerProcess, number: str) -> None:
    """Nothing else is done with such a body."""
    body = b'{"$type":"PublishEventCommand","event":"exact.never","data":{"n":%b}}' % number.encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {server.token}"}
    reply = await server.request("POST", "/api/bpm/cmd", body, headers)
    assert reply.status == 400
    assert "too large" in str(reply.errors) or "too close" in str(reply.errors) or "not valid JSON" in str(reply.errors)
