"""Events reach a subscriber through failures, restarts, kills and an exchange of secrets."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bpm.testing import PreparedAnswer, ReceivedRequest, ServerProcess, WebhookReceiver

pytestmark = pytest.mark.anyio

LOOPBACK = {"BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}
EVENTS = 1_000
KEYS = 10
PUBLISHERS = 8
MONO = {"mono-webhook-secret": "m0no"}
REMITA = [{"rrr": "110-0020-71256", "channnel": "CARD", "amount": 200.0, "payerEmail": "a@b.c", "orderId": "o1"}]


@asynccontextmanager
async def delivering(**environment: str) -> AsyncGenerator[ServerProcess]:
    """A server that may deliver to loopback."""
    async with ServerProcess(**LOOPBACK, **environment) as server:
        yield server


async def publish(server: ServerProcess, first: int, count: int, **fields: Any) -> None:
    """Publish numbered events, those of one key one after the other."""

    async def of_key(key: int) -> None:
        for number in range(first + key, first + count, KEYS):
            ordered = {"orderingKey": f"k{key}", **fields}
            await server.cmd("PublishEventCommand", event="task.updated", data={"key": key, "n": number}, **ordered)

    await asyncio.gather(*(of_key(key) for key in range(KEYS)))


async def restart(server: ServerProcess) -> None:
    """Kill the server and start it again."""
    await server.kill()
    await server.start()
    await server.login()


async def settled(server: ServerProcess, seconds: float = 60) -> None:
    """Wait until no delivery is open, and hurry those that wait for their next attempt."""
    async with asyncio.timeout(seconds):
        while open_ones := (await server.cmd("GetDeliveryListQuery", state="pending", pageSize=200))["items"]:
            for delivery in open_ones:
                if delivery["attempts"] > 0:
                    await server.cmd("RetryDeliveryCommand", id=delivery["id"])
            await asyncio.sleep(0.2)


def verified(request: ReceivedRequest, secrets: list[str]) -> Any:
    """Return the payload, verified with one of the secrets by the standard's own library."""
    for secret in secrets:
        try:
            return Webhook(secret).verify(request.body, dict(request.headers))
        except WebhookVerificationError:
            continue
    raise AssertionError(f"no secret verifies {request}")


async def test_a_thousand_deliveries_through_thick_and_thin() -> None:
    """Each event arrives at least once, with one id, verified, and in order for its key."""
    async with WebhookReceiver() as receiver, delivering() as server:
        made = await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["task.*"])
        receiver.answer(*[PreparedAnswer(500 if n % 97 == 5 else 200) for n in range(EVENTS)])
        await publish(server, 0, EVENTS // 2)
        rotated = await server.cmd("RotateSubscriptionSecretCommand", id=made["id"])
        await restart(server)
        await publish(server, EVENTS // 2, EVENTS // 2)
        await settled(server)
    secrets = [made["secret"], rotated["secret"]]
    ids: dict[int, set[str]] = {}
    order: dict[int, list[int]] = {}
    for request in receiver.requests:
        data = verified(request, secrets)["data"]
        ids.setdefault(data["n"], set()).add(request.headers["webhook-id"])
        seen = order.setdefault(data["key"], [])
        if data["n"] not in seen:
            seen.append(data["n"])
    assert set(ids) == set(range(EVENTS))
    assert all(len(of_event) == 1 for of_event in ids.values())
    assert all(seen == sorted(seen) for seen in order.values())


async def test_a_kill_amid_deliveries_loses_none() -> None:
    """Every event that was published is delivered, however often the server is killed while it delivers."""
    async with WebhookReceiver() as receiver, delivering() as server:
        await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["task.*"])
        for number in range(2):
            kill_at = len(receiver.requests) + 60

            async def kill(kill_at: int = kill_at) -> None:
                await receiver.wait_for(kill_at, 120)
                await server.kill()

            killing = asyncio.create_task(kill())
            published = asyncio.create_task(publish_until_killed(server, number))
            await killing
            await published
            await server.start()
            await server.login()
        await settled(server)
        listed = await server.cmd("GetEventListQuery", pageSize=1)
        delivered = await server.cmd("GetDeliveryListQuery", state="delivered", pageSize=1)
    assert delivered["totalCount"] == listed["totalCount"]
    assert len({r.headers["webhook-id"] for r in receiver.requests}) == listed["totalCount"]


async def publish_until_killed(server: ServerProcess, round_: int) -> None:
    """Publish events without a key until the server is gone."""

    async def go_on(publisher: int) -> None:
        for number in range(200):
            try:
                data = {"round": round_, "publisher": publisher, "n": number}
                await server.cmd("PublishEventCommand", event="task.created", data=data)
            except Exception:  # whatever the client meets when the server dies
                return

    await asyncio.gather(*(go_on(publisher) for publisher in range(PUBLISHERS)))


async def test_misbehaving_receivers_harm_no_other() -> None:
    """While one receiver hangs and others fail in their ways, a good one gets its events at once."""
    async with (
        WebhookReceiver() as good,
        WebhookReceiver() as hanging,
        WebhookReceiver() as failing,
        WebhookReceiver() as redirecting,
        delivering() as server,
    ):
        hanging.answer(*[PreparedAnswer(200, delay=30)] * 300)
        failing.answer(*[500] * 1000)
        elsewhere = {"Location": "http://169.254.169.254/latest/"}
        redirecting.answer(*[PreparedAnswer(302, headers=elsewhere)] * 1000)
        for receiver in (hanging, failing, redirecting, good):
            await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["task.*"], timeoutSeconds=5)
        await publish(server, 0, 200, orderingKey=None)
        await good.wait_for(200, 120)
        states = await server.cmd("GetSubscriptionListQuery", sortDirection="asc")
        _, failed, redirected, well = states["items"]
        assert [failed["breaker"], redirected["breaker"], well["breaker"]] == ["open", "open", "closed"]
        assert len(hanging.requests) <= 60
        assert len(failing.requests) < 100


async def test_notifications_of_providers_reach_a_subscriber_within_a_second() -> None:
    """What Mono and Remita tell is at a subscriber's within a second of the answer to them."""
    providers = {"BPM_MONO__WEBHOOK_SECRET": "m0no", "BPM_REMITA__ALLOWED_IPS": "127.0.0.1"}
    async with WebhookReceiver() as receiver, delivering(**providers) as server:
        await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["mono.*", "remita.*", "task.created"])
        await server.cmd("PublishEventCommand", event="task.created")
        await receiver.wait_for(1)
        connected: dict[str, Any] = {
            "event": "mono.events.account_connected",
            "event_id": "e1",
            "data": {"id": "acc_1", "customer": "c1", "meta": {}},
        }
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await server.hook("mono/callback", connected, MONO)).status == 200
        assert (await server.hook("remita", REMITA)).status == 200
        requests = await receiver.wait_for(3)
        assert {r.json()["type"] for r in requests[1:]} == {"mono.account_connected", "remita.payment_notified"}
        assert requests[-1].at - began < 1
