"""An organisation's administrator meets what belongs to another as if it were not there: every message, every dialect.

The messages and the operations are those of the catalogue, so a new one is tried as soon as it exists.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest

from bpm.app import build_registry
from bpm.bus import Message
from bpm.client import Reply
from bpm.settings import Settings
from bpm.testing import ServerProcess, WebhookReceiver
from bpm.web.dialects import DIALECTS
from tests.contracts.tenants import BPMN, HOOK, PUBLISH, SECRET_WORD, Tenant, furnish, stored, tenant, text_of

pytestmark = pytest.mark.anyio

IDS = re.compile(r"id|.*Ids?|processKey")
UNKNOWN: dict[str, Any] = {"requestIds": ["00000000-0000-7000-8000-000000000000"]}
NOT_OURS = {
    ("ActivateAdHocActivitiesCommand", "elementId"): "a place in a model",
    ("ExecuteCodeCommand", "requestId"): "a label of the run",
    ("GetMonoEventListQuery", "accountId"): "an id of the provider's",
    ("ConfirmRemitaCollectionCommand", "mandateId"): "an id of the provider's",
    ("ConfirmRemitaCollectionCommand", "requestId"): "an id of the provider's",
    ("ProcessMonoEventCommand", "eventId"): "an id of the provider's",
    ("CheckDecisionDefinitionCommand", "key"): "a place in a model",
    ("CheckProcessDefinitionCommand", "processId"): "a place in a model",
    ("CreateProcessDefinitionCommand", "processId"): "a place in a model",
    ("FireStartTimerCommand", "elementId"): "a place in a model",
    ("SelectIncidentsQuery", "elementId"): "a place in a model",
    ("UpdateProcessDefinitionCommand", "processId"): "a place in a model",
}
BY_KEY = {
    "EvaluateDecisionQuery", "GetDecisionDefinitionListQuery", "GetFormDefinitionListQuery",
    "GetProcessDefinitionListQuery",
}  # fmt: skip
"""Messages that name something by its `key` (those of configurations are unique over all organisations)."""

CONFIG = {**HOOK, "path": "mine", "executionType": 0, **PUBLISH}
NEEDED: dict[str, dict[str, Any]] = {
    "ActivateAdHocActivitiesCommand": {"isLast": True},
    "BackTestWebHookConfigCommand": {"count": 5},
    "AdvanceProcessInstanceCommand": {"attempt": 1, "kind": "user"},
    "BeginProcessInstanceCommand": {"origin": "x"},
    "BroadcastSignalCommand": {"signalName": "stop"},
    "CreateApiKeyCommand": {"name": "mine", "scopes": ["events:read"]},
    "CreateUserCommand": {"username": "mallory"},
    "CreateWebHookDraftCommand": CONFIG,
    "CreateWebHookConfigCommand": {**HOOK, "key": "mine", "path": "mine", "executionType": 3},
    "DiscardInboundRequestCommand": {"reason": "mine"},
    "FireStartTimerCommand": {"elementId": "s", "turn": 0},
    "LinkIdentityCommand": {"subject": "mine"},
    "GetInboundCountsQuery": {"startDate": "2026-01-01", "endDate": "2026-01-02"},
    "ModifyProcessInstanceCommand": {"cancel": ["u"]},
    "PublishEventCommand": {"event": "order.created"},
    "RecoverFailedDeliveriesCommand": {"since": "2026-01-01", "missing": True},
    "SelectInboundRequestsQuery": {"state": "done"},
    "SetProcessVariablesCommand": {"variables": {"mine": 1}},
    "StartTriggeredProcessesCommand": {"event": "order.created", "data": {}},
    "TestWebHookConfigCommand": {"request": {"method": "POST", "body": "{}"}},
    "UpdateOrganizationCommand": {"name": "Mine"},
    "UpdateProcessDefinitionCommand": {"name": "mine", "bpmnXml": BPMN},
    "UpdateSubscriptionCommand": {"name": "mine"},
    "UpdateUserCommand": {"roles": []},
    "PublishWebHookDraftCommand": {"revision": 1},
    "RestoreWebHookConfigCommand": {"revision": 1, "present": 1},
    "UpdateWebHookConfigCommand": CONFIG,
    "UpdateWebHookDraftCommand": CONFIG,
}
"""What a message needs beside the ids."""

INSTEAD: dict[tuple[str, str], dict[str, Any]] = {
    ("MigrateProcessInstancesCommand", "toDefinitionId"): {"fromDefinitionId": 1},
    ("ReplayInboundRequestsCommand", "configId"): {"state": "done", "force": True},
    ("TestWebHookConfigCommand", "requestId"): {"config": CONFIG},
}
"""What it needs beside one of them, where that is something else."""


@dataclass
class Town:
    """The server, the organisation that has everything, and its neighbour."""

    server: ServerProcess
    owner: Tenant
    other: Tenant


@pytest.fixture(scope="module")
async def town() -> AsyncIterator[Town]:
    """A real server with two organisations; the first has one of everything."""
    here = {"BPM_DELIVERY__PROBE": "off", "BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}
    here |= {"BPM_OIDC__ISSUER": "https://login.bank.example", "BPM_OIDC__CLIENT_ID": "bus"}
    async with (
        WebhookReceiver() as receiver,
        ServerProcess(**here) as server,
        httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http,
    ):
        owner, other = await tenant(server, http, "Acme"), await tenant(server, http, "Borg")
        await furnish(owner, receiver)
        await connect(server, owner)
        yield Town(server, owner, other)


async def connect(server: ServerProcess, owner: Tenant) -> None:
    """Let the installation connect an account of its provider with the organisation's administrator."""
    fields = {"userId": owner.has["userId"], "subject": "kingfisher"}
    linked = await server.send("LinkIdentityCommand", fields, {"X-Organization-Id": str(owner.id)})
    assert linked.ok, linked.body
    owner.has["Identity"] = linked.data["id"]


def fields_of(message: type[Message[Any]]) -> Iterator[str]:
    """The fields of a message that name a row of ours, as on the wire."""
    for name, about in message.model_fields.items():
        wire = about.alias or name
        is_id = IDS.fullmatch(wire) or (wire == "key" and message.__name__ in BY_KEY)
        if is_id and (message.__name__, wire) not in NOT_OURS:
            yield wire


MESSAGES = {one.name: one.message_type for one in build_registry(Settings())}
CASES = [(name, wire) for name, message in MESSAGES.items() for wire in fields_of(message)]


def owned(owner: Tenant, name: str, wire: str) -> Any:
    """What the owner has that a field of a message may name."""
    noun = name.removesuffix("Command").removesuffix("Query").removesuffix("ById")
    kinds = [kind for kind in owner.has if kind[0].isupper() and kind in noun]
    special = {"RotateSubscriptionSecret": "Subscription", "SendTestEvent": "Subscription", "GetTrace": "Delivery"}
    kind = special.get(noun, max(kinds, key=len, default=""))
    return owner.has["processKey" if wire == "key" else kind if wire in ("id", "beforeId", "afterId") else wire]


def unknown(value: Any, wire: str) -> Any:
    """Something of the same form that nobody has."""
    if wire in UNKNOWN:
        return UNKNOWN[wire]
    return 987_654 if isinstance(value, int) else re.sub(r"[0-9a-z]", "0", value)


async def tried(town: Town, name: str, wire: str, value: Any) -> Reply:
    """Let the neighbour send a message with a value in a field; other ids it needs are the owner's."""
    needed = INSTEAD.get((name, wire), NEEDED.get(name, {}))
    required = {about.alias or field for field, about in MESSAGES[name].model_fields.items() if about.is_required()}
    others = {other: owned(town.owner, name, other) for other in fields_of(MESSAGES[name]) if other in required}
    return await town.other.client.send(name, {**others, **needed, wire: value})


@pytest.mark.parametrize(("name", "wire"), CASES)
async def test_a_message_finds_nothing_of_another_organisation(town: Town, name: str, wire: str) -> None:
    """What belongs to another organisation and what does not exist get one answer, and nothing of it changes."""
    before = await stored(town.server, town.owner.id)
    value = owned(town.owner, name, wire)
    nobodys = unknown(value, wire)
    foreign, absent = await tried(town, name, wire, value), await tried(town, name, wire, nobodys)
    ids: list[Any] = [value, nobodys] if not isinstance(value, list) else [*value, *nobodys]
    assert (foreign.status, text_of(foreign.body, *ids)) == (absent.status, text_of(absent.body, *ids))
    assert foreign.status in (200, 403, 404, 422), foreign.body
    if foreign.status == 422:
        assert any(error.startswith(wire) for error in foreign.errors), foreign.body
    assert SECRET_WORD not in text_of(foreign.body)
    assert await stored(town.server, town.owner.id) == before


async def test_the_owner_finds_what_the_neighbour_does_not(town: Town) -> None:
    """The ids of these tests are right: the owner's own questions by them are answered."""
    asked = [name for name, _ in CASES if name.startswith("Get") and not name.startswith("GetOrganization")]
    for name in asked:
        wires = list(fields_of(MESSAGES[name]))
        if name == "GetSubscriptionSecretQuery" or len(wires) != 1:
            continue
        reply = await town.owner.client.send(name, {wires[0]: owned(town.owner, name, wires[0])})
        assert reply.ok, (name, reply.body)
    assert len(asked) > 15
    assert len(CASES) > 60


async def test_names_reach_only_ones_own(town: Town) -> None:
    """A message, a signal or an event of one organisation wakes nothing of another."""
    before = await stored(town.server, town.owner.id)
    for name, fields in (
        ("CorrelateMessageCommand", {"messageName": "paid", "correlationKey": "b-1"}),
        ("BroadcastSignalCommand", {"signalName": "stop"}),
        ("PublishEventCommand", {"event": "order.created", "data": {"n": 1}}),
        ("StartProcessInstanceCommand", {"processKey": "kingfisher"}),
        ("RecoverFailedDeliveriesCommand", {"since": "2026-01-01"}),
        ("ReplayInboundRequestsCommand", {"state": "done", "force": True}),
        ("LookupWebHookByKeyCommand", {"key": "kingfisher"}),
        ("LookupWebHookByKeyCommand", {}),
    ):
        reply = await town.other.client.send(name, fields)
        assert SECRET_WORD not in text_of(reply.body), name
    assert await stored(town.server, town.owner.id) == before


NEW: dict[str, Callable[[int], dict[str, Any]]] = {
    "mokapen": lambda org: {"url": "https://example.com/kingfisher", "org_id": org, "events": ["task.created"]},
    "plandocket": lambda _: {"url": "https://example.com/kingfisher", "events": ["invoice.paid"]},
    "donutwork": lambda _: {
        "webhook": {
            "name": "kingfisher",
            "url": "https://example.com/kingfisher",
            "events": ["RecurringPayments.charge.paid"],
        }
    },
}
CHANGE = {"events": ["task.updated"]}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_a_dialect_finds_nothing_of_another_organisation(town: Town, dialect: Any) -> None:
    """Each operation answers for another organisation's webhook as for none, and lists never show it."""
    new = NEW[dialect.name]
    made = next(operation.path for operation in dialect.operations if operation.method == "POST")
    created = await call(town.owner, "POST", made, new(town.owner.id))
    assert created.status == 201, created.body
    own = str(created.body.get("data", created.body)["id"])
    absent = "wh_000000000000000000000000" if own.startswith("wh_") else "987654"
    before = await stored(town.server, town.owner.id)
    for operation in dialect.operations:
        addresses = [addressed(operation, id_) for id_ in (own, absent)]
        body = (new(town.other.id) if operation.method == "POST" else CHANGE) if operation.body else None
        first, second = [await call(town.other, operation.method, address, body) for address in addresses]
        if operation.missing:
            assert first.status == second.status == 404, (operation, first.body)
            assert text_of(first.body, own, absent) == text_of(second.body, own, absent)
        elif operation.method == "GET":
            assert f'"{own}"' not in text_of(first.body)
            assert "/kingfisher" not in text_of([item for item in listed(first.body) if str(item.get("id")) == own])
    assert await stored(town.server, town.owner.id) == before


async def test_a_bound_token_names_no_other_organisation(town: Town) -> None:
    """By header, by field or as `org_id`: the same refusal whether the organisation exists or not."""
    headers = {"Authorization": f"Bearer {town.other.client.token}"}
    for number in (1, town.owner.id, 987_654):
        acting = {"X-Organization-Id": str(number)}
        reply = await town.other.client.send("GetSubscriptionListQuery", {}, acting)
        assert (reply.status, reply.errors) == (403, [ONLY_OWN])
        reply = await town.other.client.send("PublishEventCommand", {"event": "a", "organizationId": number})
        assert (reply.status, reply.errors) == (403, [ONLY_OWN])
        reply = await town.other.client.request("GET", f"/api/webhooks?org_id={number}", headers=headers)
        assert (reply.status, reply.body["message"]) == (403, "This token is not authorized for this organization.")
        for path in ("/api/webhooks", "/api/v1/webhooks", "/2026-02-01/webhooks.json"):
            assert (await town.other.client.request("GET", path, headers={**headers, **acting})).status == 403


ONLY_OWN = "you act for your own organisation alone; only accounts of the installation act for others"


def addressed(operation: Any, id_: str) -> str:
    """The address of an operation on one webhook."""
    path = re.sub(r"{\w+}", id_, operation.path)
    return f"{path}?webhookId={id_}" if operation.path.endswith("webhook.json") else path


def listed(body: Any) -> list[Any]:
    """The webhooks of a list's answer."""
    fields = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    found = fields.get("data", fields.get("elements", []))
    return [item for item in cast("list[Any]", found) if isinstance(item, dict)] if isinstance(found, list) else []


async def call(who: Tenant, method: str, path: str, body: Any = None) -> Reply:
    """Send a request as somebody."""
    return await who.client.request(method, path, body, {"Authorization": f"Bearer {who.client.token}"})
