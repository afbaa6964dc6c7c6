"""Requests that share the id that their senders gave them in `X-Request-Id`: it names them in logs, and nothing else.

Services in front pass one id on to all that a request of theirs causes, and whoever sends may choose any.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp, WebhookReceiver, running_app
from tests.attacks.people import END, START, WAIT, deploy, person
from tests.commands.playing import bpmn

pytestmark = pytest.mark.anyio

SHARED = {"X-Request-Id": "order-42"}
BEGUN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "start": ("start s; user u; end e\ns -> u -> e", "StartProcessInstanceCommand", {"processKey": "p"}),
    "message": ("start s: message go; user u; end e\ns -> u -> e", "CorrelateMessageCommand", {"messageName": "go"}),
    "signal": ("start s: signal go; user u; end e\ns -> u -> e", "BroadcastSignalCommand", {"signalName": "go"}),
    "condition": ("start s: condition n > 0; user u; end e\ns -> u -> e", "EvaluateStartConditionsCommand", {}),
}
"""What begins a process, and by which message."""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, with an effect that tells its key."""
    async with running_app(tmp_path, command_packages=("tests.router.probes",)) as running:
        yield running


async def variables(app: RunningApp) -> list[Any]:
    """Return the variables of all instances, the oldest first."""
    found = (await app.cmd("GetProcessInstanceListQuery"))["items"]
    ids = sorted(one["instanceId"] for one in found)
    return [(await app.cmd("GetProcessInstanceByIdQuery", instanceId=one))["variables"] for one in ids]


async def shared(client: BusClient, command: str, fields: dict[str, Any]) -> Any:
    """Send a message under the id that others have, too."""
    reply = await client.send(command, fields, SHARED)
    assert reply.ok, reply.errors
    return reply.data


@pytest.mark.parametrize("way", BEGUN)
async def test_each_begins_a_process(app: RunningApp, way: str) -> None:
    """The second was answered with the first one's instance, and what it brought was nowhere."""
    source, command, fields = BEGUN[way]
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=bpmn(source, "p"))
    for number in (1, 2):
        await shared(app, command, {**fields, "variables": {"n": number}})
    assert await variables(app) == [{"n": 1}, {"n": 2}]


async def test_each_script_and_chain_sends(app: RunningApp) -> None:
    """Of two that sent the same the second's was left out."""
    event: dict[str, Any] = {"event": "order.paid", "data": {"amount": 100}}
    script = {"code": f'return send("PublishEventCommand", {event})["id"]'}
    effect = {"commandName": "ExecuteCodeCommand", "parameters": {"code": "return 1"}}
    steps = [{"commandName": "PublishEventCommand", "parameters": event}, effect]
    chain: dict[str, Any] = {"steps": steps, "payload": {}}
    for _ in range(2):
        await shared(app, "ExecuteCodeCommand", script)
        await shared(app, "ExecuteCommandChainCommand", chain)
    assert (await app.cmd("GetEventListQuery", event="order.paid"))["totalCount"] == 4


async def test_receivers_can_tell_them_apart(app: RunningApp) -> None:
    """One that pays once for each key would have paid the first alone."""
    async with WebhookReceiver() as receiver:
        for _ in range(2):
            await shared(app, "CallOutCommand", {"url": receiver.url})
        first, second = [request.headers["idempotency-key"] for request in await receiver.wait_for(2)]
    assert first != second


async def test_nobody_takes_the_place_of_a_request_that_waits(app: RunningApp) -> None:
    """An operator who starts the process under the id of a captured request kept it from starting one."""
    op = await person(app, "op", "operator")
    definition = await deploy(app, "pay", START, WAIT, END)
    rule = {"executionType": 3, "processDefinitionId": definition, "parameters": {"amount": "{{payload.amount}}"}}
    await app.rule("pay", **rule, retry={"attempts": 1})
    await app.cmd("DeactivateProcessDefinitionCommand", id=definition)
    request_id = (await app.hook("pay", {"amount": 100})).headers["x-request-id"]
    await app.settled()
    await app.cmd("ActivateProcessDefinitionCommand", id=definition)
    taken = {"X-Request-Id": request_id}
    fields = {"processKey": "pay", "variables": {"amount": 1}}
    assert (await op.client.send("StartProcessInstanceCommand", fields, taken)).ok
    await app.cmd("ReplayInboundRequestCommand", requestId=request_id)
    await app.settled()
    assert await variables(app) == [{"amount": 1}, {"amount": 100}]
