"""Two organisations on one real server: the first has one of everything, the second tries to reach it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import httpx

from bpm.client import BusClient
from bpm.testing import ServerProcess, WebhookReceiver, until

PASSWORD = "Correct-horse-battery-9"
SECRET_WORD = "Kingfisher"
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "order.created", "data": "{{payload}}"}}
BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
<message id="m" name="paid"/><signal id="sig" name="stop"/>
<process id="kingfisher" isExecutable="true">
<startEvent id="s"/><parallelGateway id="g"/><userTask id="u"/><intermediateCatchEvent id="c">
<messageEventDefinition messageRef="m"/></intermediateCatchEvent><intermediateCatchEvent id="w">
<signalEventDefinition signalRef="sig"/></intermediateCatchEvent>
<sequenceFlow id="f0" sourceRef="s" targetRef="g"/><sequenceFlow id="f1" sourceRef="g" targetRef="u"/>
<sequenceFlow id="f2" sourceRef="g" targetRef="c"/><sequenceFlow id="f3" sourceRef="g" targetRef="w"/>
</process></definitions>"""
BEGUN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
<process id="kingfisher-begun" isExecutable="true"><startEvent id="s"/><endEvent id="e"/>
<sequenceFlow id="f" sourceRef="s" targetRef="e"/></process></definitions>"""
DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Rates" namespace="x">
<decision id="kingfisher" name="Rate"><decisionTable id="t" hitPolicy="FIRST"><output id="o" name="rate"/>
<rule id="r"><outputEntry id="e"><text>5</text></outputEntry></rule></decisionTable></decision></definitions>"""
FORM = '{"type": "default", "id": "kingfisher", "components": [{"type": "textfield", "key": "kingfisher"}]}'
HOOK = {"description": SECRET_WORD, "isEnabled": True, "action": "POST"}


@dataclass
class Tenant:
    """An organisation, its administrator's client, and what it has by the names of the fields that take it."""

    id: int
    client: BusClient
    has: dict[str, Any] = field(default_factory=dict[str, Any])


async def tenant(server: BusClient, http: httpx.AsyncClient, name: str) -> Tenant:
    """Let the installation make an organisation with an administrator, who signs in."""
    made = await server.cmd("CreateOrganizationCommand", name=name)
    who = {"username": f"{name.lower()}-admin", "password": PASSWORD}
    user = await server.cmd("CreateUserCommand", **who, roles=["admin"], organizationId=made["id"])
    client = BusClient(http)
    await client.sign_in(who["username"], PASSWORD)
    return Tenant(made["id"], client, {"User": user["id"], "userId": user["id"], "organizationId": made["id"]})


async def furnish(owner: Tenant, receiver: WebhookReceiver) -> None:
    """Let an organisation have one of everything, and wait until it rests."""
    await _rules(owner)
    await _subscription(owner, receiver)
    await _process(owner)
    await _scheduled_message(owner)
    await _traffic(owner)
    await _accounts(owner)


async def _rules(owner: Tenant) -> None:
    native = {"key": "kingfisher", "path": "kingfisher", "executionType": 0, **PUBLISH}
    code = {"key": "kingfisher-code", "path": "kingfisher/code", "executionType": 2, "executionCode": "return 1"}
    made = await owner.client.cmd("CreateWebHookConfigCommand", **HOOK, **native)
    await owner.client.cmd("CreateWebHookConfigCommand", **HOOK, **code)
    draft = await owner.client.cmd("CreateWebHookDraftCommand", **{**HOOK, **native, "key": "kingfisher-draft"})
    owner.has |= {"WebHookDraft": draft["id"], "draftId": draft["id"]}
    owner.has |= {"WebHookConfig": made["id"], "configId": made["id"], "key": made["key"]}


async def _subscription(owner: Tenant, receiver: WebhookReceiver) -> None:
    fields = {"url": f"{receiver.url}/kingfisher", "events": ["order.*"], "name": SECRET_WORD}
    made = await owner.client.cmd("CreateSubscriptionCommand", **fields)
    owner.has |= {"Subscription": made["id"], "subscriptionId": made["id"]}


async def _process(owner: Tenant) -> None:
    cmd = owner.client.cmd
    made = await cmd("CreateProcessDefinitionCommand", name=SECRET_WORD, bpmnXml=BPMN)
    (decision,) = await cmd("CreateDecisionDefinitionCommand", dmnXml=DMN)
    owner.has["DecisionDefinition"] = decision["id"]
    await cmd("CreateFormDefinitionCommand", formJson=FORM)
    instance = await cmd("StartProcessInstanceCommand", processDefinitionId=made["id"], businessKey="b-1")
    (task,) = (await cmd("GetUserTaskListQuery"))["items"]
    number = instance["instanceId"]
    definitions = dict.fromkeys(
        ("ProcessDefinition", "processDefinitionId", "definitionId", "fromDefinitionId", "toDefinitionId"), made["id"]
    )
    owner.has |= definitions
    owner.has |= {"instanceId": number, "parentInstanceId": number}
    owner.has |= {"waitId": task["waitId"], "taskId": task["elementId"], "listeners": [f"{number}.{task['waitId']}"]}
    owner.has |= {"processKey": "kingfisher"}


async def _scheduled_message(owner: Tenant) -> None:
    begun = {"name": SECRET_WORD, "bpmnXml": BEGUN, "triggerEvents": ["kingfisher.begin"]}
    await owner.client.cmd("CreateProcessDefinitionCommand", **begun)
    await owner.client.cmd("PublishEventCommand", event="kingfisher.begin")
    (message,) = await _listed(owner, "GetScheduledMessageListQuery", 1, state="sent")
    owner.has["ScheduledMessage"] = message["id"]


async def _traffic(owner: Tenant) -> None:
    for path in ("kingfisher", "kingfisher/code"):
        assert (await owner.client.request("POST", f"/api/webhooks/{path}", {"n": SECRET_WORD})).ok
    requests = await _listed(owner, "GetInboundRequestListQuery", 2, state="done")
    delivered = await _listed(owner, "GetDeliveryListQuery", 1, state="delivered")
    runs = await _listed(owner, "GetCodeRunListQuery", 1)
    back_test = await owner.client.cmd("BackTestWebHookConfigCommand", id=owner.has["WebHookConfig"], count=1_001)
    await until(
        lambda: owner.client.cmd("GetBackTestQuery", backTestId=back_test["backTestId"]),
        lambda found: found["state"] in ("done", "failed"),
    )
    native = next(request for request in requests if request["configKey"] == "kingfisher")
    owner.has |= {"requestId": native["requestId"], "requestIds": [native["requestId"]]}
    owner.has |= {"correlationId": native["requestId"], "Delivery": delivered[0]["id"]}
    chosen: dict[str, Any] = {"selection": {"requestIds": owner.has["requestIds"]}, "fields": {"force": True}}
    bulk = await owner.client.cmd("PlanBulkJobCommand", action="replayRequests", **chosen)
    owner.has["bulkId"] = bulk["id"]
    owner.has |= {"eventId": delivered[0]["eventId"], "runId": runs[0]["runId"], "backTestId": back_test["backTestId"]}


async def _listed(owner: Tenant, name: str, count: int, **filters: Any) -> list[Any]:
    page = await until(lambda: owner.client.cmd(name, **filters), lambda page: len(page["items"]) >= count)
    return page["items"]


async def _accounts(owner: Tenant) -> None:
    key = await owner.client.cmd("CreateApiKeyCommand", name=SECRET_WORD, scopes=["*:read", "*:write"])
    owner.has |= {"ApiKey": key["id"], "secret key": key["key"], "Organization": owner.id}
    browser = {"sec-fetch-site": "same-origin", "origin": "http://localhost"}
    who = {"username": "acme-admin", "password": PASSWORD}
    opened = await owner.client.request("POST", "/console/api/session", who, browser)
    owner.has["Session"] = opened.data["id"]


async def stored(server: ServerProcess, organization_id: int) -> dict[str, list[str]]:
    """Return every stored row of an organisation, by table."""
    if "BPM_DATABASE_URL" in server.environment:
        return await _stored_on_postgres(server.environment["BPM_DATABASE_URL"], organization_id)
    with closing(sqlite3.connect(f"file:{server.data_dir / 'bpm.db'}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        owned = [name for name in names if "organization_id" in _columns(connection, name)]
        asked = ((name, f'SELECT * FROM "{name}" WHERE organization_id = ?') for name in owned)  # noqa: S608 our tables
        return {name: sorted(map(repr, connection.execute(sql, (organization_id,)))) for name, sql in asked}


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [column[1] for column in connection.execute(f'PRAGMA table_info("{table}")')]


async def _stored_on_postgres(url: str, organization_id: int) -> dict[str, list[str]]:
    connection = cast("Any", await asyncpg.connect(url))
    try:
        named = "SELECT table_name FROM information_schema.columns WHERE column_name = 'organization_id'"
        tables = [row["table_name"] for row in await connection.fetch(named)]
        asked = {name: f'SELECT * FROM "{name}" WHERE organization_id = $1' for name in tables}  # noqa: S608 our tables
        return {name: sorted(map(repr, await connection.fetch(sql, organization_id))) for name, sql in asked.items()}
    finally:
        await connection.close()


def text_of(body: Any, *ids: Any) -> str:
    """Return an answer as text in which ids look all the same."""
    shown = json.dumps(body, sort_keys=True) if not isinstance(body, str) else body
    for id_ in sorted(map(str, ids), key=len, reverse=True):
        shown = shown.replace(json.dumps(id_)[1:-1], "…")
    return shown
