"""Subscriptions are checked, changed, rotated and kept apart."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.errors import BpmError, Conflict, Forbidden, Invalid, NotFound
from bpm.events import subscription_tables
from bpm.events.probe import probe
from bpm.security.net import AddressList
from bpm.security.net_targets import TargetError, Targets
from bpm.security.permissions import Principal, permissions_of
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.testing import WebhookReceiver
from tests.commands.sender import MessageSender, stranger

pytestmark = pytest.mark.anyio

URL = "https://hooks.example.com/in"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No probe: the receivers of these tests do not exist."""
    delivery: Any = {"probe": "off", "max_subscriptions": 3, "max_event_bytes": 2000}
    return Settings(data_dir=tmp_path, delivery=delivery)


async def create(sender: MessageSender, **fields: Any) -> dict[str, Any]:
    """Create a subscription."""
    return await sender.send_fields("CreateSubscriptionCommand", {"url": URL, "events": ["task.created"], **fields})


async def test_a_subscription_shows_what_was_chosen(sender: MessageSender) -> None:
    """Everything but credentials is shown; the secret in the answer to its creation only."""
    fields = {
        "events": ["task.*", "contact.created"],
        "name": "Billing",
        "description": "for the books",
        "headers": {"Authorization": "Bearer canary"},
        "retryCount": 3,
        "timeoutSeconds": 5,
        "filter": "data.total > 1",
        "transform": {"template": {"a": "{{data.a}}"}},
        "orderingKey": "data.customer",
        "maxInFlight": 2,
        "ratePerSecond": 5.0,
        "dialect": "mokapen",
        "format": "cloudevents-binary",
    }
    made = await create(sender, **fields)
    shown = await sender.send("GetSubscriptionByIdQuery", id=made["id"])
    assert made["secret"].startswith("whsec_")
    assert {**shown, "secret": made["secret"]} == made
    assert shown["headers"] == {"Authorization": "***"}
    assert {name: shown[name] for name in fields if name != "headers"} == {
        name: value for name, value in fields.items() if name != "headers"
    }
    assert (shown["isActive"], shown["failureCount"], shown["breaker"]) == (True, 0, "closed")
    listed = await sender.send("GetSubscriptionListQuery", event="task.updated", searchText="books")
    assert listed["items"] == [shown]
    assert (await sender.send("GetSubscriptionListQuery", event="ticket.created"))["totalCount"] == 0
    assert (await sender.send("GetSubscriptionListQuery", dialect="plandocket"))["totalCount"] == 0


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "http://hooks.example.com/"}, "url: the URL must begin with https"),
        ({"url": "https://10.0.0.1/"}, "url: 10.0.0.1 is not a public address"),
        ({"url": "https://127.1/"}, "url: the host must be four decimal numbers"),
        ({"url": "hooks"}, "url: must be an absolute URL"),
        ({"events": []}, "events: "),
        ({"events": ["task.create"]}, r"events\[0\]: no event type is named 'task.create'; did you mean task.created"),
        ({"events": ["task.**"]}, r"events\[0\]: "),
        ({"headers": {"Host": "x"}}, "headers.Host: is set by the delivery"),
        ({"filter": "data.total >"}, "filter: "),
        ({"orderingKey": "((("}, "orderingKey: "),
        ({"transform": {}}, "transform: needs either template or script"),
        ({"transform": {"template": {"a": "{{b"}}}, "transform.template: a: "),
        ({"transform": {"script": "x ="}}, "transform.script: line 1"),
        ({"secret": "short"}, "secret: must be whsec_"),
        ({"retryCount": 21}, "retryCount: "),
        ({"timeoutSeconds": 0}, "timeoutSeconds: "),
        ({"ratePerSecond": 0}, "ratePerSecond: "),
        ({"ratePerSecond": 1e-9}, "ratePerSecond: "),
        ({"headers": {"X-Key": "***"}}, "headers: .* stands for the stored value, and X-Key has none"),
        ({"dialect": "french"}, "dialect: "),
    ],
)
async def test_a_wrong_field_is_refused(sender: MessageSender, fields: dict[str, Any], sentence: str) -> None:
    """Each has its sentence."""
    with pytest.raises(Invalid, match=sentence):
        await create(sender, **fields)


async def test_a_change_leaves_the_rest(sender: MessageSender) -> None:
    """What is not named stays, null takes away, and stars keep a header."""
    made = await create(sender, name="old", filter="data.a", headers={"X-A": "1", "X-B": "2"}, retryCount=2)
    changed = await sender.send_fields(
        "UpdateSubscriptionCommand",
        {"id": made["id"], "name": "new", "filter": None, "headers": {"X-A": "***"}, "events": ["task.deleted"]},
    )
    assert (changed["name"], changed["filter"], changed["retryCount"]) == ("new", None, 2)
    assert (changed["headers"], changed["events"]) == ({"X-A": "***"}, ["task.deleted"])
    assert (await sender.send("GetSubscriptionListQuery", event="task.created"))["totalCount"] == 0
    with pytest.raises(Invalid, match="url: "):
        await sender.send("UpdateSubscriptionCommand", id=made["id"], url="https://10.0.0.1/")


async def test_stars_stand_for_a_stored_value(sender: MessageSender) -> None:
    """Where there is none, or none that can be opened any more, the change is refused and says so."""
    made = await create(sender, headers={"X-A": "1"})
    with pytest.raises(Invalid, match="X-B has none"):
        await sender.send("UpdateSubscriptionCommand", id=made["id"], headers={"X-A": "***", "X-B": "***"})
    foreign = SecretBox(b"another key of another installation").encrypt("{}")
    table = subscription_tables.SUBSCRIPTIONS
    await sender.database.write(lambda tx: tx.connection.execute(table.update().values(headers=foreign)).rowcount)
    with pytest.raises(Invalid, match="headers: "):
        await sender.send("UpdateSubscriptionCommand", id=made["id"], headers={"X-A": "***"})
    changed = await sender.send("UpdateSubscriptionCommand", id=made["id"], headers={"X-A": "2"})
    assert changed["headers"] == {"X-A": "***"}


async def test_a_test_event_has_a_name_of_events(sender: MessageSender) -> None:
    """What could never be published is not sent as a test either."""
    made = await create(sender)
    with pytest.raises(Invalid, match="event: "):
        await sender.send("SendTestEventCommand", id=made["id"], event="a b")


async def test_on_and_off_are_told_apart(sender: MessageSender) -> None:
    """Switching to what it is already is a conflict."""
    made = await create(sender)
    with pytest.raises(Conflict, match="already active"):
        await sender.send("ActivateSubscriptionCommand", id=made["id"])
    assert not (await sender.send("DeactivateSubscriptionCommand", id=made["id"]))["isActive"]
    with pytest.raises(Conflict, match="already inactive"):
        await sender.send("DeactivateSubscriptionCommand", id=made["id"])
    with pytest.raises(Conflict, match="inactive"):
        await sender.send("SendTestEventCommand", id=made["id"])
    assert (await sender.send("ActivateSubscriptionCommand", id=made["id"]))["isActive"]


async def test_a_deleted_subscription_is_gone(sender: MessageSender) -> None:
    """It is found by no query, and its place is free."""
    made = await create(sender)
    await sender.send("DeleteSubscriptionCommand", id=made["id"])
    for name in ("GetSubscriptionByIdQuery", "DeleteSubscriptionCommand", "RotateSubscriptionSecretCommand"):
        with pytest.raises(NotFound):
            await sender.send(name, id=made["id"])
    assert (await sender.send("GetSubscriptionListQuery"))["totalCount"] == 0
    for _ in range(3):
        await create(sender)
    with pytest.raises(Invalid, match="may have 3 subscriptions"):
        await create(sender)
    assert (await sender.send_fields("CreateSubscriptionCommand", {"url": URL, "events": ["*"]}, stranger()))["id"]


async def test_a_secret_is_shown_again_to_one_dialect_only(sender: MessageSender) -> None:
    """PlanDocket's interface shows it again, to who may write; nobody else sees it."""
    theirs, ours = await create(sender, dialect="plandocket", events=["invoice.paid"]), await create(sender)
    assert (await sender.send("GetSubscriptionSecretQuery", id=theirs["id"]))["secret"] == theirs["secret"]
    with pytest.raises(Forbidden, match="never again"):
        await sender.send("GetSubscriptionSecretQuery", id=ours["id"])
    viewer = Principal("user", "user:2", "viewer", 1, permissions_of(["viewer"]))
    with pytest.raises(Forbidden):
        await sender.send("GetSubscriptionSecretQuery", viewer, id=theirs["id"])


async def test_an_interface_knows_its_own_subscriptions_and_events(sender: MessageSender) -> None:
    """With `dialect` another interface's subscription is not found, and only that interface's events can be asked for.

    What the organisation has registered itself belongs to each.
    """
    made = await create(sender, dialect="mokapen")
    for name in ("GetSubscriptionByIdQuery", "UpdateSubscriptionCommand", "DeleteSubscriptionCommand"):
        with pytest.raises(NotFound):
            await sender.send(name, id=made["id"], dialect="donutwork")
    with pytest.raises(Invalid, match=r"'ticket\.created'"):
        await create(sender, dialect="donutwork", events=["ticket.created", "order.paid"])
    for events in (["*"], ["task.*"]):
        with pytest.raises(Invalid, match="no event type"):
            await create(sender, dialect="plandocket", events=events)
    with pytest.raises(Invalid, match="no event type"):
        await sender.send("UpdateSubscriptionCommand", id=made["id"], dialect="mokapen", events=["invoice.paid"])
    await sender.send("RegisterEventTypeCommand", event="order.paid")
    assert await create(sender, dialect="donutwork", events=["order.paid"])
    types = await sender.send("GetEventTypeListQuery", family="donutwork")
    assert {kind["event"] for kind in types["items"]} == {
        "RecurringPayments.charge.failed",
        "RecurringPayments.charge.paid",
        "order.paid",
    }


async def test_secrets_and_headers_are_sealed(sender: MessageSender) -> None:
    """No column of the row holds them in clear, and no audit line."""
    made = await create(sender, headers={"X-Key": "canary"})
    row = await sender.database.read(lambda tx: subscription_tables.subscription_row(tx, made["id"]))
    assert made["secret"] not in str(row)
    assert "canary" not in str(row)
    lines = await sender.database.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT fields FROM audit_entry").scalars().all()
    )
    assert "canary" not in str(lines)


async def test_a_receiver_is_looked_at_first(receiver: WebhookReceiver) -> None:
    """With the probe on, a host that can't be found, or that speaks no TLS, is refused when it is chosen."""
    targets = Targets(AddressList.parse("127.0.0.0/8"))
    await probe(targets.check_url(receiver.url), targets)
    secure = receiver.url.replace("http://", "https://")
    with pytest.raises(TargetError, match=r"TLS is not possible|nothing answers"):
        await probe(targets.check_url(secure), targets)
    with pytest.raises(TargetError, match="can't be found"):
        await probe(targets.check_url("https://no-such-host.invalid/"), targets)


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver on loopback."""
    async with WebhookReceiver() as receiver:
        yield receiver


async def test_event_types_are_listed_and_registered(sender: MessageSender) -> None:
    """Built-in types are there by family; one's own can be added, with a schema that publishing must satisfy."""
    counts = {"mokapen": 42, "plandocket": 14, "donutwork": 2}
    for family, count in counts.items():
        assert (await sender.send("GetEventTypeListQuery", family=family))["totalCount"] == count
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    registered = await sender.send_fields(
        "RegisterEventTypeCommand", {"event": "crate.packed", "schema": schema, "example": {"id": 1}}
    )
    assert (registered["registered"], registered["schema"]) == (True, schema)
    assert (await sender.send("GetEventTypeListQuery", searchText="crate"))["items"] == [registered]
    await create(sender, events=["crate.packed"])
    await sender.send("PublishEventCommand", event="crate.packed", data={"id": 5})
    with pytest.raises(Invalid) as refused:
        await sender.send("PublishEventCommand", event="crate.packed", data={"id": "x"})
    assert list(refused.value.errors) == ['data.id: "x" is not of type "integer"']
    changed = await sender.send_fields("RegisterEventTypeCommand", {"event": "crate.packed", "description": "d"})
    assert (changed["schema"], changed["description"]) == (None, "d")
    await sender.send("PublishEventCommand", event="crate.packed", data={"id": "x"})
    await sender.send("PublishEventCommand", stranger(), event="crate.packed", data={"id": "x"})


@pytest.mark.parametrize(
    "schema",
    [{"type": "nothing"}, {"$ref": "http://127.0.0.1/x"}, {"$ref": "file:///etc/passwd"}, {"pattern": "("}],
)
async def test_a_schema_must_be_one(sender: MessageSender, schema: dict[str, Any]) -> None:
    """What is no schema, or refers outside itself, is refused."""
    with pytest.raises(Invalid, match="schema: is not a JSON Schema"):
        await sender.send_fields("RegisterEventTypeCommand", {"event": "a.b", "schema": schema})


async def test_the_products_own_events_are_free(sender: MessageSender) -> None:
    """No schema may keep the product from telling what it did; a description and an example are welcome."""
    with pytest.raises(Invalid, match="publishes itself"):
        await sender.send_fields("RegisterEventTypeCommand", {"event": "mono.account_updated", "schema": {}})
    made = await sender.send("RegisterEventTypeCommand", event="mono.account_updated", description="ours")
    assert made["description"] == "ours"


async def test_an_event_has_a_largest_size(sender: MessageSender) -> None:
    """Data beyond the limit is refused with the setting's name."""
    with pytest.raises(Invalid, match="BPM_DELIVERY__MAX_EVENT_BYTES"):
        await sender.send("PublishEventCommand", event="a.b", data={"text": "x" * 3000})


async def test_nothing_crosses_between_organisations(sender: MessageSender) -> None:
    """Everything of one organisation is invisible to another, and none of its numbers can be acted on."""
    made = await create(sender, events=["*"])
    await sender.send("PublishEventCommand", event="task.created", data={"canary": 1})
    (delivery,) = (await sender.send("GetDeliveryListQuery"))["items"]
    await sender.send("PublishEventCommand", stranger(), event="task.created")
    assert (await sender.send("GetDeliveryListQuery"))["totalCount"] == 1
    since = "2020-01-01"
    for name, fields in (
        ("GetSubscriptionByIdQuery", {"id": made["id"]}),
        ("GetSubscriptionSecretQuery", {"id": made["id"]}),
        ("UpdateSubscriptionCommand", {"id": made["id"], "name": "x"}),
        ("DeleteSubscriptionCommand", {"id": made["id"]}),
        ("ActivateSubscriptionCommand", {"id": made["id"]}),
        ("DeactivateSubscriptionCommand", {"id": made["id"]}),
        ("RotateSubscriptionSecretCommand", {"id": made["id"]}),
        ("SendTestEventCommand", {"id": made["id"]}),
        ("GetDeliveryByIdQuery", {"id": delivery["id"]}),
        ("RetryDeliveryCommand", {"id": delivery["id"]}),
        ("CancelDeliveryCommand", {"id": delivery["id"]}),
        ("RecoverFailedDeliveriesCommand", {"since": since, "subscriptionId": made["id"]}),
        ("RecoverFailedDeliveriesCommand", {"since": since, "subscriptionId": made["id"], "missing": True}),
    ):
        with pytest.raises(NotFound):
            await sender.send_fields(name, fields, stranger())


async def test_every_list_is_of_ones_own(sender: MessageSender) -> None:
    """No list query of the catalogue shows a row of another organisation."""
    await create(sender, events=["*"])
    await sender.send("RegisterEventTypeCommand", event="canary.type")
    await sender.send("PublishEventCommand", event="task.created", data={"canary": 1})
    seen: dict[str, int] = {}
    for registration in sender.bus.registry:
        if registration.kind != "query" or "page_number" not in registration.message_type.model_fields:
            continue
        try:
            found = await sender.send(registration.name, stranger())
        except BpmError:
            continue
        seen[registration.name] = found["totalCount"]
        assert "canary" not in str(found), registration.name
    assert seen["GetSubscriptionListQuery"] == seen["GetDeliveryListQuery"] == seen["GetEventListQuery"] == 0
    assert seen["GetDeliveryAttemptListQuery"] == 0
