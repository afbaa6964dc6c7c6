"""Whoever may change a thing and not read it learns from no answer what others stored in it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import TypeAdapter

from bpm.app.registry import build_registry
from bpm.bus import Registration, ShownWith, View
from bpm.bus.field_permissions import models_within, permissions_within, shown_to
from bpm.client import BusClient
from bpm.errors import Misconfigured
from bpm.security.permissions import Principal
from bpm.settings import Settings
from bpm.testing import RunningApp, running_app
from tests.attacks.people import END, START, WAIT, Person, deploy, person

pytestmark = pytest.mark.anyio

CANARY = "NG-ACCOUNT-0123456789"

SAFE: dict[str, str] = {
    "OwnAccountView OwnOrganizationView SessionView Page[SessionView] CreatedApiKeyView": "the sender's own",
    "UserView CreatedUserView RevokedApiKeyView IdentityView": (
        "names and rights of accounts over which the sender has power"
    ),
    "OrganizationView FeaturesView OwnOrganizationView": "names and limits",
    "SubscriptionView SubscriptionWithSecretView SecretRotationView PublicKeyView TestEventView": (
        "whoever may write a subscription may fetch its secret, and its receiver's address with it"
    ),
    "WebHookConfigView": "the sender has written all of it, but for secrets, which are stars",
    "WebHookDraftView DiscardedWebHookDraftView": "the sender has written all of it, but for secrets; or names",
    "ActivatedWebHookConfigView DeactivatedWebHookConfigView PausedWebHookConfigView ResumedWebHookConfigView": "names",
    "DeletedWebHookConfigView DeletedSubscriptionView DeployedView DecisionView FormView": "names",
    "ProcessDefinitionView DeploymentView": "names, and marked fields",
    "ConfigurationPlanView PartChangeView FieldChangeView ConfigurationView": "needs the read permission of each part",
    "BackTestView ChangedRequestView FateView": "needs the permissions to read requests and rules",
    "WebHookTrialView RouteTrialView HandshakeTrialView VerdictTrialView OutcomeTrialView MessageTrialView": (
        "needs the permissions to read the requests and rules that the sender did not write; results of messages are "
        "those of the sender's rights"
    ),
    "AdvancedView BegunView TriggeredView BroadcastView StartConditionsView UnansweredView": "ids and names",
    "MigrationView RecoveryView ResumedView PrunedView NotificationView": "ids, names and counts",
    "ReplayView ReplaysView NotReplayedView": "ids, causes, marked fields, and samples for those who may read requests",
    "InstanceStateView CurrentTaskView CorrelationView MigratedView": "ids, names, and marked fields",
    "BulkJobView SelectedRequestsView SelectedDeliveriesView SelectedIncidentsView": "ids, counts, and marked fields",
    "AssignedTaskView": "ids, and the name that the sender gave or has",
    "DeliveryView InboundRequestView ScheduledMessageView": "ids, and marked fields",
    "RemitaConfirmationView RemitaCollectionConfirmationView MonoConfirmationView": "ids, and marked fields",
    "MonoConnectionView MonoEventView": "what the sender brought is told about",
    "SignedSampleView": "what the sender brought, signed by a key that the sender brought",
    "SubscriptionConfirmationView": "the host that the sender named, and what it answered",
    "EventView EventTypeView": "the sender wrote all of it: a key that has another event is refused",
    "CodeRunView ReplyView CodeReplayView FailureView": (
        "what the sender's own code came to; to replay another's needs the permission to read runs"
    ),
    "ModelCheckView ModelProblemView DecisionCheckView DecisionTrialView": "what the sender's own file says",
    "ChainView StepView": "each step's result is shown by the sender's rights",
    "CommandCatalogueView CatalogueEntryView PongView": "the same for everybody",
}
"""Views in answers to those who need no permission to read, and why they tell nothing that others stored."""

OPEN: dict[str, str] = {
    "SubscriptionView.headers SubscriptionView.transform SubscriptionView.signature PublicKeyView.jwk": "see above",
    "SubscriptionWithSecretView.headers SubscriptionWithSecretView.transform SubscriptionWithSecretView.signature": (
        "see above"
    ),
    "WebHookConfigView.command_chain WebHookConfigView.parameters WebHookConfigView.signature": "see above",
    "WebHookConfigView.handshake WebHookConfigView.keys WebHookConfigView.response WebHookConfigView.rate": "see above",
    "WebHookConfigView.retry WebHookConfigView.lane WebHookConfigView.metadata WebHookConfigView.business_key": (
        "see above"
    ),
    "WebHookConfigView.correlation WebHookDraftView.definition": "see above",
    "FieldChangeView.before FieldChangeView.after ConfigurationView.parts ConfigurationView.files": "see above",
    "BackTestView.counts BackTestView.unchecked PrunedView.pruned": "counts",
    "SignedSampleView.headers": "see above",
    "RouteTrialView.parameters OutcomeTrialView.data MessageTrialView.fields": "see above",
    "EventView.data EventTypeView.json_schema EventTypeView.example": "see above",
    "CodeRunView.result CodeRunView.variables ReplyView.body ReplyView.headers StepView.data": "see above",
    "CatalogueEntryView.request CatalogueEntryView.result DecisionTrialView.result": "see above",
}
"""Fields of these views that hold anything, and are not marked."""

MARKED = {
    "BulkJobView.selection",
    "BulkJobView.fields",
    "InstanceStateView.variables",
    "MigratedView.problem",
    "CurrentTaskView.name",
    "CurrentTaskView.detail",
    "CorrelationView.variables",
    "ProcessDefinitionView.metadata",
    "DeploymentView.metadata",
    "DeliveryView.last_error",
    "InboundRequestView.path",
    "InboundRequestView.address",
    "InboundRequestView.errors",
    "ReplayView.errors",
    "NotReplayedView.errors",
    "ScheduledMessageView.errors",
    "RemitaConfirmationView.provider_message",
    "RemitaConfirmationView.amount",
    "RemitaConfirmationView.confirmed_amount",
    "RemitaConfirmationView.incident",
    "RemitaCollectionConfirmationView.provider_message",
    "RemitaCollectionConfirmationView.amount",
    "RemitaCollectionConfirmationView.confirmed_amount",
    "RemitaCollectionConfirmationView.incident",
    "MonoConfirmationView.provider_message",
    "MonoConfirmationView.currency",
    "MonoConfirmationView.amount",
    "MonoConfirmationView.confirmed_amount",
    "MonoConfirmationView.incident",
}
"""Fields that are empty to those who may not read them."""


def told_without_reading() -> Iterator[Registration]:
    """Messages that somebody may send who may not read their area."""
    for registration in build_registry(Settings()):
        permission = registration.message_type.permission
        if permission is None or not permission.endswith(":read"):
            yield registration


def views() -> set[Any]:
    """The views in their answers."""
    return {view for told in told_without_reading() for view in models_within(told.result._type)}  # pyright: ignore[reportPrivateUsage]


def words(table: dict[str, str]) -> set[str]:
    """The names in a table."""
    return {name for names in table for name in names.split()}


def holds_anything(kind: Any) -> bool:
    """Tell whether a field's type says nothing of what is in it."""
    return kind is Any or dict in (kind, get_origin(kind)) or any(holds_anything(part) for part in get_args(kind))


def test_every_view_is_accounted_for() -> None:
    """A new answer to somebody who may not read is looked at before it is given."""
    assert {view.__name__ for view in views()} == words(SAFE)


def test_every_open_field_is_marked_or_accounted_for() -> None:
    """A field that holds whatever others stored is not forgotten."""
    fields = [(f"{view.__name__}.{name}", field) for view in views() for name, field in view.model_fields.items()]
    marked = {name for name, field in fields if any(isinstance(mark, ShownWith) for mark in field.metadata)}
    assert marked == MARKED
    assert {name for name, field in fields if holds_anything(field.annotation)} - marked == words(OPEN)


class Row(View):
    """A view of an application's own."""

    id: int
    note: Annotated[str, ShownWith("notes:read")]


WRITER = Principal("user", "user:1", "writer", 1, frozenset({"notes:write"}))


ROW = Row(id=1, note=CANARY)
PLACES: dict[Any, Any] = {
    Row: ROW,
    list[Row]: [ROW],
    dict[str, Row]: {"a": ROW},
    tuple[Row, ...]: (ROW,),
    dict[str, list[Row] | None]: {"a": [ROW]},
}


@pytest.mark.parametrize("kind", PLACES)
def test_marked_fields_are_emptied_wherever_they_stand(kind: Any) -> None:
    """Also in an object of objects, as an application's view may have them."""
    assert permissions_within(kind) == {"notes:read"}
    shown = shown_to(WRITER, PLACES[kind])
    assert CANARY not in repr(shown)
    assert TypeAdapter(kind).validate_python(shown) == shown


class MarkedInside(View):
    """Its mark stands inside the field's type."""

    notes: list[Annotated[str, ShownWith("notes:read")]]


class MarkedBesideNone(View):
    """Its mark stands before the None."""

    note: Annotated[str, ShownWith("notes:read")] | None


@dataclass
class NoView:
    """Nothing that is made a view of."""

    note: Annotated[str, ShownWith("notes:read")]


class NeverEmpty(View):
    """A moment can't be empty."""

    at: Annotated[datetime, ShownWith("notes:read")]


@pytest.mark.parametrize("kind", [MarkedInside, list[MarkedBesideNone], dict[str, NoView]])
def test_a_mark_that_hides_nothing_is_refused_at_start(kind: Any) -> None:
    """Nobody believes hidden what is shown."""
    with pytest.raises(Misconfigured, match="marks a whole field of a view"):
        permissions_within(kind)


def test_a_marked_field_without_an_empty_value_is_refused_at_start() -> None:
    """The answer to whoever may not read it would be an error."""
    with pytest.raises(Misconfigured, match=r"NeverEmpty\.at has a ShownWith and no empty value; add None"):
        permissions_within(NeverEmpty)


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app() as running:
        yield running


@pytest.fixture
async def writer(app: RunningApp) -> Person:
    """Somebody who may write processes, requests, rules, chains and scripts, and read nothing."""
    areas = ("processes", "inbound", "webhooks", "code")
    return await person(app, "writer", permissions=tuple(f"{area}:write" for area in areas))


async def waiting(app: RunningApp) -> dict[str, Any]:
    """Start an instance that waits twice and holds what nobody else should know."""
    await deploy(app, "job", START, WAIT, WAIT.replace('"u"', '"v"'), END)
    return await app.cmd("StartProcessInstanceCommand", processKey="job", variables={"account": CANARY})


async def told(client: BusClient, name: str, **fields: Any) -> Any:
    """Send a command as somebody who may; its answer tells nothing."""
    reply = await client.send(name, fields)
    assert reply.ok, reply.body
    assert CANARY not in str(reply.body)
    return reply.data


async def test_commands_that_tell_where_an_instance_stands(app: RunningApp, writer: Person) -> None:
    """They tell its ids and status, and neither variables nor what its tasks say."""
    started = await waiting(app)
    first = {"instanceId": started["instanceId"]}
    wait = {**first, "waitId": started["currentTasks"][0]["waitId"]}
    await told(writer.client, "SetProcessVariablesCommand", **first, variables={"other": 1})
    found = await told(writer.client, "CompleteUserTaskCommand", **wait)
    assert (found["variables"], found["currentTasks"][0]["detail"]) == ({}, None)
    assert found["currentTasks"][0]["elementId"] == "v"
    await told(writer.client, "ModifyProcessInstanceCommand", **first, startBefore=["u"])
    await told(writer.client, "SignalProcessInstanceCommand", **first, taskId="v")
    await told(writer.client, "CancelProcessInstanceCommand", **first)
    second = {"instanceId": (await waiting(app))["instanceId"]}
    seen = await app.cmd("SetProcessVariablesCommand", **second, variables={"a": 1})
    assert seen["variables"] == {"account": CANARY, "a": 1}


async def test_who_passes_an_answer_on(app: RunningApp, writer: Person) -> None:
    """Chains, scripts and rules of somebody who may not read are given no more."""
    fields = {"instanceId": (await waiting(app))["instanceId"], "variables": {"other": 1}}
    step = {"name": "set", "commandName": "SetProcessVariablesCommand", "parameters": fields}
    assert "done" in str(await told(writer.client, "ExecuteCommandChainCommand", steps=[step]))
    code = f"return send('SetProcessVariablesCommand', {fields!r})"
    assert (await told(writer.client, "ExecuteCodeCommand", code=code))["result"]["variables"] == {}
    rule = {"key": "set", "path": "set", "description": "d", "isEnabled": True, "action": "POST", "executionType": 0}
    rule |= {"commandName": "SetProcessVariablesCommand", "parameters": fields, "responseMode": "sync"}
    await told(writer.client, "CreateWebHookConfigCommand", **rule)
    answer = await app.hook("set", {})
    assert answer.status == 200
    assert CANARY not in str(answer.body)


async def test_an_answer_that_is_kept_under_a_key(app: RunningApp) -> None:
    """It is shown by the rights that its sender has when it is asked for again."""
    reader = await person(app, "reader", permissions=("processes:read", "processes:write"))
    fields = {"instanceId": (await waiting(app))["instanceId"], "variables": {"other": 1}}
    key = {"Idempotency-Key": "k-1"}
    first = await reader.client.send("SetProcessVariablesCommand", fields, key)
    assert CANARY in str(first.body)
    await app.cmd("UpdateUserCommand", id=reader.id, permissions=["processes:write"])
    again = await reader.client.send("SetProcessVariablesCommand", fields, key)
    assert (again.status, again.headers["idempotent-replay"]) == (200, "true")
    assert CANARY not in str(again.body)


async def test_a_request_that_is_given_up(app: RunningApp, writer: Person) -> None:
    """Neither its address nor the sentences of its failure are told."""
    await app.hook(f"nobody/{CANARY}", {})
    (request,) = (await app.cmd("GetInboundRequestListQuery"))["items"]
    await told(writer.client, "ReplayInboundRequestCommand", requestId=request["requestId"])
    found = await told(writer.client, "DiscardInboundRequestCommand", requestId=request["requestId"], reason=CANARY)
    assert (found["path"], found["address"], found["errors"]) == ("", "", None)


async def test_what_is_there_as_files(app: RunningApp, writer: Person) -> None:
    """Neither an export nor a plan tells what others wrote into rules, processes, decisions and forms."""
    rule = {"key": "r", "path": "r", "description": "d", "isEnabled": True, "action": "POST", "executionType": 0}
    rule |= {"commandName": "PublishEventCommand", "parameters": {"event": "a.b", "data": {"note": CANARY}}}
    await app.cmd("CreateWebHookConfigCommand", **rule)
    await deploy(app, "job", START, WAIT, END, description=CANARY)
    found = await told(writer.client, "ExportConfigurationQuery")
    assert (found["parts"], found["leftOut"]) == ([], ["decision", "form", "process", "rule"])
    parts = [{"kind": "rule", **rule, "parameters": {"event": "a.b"}}]
    reply = await writer.client.send("PlanConfigurationQuery", {"parts": parts})
    assert (reply.status, reply.errors) == (403, ["Changing a rule by files needs the permission webhooks:read"])
    assert CANARY in str(await app.cmd("ExportConfigurationQuery"))


async def test_a_saved_rule_that_is_tried(app: RunningApp, writer: Person) -> None:
    """The message that a dry run shows is made of what the rule's author wrote."""
    rule = {"key": "r", "path": "r", "description": "d", "isEnabled": True, "action": "POST", "executionType": 0}
    rule |= {"commandName": "PublishEventCommand", "parameters": {"event": "a.b", "data": {"note": CANARY}}}
    made = await app.cmd("CreateWebHookConfigCommand", **rule)
    fields: dict[str, Any] = {"id": made["id"], "request": {"body": {}}}
    reply = await writer.client.send("TestWebHookConfigCommand", fields)
    assert reply.status == 403
    assert reply.errors == ["Trying a saved configuration needs the permission webhooks:read"]
    assert CANARY in str(await app.cmd("TestWebHookConfigCommand", **fields))
