"""What two server processes change at the same moment, on PostgreSQL: the second decides by what the first one left."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from itertools import accumulate
from typing import Any, cast

import asyncpg
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select

from bpm.client import BusClient, Reply
from bpm.clock import system_clock
from bpm.process.history_tables import HISTORY
from bpm.store.postgres import plain_dsn
from bpm.testing import RunningApp, until
from bpm.testing.client import PASSWORD as ADMINISTRATORS
from commands.bulk import jobs as bulk_jobs
from router.tables.deduplication import DEDUPLICATION_WINDOW, insert_unless_known
from router.tables.requests import INBOUND, RequestRow
from tests.attacks.pair import Pair
from tests.attacks.people import PASSWORD, WAIT, deploy, person
from tests.commands import playing
from tests.given_up import store_given_up

pytestmark = pytest.mark.anyio


async def signed_in(app: RunningApp, username: str = "admin", password: str = ADMINISTRATORS) -> Reply:
    return await app.request("POST", "/api/auth/token", {"username": username, "password": password})


async def refreshed(app: RunningApp, tokens: Reply) -> Reply:
    return await app.request("POST", "/api/auth/token", {"refresh_token": tokens.body["refresh_token"]})


async def test_a_refresh_token_is_used_once(pair: Pair) -> None:
    """Whoever is second has stolen it, or was stolen from: the sign-in ends."""
    tokens = await signed_in(pair.one)
    first, second = await pair.at_once(lambda: refreshed(pair.one, tokens), lambda: refreshed(pair.other, tokens))
    assert (first.status, second.status) == (200, 401)
    assert (await refreshed(pair.one, first)).status == 401


@pytest.mark.parametrize("is_ended_first", [True, False])
async def test_signing_out_everywhere_ends_what_goes_on_meanwhile(pair: Pair, is_ended_first: bool) -> None:
    """No refresh token is left, whether it was made just before or after."""
    tokens = await signed_in(pair.one)

    def end(app: RunningApp) -> Awaitable[Reply]:
        return app.send("EndAllSessionsCommand", {})

    def go_on(app: RunningApp) -> Awaitable[Reply]:
        return refreshed(app, tokens)

    first, second = (end, go_on) if is_ended_first else (go_on, end)
    answers = await pair.at_once(lambda: first(pair.one), lambda: second(pair.other))
    gone_on = answers[is_ended_first]
    assert gone_on.status == 401 or (await refreshed(pair.one, gone_on)).status == 401


async def test_a_password_that_is_changed_opens_nothing_more(pair: Pair) -> None:
    """A sign-in that was verified before the change and opened during it has no use."""
    ada = await person(pair.one, "ada", "operator")
    change = {"id": ada.id, "password": "Another-horse-battery-8"}
    _, late = await pair.at_once(
        lambda: pair.one.cmd("UpdateUserCommand", **change), lambda: signed_in(pair.other, "ada", PASSWORD)
    )
    assert late.status == 401 or (await refreshed(pair.one, late)).status == 401


async def test_a_password_that_an_administrator_sets_is_not_changed_by_the_former_one(pair: Pair) -> None:
    """Whoever knows the former password has lost the account, however quick they are."""
    ada = await person(pair.one, "ada", "operator")
    thief = BusClient(pair.other.http)
    await thief.sign_in("ada", PASSWORD)
    stolen = {"currentPassword": PASSWORD, "newPassword": "Stolen-horse-battery-8"}
    await pair.at_once(
        lambda: pair.one.cmd("UpdateUserCommand", id=ada.id, password="Rescued-horse-battery-8"),
        lambda: thief.send("ChangeOwnPasswordCommand", stolen),
    )
    assert (await signed_in(pair.one, "ada", "Rescued-horse-battery-8")).status == 200


async def test_headers_are_not_given_to_a_receiver_that_is_exchanged_meanwhile(pair: Pair) -> None:
    """Whoever saved a URL with its headers has them sent there, and nobody else has them sent elsewhere."""
    ours, theirs = "https://example.com/in", "https://example.org/in"
    made = await pair.one.cmd("CreateSubscriptionCommand", url=ours, events=["*"])
    ours_again = {"id": made["id"], "url": ours, "headers": {"Authorization": "Bearer canary"}}
    await pair.at_once(
        lambda: pair.one.cmd("UpdateSubscriptionCommand", id=made["id"], url=theirs),
        lambda: pair.other.cmd("UpdateSubscriptionCommand", **ours_again),
    )
    shown = await pair.one.cmd("GetSubscriptionByIdQuery", id=made["id"])
    assert (shown["url"], list(shown["headers"])) == (ours, ["Authorization"])


async def test_a_payment_is_confirmed_once(pair: Pair, httpserver: HTTPServer) -> None:
    """Two questions that Mono answers at the same moment publish one event."""
    told = {"event": "direct_debit.payment_successful", "data": {"object": {"reference": "r1", "amount": 5}}}
    await pair.one.cmd("ProcessMonoEventCommand", **{**told, "eventId": "e1"})
    paid = {"status": "successful", "reference": "r1", "amount": 5, "currency": "NGN"}
    httpserver.expect_request("/v2/payments/verify/r1").respond_with_json({"status": "successful", "data": paid})
    first, second = await pair.at_once(
        lambda: pair.one.cmd("ConfirmMonoPaymentCommand", reference="r1"),
        lambda: pair.other.cmd("ConfirmMonoPaymentCommand", reference="r1"),
    )
    assert (first["status"], second["status"]) == ("confirmed", "confirmed")
    published = await pair.one.cmd("GetEventListQuery", event="mono.payment_confirmed")
    assert published["totalCount"] == 1


async def test_a_rule_is_changed_by_one_of_two(pair: Pair) -> None:
    """The other is told that somebody was faster, and the rule is what one of them saved."""
    rule = {"description": "d", "isEnabled": True, "path": "x", "action": "POST", "executionType": 0}
    made = await pair.one.rule("x", commandName="PingQuery")
    change = {**rule, "id": made["id"], "revision": 1, "commandName": "PingQuery"}
    first, second = await pair.at_once(
        lambda: pair.one.send("UpdateWebHookConfigCommand", change),
        lambda: pair.other.send("UpdateWebHookConfigCommand", {**change, "description": "other"}),
    )
    assert (first.status, second.status) == (200, 409)


async def test_what_two_administrators_switch_is_switched(pair: Pair) -> None:
    """Neither feature of an organisation is taken back by whoever switches another one."""
    made = await pair.one.cmd("CreateOrganizationCommand", name="Shop")
    await pair.at_once(
        lambda: pair.one.cmd("UpdateOrganizationCommand", id=made["id"], features={"ruleReview": True}),
        lambda: pair.other.cmd("UpdateOrganizationCommand", id=made["id"], features={"webhooks": False}),
    )
    shown = await pair.one.cmd("GetOrganizationByIdQuery", id=made["id"])
    assert shown["features"] == {"webhooks": False, "ruleReview": True}


async def test_a_dead_message_is_tried_again_once(pair: Pair) -> None:
    """The second wish meets one that waits already."""
    await store_given_up(pair.one.app.database, system_clock())
    first, second = await pair.at_once(
        lambda: pair.one.send("RetryScheduledMessageCommand", {"id": "m1"}),
        lambda: pair.other.send("RetryScheduledMessageCommand", {"id": "m1"}),
    )
    assert (first.status, second.status) == (200, 409)


async def test_an_id_that_was_forgotten_is_one_request_s(pair: Pair, postgres_url: str) -> None:
    """Of two that come at once with the id of one that is too old to count, the second repeats the first."""
    await pair.one.rule("orders", commandName="PingQuery", deduplication="body:id")
    await pair.one.hook("orders", {"id": 1})
    now, database = system_clock(), pair.one.app.database
    stored = await database.read(lambda tx: dict(tx.connection.execute(INBOUND.select()).mappings().one()))
    old = INBOUND.update().values(received_at=now - DEDUPLICATION_WINDOW - timedelta(hours=1))
    await database.write(lambda tx: tx.connection.execute(old))

    def again(app: RunningApp, request_id: str) -> Awaitable[RequestRow | None]:
        row = {**stored, "request_id": request_id, "received_at": now}
        return app.app.database.write(lambda tx: insert_unless_known(tx, row))

    holder = cast("Any", await asyncpg.connect(plain_dsn(postgres_url)))
    async with holder.transaction():  # both have seen that the old one does not count, and wait to take its id
        await holder.execute("SELECT FROM inbound_request FOR UPDATE")
        tasks = [asyncio.ensure_future(again(*each)) for each in ((pair.one, "a"), (pair.other, "b"))]
        await until(pair.waiting, lambda count: count == 2)
    found = await asyncio.gather(*tasks)
    await holder.close()
    assert sum(each is None for each in found) == 1


async def test_a_request_that_is_emptied_meanwhile_is_not_driven_again(pair: Pair) -> None:
    """It would be executed without its body."""
    await pair.one.hook("late", {"id": 1})
    await pair.one.rule("late", commandName="PingQuery")
    database = pair.one.app.database
    found = await database.read(lambda tx: tx.connection.execute(INBOUND.select()).one())
    emptied = INBOUND.update().values(body=b"", body_pruned=True)
    _, reply = await pair.at_once(
        lambda: database.write(lambda tx: tx.connection.execute(emptied)),
        lambda: pair.other.send("ReplayInboundRequestCommand", {"requestId": found.request_id}),
    )
    assert reply.status == 409


async def test_an_event_type_is_registered_by_both(pair: Pair) -> None:
    """The second changes what the first one made."""
    names = ("RegisterEventTypeCommand", {"event": "shop.opened", "description": "the second"})
    first, second = await pair.at_once(lambda: pair.one.send(*names), lambda: pair.other.send(*names))
    assert (first.status, second.status) == (200, 200)


async def test_versions_that_are_switched_off_begin_nothing(pair: Pair) -> None:
    """Two versions switched off by two people leave none that listens."""
    start = '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>'
    older, newer = [await deploy(pair.one, "p", start, WAIT) for _ in range(2)]
    await pair.at_once(
        lambda: pair.one.cmd("DeactivateProcessDefinitionCommand", id=newer),
        lambda: pair.other.cmd("DeactivateProcessDefinitionCommand", id=older),
    )
    count = "SELECT count(*) FROM process_trigger"
    database = pair.one.app.database
    assert await database.read(lambda tx: tx.connection.exec_driver_sql(count).scalar()) == 0


async def test_no_more_bulk_work_is_planned_than_may_be(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the organisation's, not each process's."""
    monkeypatch.setattr(bulk_jobs, "MAX_OPEN", 1)
    await pair.one.hook("nowhere", {})
    plan = {"action": "replayRequests", "selection": {"state": "quarantined"}}
    first, second = await pair.at_once(
        lambda: pair.one.send("PlanBulkJobCommand", plan), lambda: pair.other.send("PlanBulkJobCommand", plan)
    )
    assert (first.status, second.status) == (200, 422)


async def test_two_steps_of_an_instance_stand_behind_each_other(pair: Pair) -> None:
    """Both of two at once are done, and the second begins in the history where the first one's ends."""
    await playing.deploy(pair.one, "start s; and f; user a; user b; and j; end e\ns -> f -> a -> j -> e; f -> b -> j")
    begun = await playing.start(pair.one)
    first, second = [{"instanceId": begun["instanceId"], "waitId": task["waitId"]} for task in begun["currentTasks"]]
    answers = await pair.at_once(
        lambda: pair.one.send("CompleteUserTaskCommand", {**first, "variables": {}}),
        lambda: pair.other.send("CompleteUserTaskCommand", {**second, "variables": {}}),
    )
    assert [answer.status for answer in answers] == [200, 200]
    history = select(HISTORY.c.entries_before, HISTORY.c.entry_count).order_by(HISTORY.c.id)
    rows = await pair.one.app.database.read(lambda tx: tx.connection.execute(history).all())
    assert len(rows) == 3
    assert [row.entries_before for row in rows] == [0, *accumulate(row.entry_count for row in rows)][:-1]
