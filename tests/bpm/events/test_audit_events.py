"""The audit log as events: whole, only to whoever may read it now, and never of themselves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from bpm.bus.envelope import MAX_DEPTH
from bpm.bus.tables import AUDIT
from bpm.client import BusClient
from bpm.events import audit_tables
from bpm.events.audit_publisher import AuditPublisher
from bpm.events.subscription_tables import SUBSCRIPTIONS
from bpm.store import utc_now
from bpm.testing import PreparedAnswer, RunningApp, ServerProcess, WebhookReceiver, until
from tests.bpm.events.conftest import DeliveringApp

pytestmark = pytest.mark.anyio

SECRET = "Correct-horse-battery-staple-9"


async def told(receiver: WebhookReceiver, count: int) -> list[dict[str, Any]]:
    """Wait for so many audit events, and return what they say; of what else is sent, there is nothing."""
    found = await until(lambda: _events(receiver), lambda events: len(events) >= count)
    assert all(event["type"].startswith("audit.") for event in found)
    return [event["data"] for event in found]


async def _events(receiver: WebhookReceiver) -> list[dict[str, Any]]:
    return [request.json() for request in receiver.requests]


async def at_rest(app: RunningApp) -> None:
    """Make events of everything that the audit log has by now."""
    await app.app.audit_publisher.publish()


def line(app: RunningApp, number: int, **changes: Any) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {
        "organization_id": 1,
        "id": number,
        "created_at": utc_now(),
        "principal": "user:1",
        "fields": {},
    }
    values |= {"principal_name": "admin", "type": "SomeCommand", "address": "", "ok": True, "depth": 0}
    values |= {"request_id": f"r{number}", "correlation_id": f"r{number}", "error": None, "causation_id": None}
    return AUDIT, {**values, **changes}


async def signed_in(delivering: DeliveringApp, username: str) -> BusClient:
    client = BusClient(delivering.server.http)
    await client.sign_in(username, SECRET)
    return client


async def newest(app: RunningApp) -> int:
    found = await app.cmd("GetAuditLogQuery", pageSize=1)
    return found["items"][0]["id"]


async def test_commands_are_told_as_the_log_has_them(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What succeeded and what did not, from the subscription on, without secrets; queries are no part of it."""
    await delivering.publish("before.it")
    await delivering.subscribe(receiver.url, "audit.*")
    user = {"username": "grace", "password": SECRET, "roles": ["viewer"]}
    await delivering.cmd("CreateUserCommand", **user)
    await delivering.server.send("CreateUserCommand", user)
    await delivering.cmd("GetUserListQuery")
    said = await told(receiver, 3)
    log = (await delivering.cmd("GetAuditLogQuery", sortDirection="asc"))["items"]
    shown = [{**entry, "fieldsLeftOut": False} for entry in log][-3:]
    assert sorted(said, key=lambda data: data["id"]) == shown
    assert [entry["type"] for entry in shown] == ["CreateSubscriptionCommand", "CreateUserCommand", "CreateUserCommand"]
    assert {event["type"]: event["data"]["ok"] for event in await _events(receiver)} == {
        "audit.succeeded": True,
        "audit.failed": False,
    }
    assert all(SECRET.encode() not in request.body for request in receiver.requests)


async def test_nobody_gets_it_who_did_not_ask(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Not by `*`, and not by a name that was subscribed to before there were such events; recovery is no way around."""
    everything = await delivering.subscribe(receiver.url, "*")
    async with WebhookReceiver() as former:
        early = await delivering.subscribe(former.url, "audit.*")
        forget = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == early["id"]).values(audit_authority=None)
        await delivering.server.app.database.write(lambda tx: tx.connection.execute(forget))
        async with WebhookReceiver() as siem:
            await delivering.subscribe(siem.url, "audit.*")
            await delivering.publish("order.created")
            await told(siem, 2)
        for id_ in (everything["id"], early["id"]):
            since = (utc_now() - timedelta(hours=1)).isoformat()
            fields = {"subscriptionId": id_, "since": since, "missing": True}
            assert (await delivering.cmd("RecoverFailedDeliveriesCommand", **fields))["found"] == 0
        assert former.requests == []
    await receiver.wait_for(1)
    assert [event["type"] for event in await _events(receiver)] == ["order.created"]


async def test_only_readers_of_the_log_subscribe(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Whoever may subscribe and not read the log is refused, and can't lead somebody else's events elsewhere."""
    made = await delivering.subscribe(receiver.url, "audit.*", name="SIEM")
    key = await delivering.cmd("CreateApiKeyCommand", name="some", scopes=["subscriptions:write", "events:read"])
    some = BusClient(delivering.server.http, key["key"])
    url = f"{receiver.url}/mine"
    asked: list[tuple[str, dict[str, Any]]] = [
        ("CreateSubscriptionCommand", {"url": receiver.url, "events": ["audit.failed"]}),
        ("UpdateSubscriptionCommand", {"id": made["id"], "url": url}),
        ("UpdateSubscriptionCommand", {"id": made["id"], "name": "mine"}),
    ]
    for name, fields in asked:
        reply = await some.send(name, fields)
        assert (reply.status, "audit:read" in reply.errors[0]) == (403, True), reply.errors
    assert (await some.send("UpdateSubscriptionCommand", {"id": made["id"], "events": ["order.*"]})).ok


async def test_the_right_is_asked_at_each_delivery(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Once its owner may not read the log any more nothing is sent, until somebody else answers for it."""
    await delivering.cmd("CreateUserCommand", username="owner", password=SECRET, roles=["admin"])
    owner = await signed_in(delivering, "owner")
    made = await owner.cmd("CreateSubscriptionCommand", url=receiver.url, events=["audit.*"])
    await told(receiver, 1)
    users = (await delivering.cmd("GetUserListQuery"))["items"]
    (id_,) = [user["id"] for user in users if user["username"] == "owner"]
    await delivering.cmd("DisableUserCommand", id=id_)
    await at_rest(delivering.server)
    (dead,) = await delivering.settled("dead")
    assert "owner" in dead["lastError"]
    assert len(receiver.requests) == 1
    await delivering.cmd("UpdateSubscriptionCommand", id=made["id"], name="SIEM")
    said = await told(receiver, 2)
    assert [data["type"] for data in said][1:] == ["UpdateSubscriptionCommand"]


async def test_other_places_show_no_more_than_a_number(delivering: DeliveringApp) -> None:
    """Whoever may read events and deliveries learns nothing of the log: not even what was sent or echoed."""
    async with WebhookReceiver() as receiver:
        receiver.answer(PreparedAnswer(200, b'{"echo": "CreateSubscriptionCommand"}'))
        template = {"template": {"who": "{{data.principalName}}", "what": "{{data.type}}"}}
        await delivering.subscribe(receiver.url, "audit.*", transform=template)
        (sent,) = await receiver.wait_for(1)
        assert sent.json() == {"who": "admin", "what": "CreateSubscriptionCommand"}
        (shown,) = await delivering.settled()
    (event,) = (await delivering.cmd("GetEventListQuery"))["items"]
    assert event["data"] == {"auditEntry": await newest(delivering.server)}
    history = await delivering.cmd("GetDeliveryByIdQuery", id=shown["id"])
    (attempt,) = history["history"]
    assert "CreateSubscriptionCommand" not in str(attempt)


async def test_organisations_are_apart(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Each is told of its own commands, the installation's no less."""
    made = await delivering.cmd("CreateOrganizationCommand", name="Other")
    account = {"username": "theirs", "password": SECRET, "roles": ["admin"], "organizationId": made["id"]}
    await delivering.cmd("CreateUserCommand", **account)
    theirs = await signed_in(delivering, "theirs")
    async with WebhookReceiver() as other:
        await theirs.cmd("CreateSubscriptionCommand", url=other.url, events=["audit.*"])
        await delivering.subscribe(receiver.url, "audit.*")
        await theirs.cmd("PublishEventCommand", event="order.created")
        await told(other, 2)
        await told(receiver, 1)
        await at_rest(delivering.server)
        assert {request.json()["data"]["principalName"] for request in other.requests} == {"theirs"}
        assert {request.json()["data"]["principalName"] for request in receiver.requests} == {"admin"}


async def test_what_deliveries_cause_is_not_told(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Neither what is told of deliveries, nor what is refused at the end of a chain."""
    await delivering.subscribe(receiver.url, "audit.*")
    await told(receiver, 1)
    first = await newest(delivering.server) + 1
    deliveries = {"principal": "system:events", "principal_name": "deliveries"}
    lines = [line(delivering.server, first, **deliveries), line(delivering.server, first + 1, depth=MAX_DEPTH + 1)]
    await delivering.server.app.database.append(*lines, line(delivering.server, first + 2, type="LastCommand"))
    assert [data["type"] for data in await told(receiver, 2)][1:] == ["LastCommand"]


async def test_an_event_at_an_address_of_the_server_itself_ends() -> None:
    """A rule that is sent the audit log would be told of what it does, and what it does of that: it does nothing."""
    async with ServerProcess(BPM_DELIVERY__ALLOWED_NETWORKS="127.0.0.0/8", BPM_DELIVERY__PROBE="off") as server:
        parameters: dict[str, Any] = {"event": "loop.turned", "data": {}}
        await server.rule("echo", commandName="PublishEventCommand", parameters=parameters, retry={"attempts": 1})
        url = f"{server.url}/api/webhooks/echo"
        await server.cmd("CreateSubscriptionCommand", url=url, events=["audit.*"])
        (dead,) = await until(lambda: server.requests(state="dead"), lambda found: len(found) == 1)
        assert "messages caused one another" in dead["errors"][0]
        await server.cmd("PublishEventCommand", event="order.created")
        await until(lambda: server.requests(state="dead"), lambda found: len(found) == 2)
        for _ in range(3):  # each look of the server at the log
            await asyncio.sleep(1)
        assert len(await server.requests()) == 2
        assert (await server.cmd("GetEventListQuery", event="loop.turned"))["totalCount"] == 0


async def test_a_filter_chooses_and_leaves_nothing_behind(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Of lines that no subscription wants there is no event."""
    await delivering.subscribe(receiver.url, "audit.succeeded", filter="data.type = 'CreateUserCommand'")
    await delivering.publish("order.created")
    await delivering.cmd("CreateUserCommand", username="grace", password=SECRET, roles=["viewer"])
    assert [data["type"] for data in await told(receiver, 1)] == ["CreateUserCommand"]
    events = (await delivering.cmd("GetEventListQuery"))["items"]
    assert sorted(event["event"] for event in events) == ["audit.succeeded", "order.created"]


async def test_long_fields_are_left_out(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """What takes more than an event may is not sent; the event says so."""
    await delivering.subscribe(receiver.url, "audit.*", filter="data.type = 'NoteCommand'")
    most = delivering.server.app.settings.delivery.max_event_bytes
    first = await newest(delivering.server) + 1
    large = {"type": "NoteCommand", "fields": {"text": "x" * most}}
    await delivering.server.app.database.append(line(delivering.server, first, **large))
    (said,) = await told(receiver, 1)
    assert (said["fields"], said["fieldsLeftOut"], said["type"]) == (None, True, "NoteCommand")


async def test_a_line_that_is_gone_is_not_sent(delivering: DeliveringApp) -> None:
    """When retention has been faster the delivery says so, and is not tried again."""
    async with WebhookReceiver() as receiver:
        receiver.answer(500)
        await delivering.subscribe(receiver.url, "audit.*")
        await receiver.wait_for(1)
        (waiting,) = await until(delivering.deliveries, lambda found: found and found[0]["attempts"] == 1)
        await delivering.server.app.database.write(lambda tx: tx.connection.execute(delete(AUDIT)))
        await delivering.publish("order.created")  # SQLite gives it the number of the line that is gone
        await delivering.cmd("RetryDeliveryCommand", id=waiting["id"])
        (dead,) = await delivering.settled("dead")
        assert (dead["id"], "retention" in dead["lastError"]) == (waiting["id"], True)


async def test_several_processes_tell_it_once(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """Who is first goes on; the others notice."""
    await delivering.subscribe(receiver.url, "audit.*", maxInFlight=50)
    app = delivering.server.app
    first = await newest(delivering.server) + 1
    await app.database.append(*(line(delivering.server, first + n) for n in range(250)))
    publisher = app.components.outbound.publisher
    others = [AuditPublisher(app.database, publisher, utc_now, 1_000_000) for _ in range(4)]
    await asyncio.gather(*(other.publish() for other in others))
    await at_rest(delivering.server)
    numbers = [data["id"] for data in await told(receiver, 251)]
    assert sorted(numbers) == list(range(first - 1, first + 250))


@pytest.mark.embedded
async def test_numbers_that_begin_anew_are_told(delivering: DeliveringApp, receiver: WebhookReceiver) -> None:
    """SQLite numbers lines from one again once retention has taken all of them."""
    await delivering.publish("order.created")
    await delivering.subscribe(receiver.url, "audit.*")
    await told(receiver, 1)
    await delivering.server.app.database.write(lambda tx: tx.connection.execute(delete(AUDIT)))
    await delivering.publish("order.created")
    assert await newest(delivering.server) == 1
    said = await told(receiver, 2)
    assert (said[1]["id"], said[1]["type"]) == (1, "PublishEventCommand")


async def test_a_number_that_is_missing_is_waited_for(
    delivering: DeliveringApp, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where several processes take numbers, a line may appear behind a later one; SQLite has none that is late."""
    await delivering.subscribe(receiver.url, "audit.*")
    await told(receiver, 1)
    database = delivering.server.app.database
    first = await newest(delivering.server) + 1
    await database.append(line(delivering.server, first + 1, type="LaterCommand"))
    await at_rest(delivering.server)
    is_shared = await database.read(lambda tx: tx.driver is None)
    assert await database.read(audit_tables.position) == (first - 1 if is_shared else first + 1)
    if is_shared:
        await database.append(line(delivering.server, first, type="LateCommand"))
        await told(receiver, 3)
        await database.append(line(delivering.server, first + 3))
        await at_rest(delivering.server)
        assert await database.read(audit_tables.position) == first + 1
        monkeypatch.setattr("bpm.events.audit_publisher.GAP_SECONDS", 0.0)
        await told(receiver, 4)


async def test_while_nobody_asks_nothing_moves(delivering: DeliveringApp) -> None:
    """Without a subscription to the log it is not read; with one, the first line is the subscription's own."""
    await delivering.publish("order.created")
    await at_rest(delivering.server)
    assert await delivering.server.app.database.read(audit_tables.position) == 0
