"""A webhook's life, walked through with an HTTP client as a person would with curl."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bpm.client import BusClient
from bpm.testing import ServerProcess
from tests.journeys.orders import ENVIRONMENT, order, placed

pytestmark = pytest.mark.anyio

SECRET = "a-secret-between-two"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server that takes orders."""
    async with ServerProcess(**ENVIRONMENT) as server:
        yield server


def signed(body: bytes, secret: str = SECRET, **headers: str) -> dict[str, str]:
    """Sign as GitHub does."""
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), **headers}


async def kept(server: ServerProcess, request_id: str) -> dict[str, Any]:
    """Return a stored request."""
    return await server.cmd("GetInboundRequestByIdQuery", requestId=request_id)


async def test_a_rule_judges_every_request_and_says_why(server: ServerProcess) -> None:
    """Right, wrong and missing signatures, a foreign address and a repeated id: each has its answer and cause."""
    rule = await server.rule(
        "life",
        commandName="PlaceOrderCommand",
        allowableIPs="127.0.0.1",
        signature={"scheme": "github", "secret": SECRET},
    )
    body = json.dumps(order("life-1")).encode()
    delivery = {"x-github-delivery": "d-1"}
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(base_url=server.url, transport=elsewhere) as http:
        foreign = await BusClient(http).request("POST", "/api/webhooks/life", body, signed(body))
    replies = [
        await server.hook("life", body, signed(body, **delivery)),
        await server.hook("life", body, signed(body, **delivery)),
        await server.hook("life", body, signed(body, "guessed")),
        await server.hook("life", body),
        await server.request("GET", "/api/webhooks/life"),
        foreign,
    ]
    await server.settled()
    assert [reply.status for reply in replies] == [200, 200, 401, 401, 405, 403]
    states = [await kept(server, reply.headers["x-request-id"]) for reply in replies]
    assert [(one["state"], one["verdict"]) for one in states] == [
        ("done", "passed"),
        ("duplicate", "duplicate"),
        ("rejected", "signature"),
        ("rejected", "signature"),
        ("rejected", "method"),
        ("rejected", "address"),
    ]
    assert replies[0].body == replies[1].body
    assert (await placed(server)).count("life-1") == 1
    listed = await server.requests(configId=rule["id"], verdict="signature")
    assert {one["requestId"] for one in listed} == {reply.headers["x-request-id"] for reply in replies[2:4]}


async def test_a_deactivated_rule_keeps_what_comes(server: ServerProcess) -> None:
    """Switched off it answers 404 and keeps the request as disabled; switched on it answers again."""
    rule = await server.rule("sleeper", commandName="PlaceOrderCommand")
    await server.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    refused = await server.hook("sleeper", order("sleeper-1"))
    assert refused.status == 404
    stored = await kept(server, refused.headers["x-request-id"])
    assert (stored["state"], stored["verdict"]) == ("quarantined", "disabled")
    await server.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    assert (await server.hook("sleeper", order("sleeper-2"))).status == 200
    await server.settled()
    assert [reference for reference in await placed(server) if reference.startswith("sleeper")] == ["sleeper-2"]


async def test_a_key_is_given_once(server: ServerProcess) -> None:
    """Of twenty clients that create the same key at the same moment one wins and nineteen get 409."""
    fields = {
        "key": "contested",
        "description": "d",
        "isEnabled": True,
        "path": "contested",
        "action": "POST",
        "executionType": 0,
        "commandName": "PingQuery",
    }

    async def create() -> int:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            return (await BusClient(http, server.token).send("CreateWebHookConfigCommand", fields)).status

    statuses = await asyncio.gather(*(create() for _ in range(20)))
    assert sorted(statuses) == [200] + [409] * 19
    assert (await server.cmd("LookupWebHookByKeyCommand", key="contested"))["path"] == "contested"


async def test_a_deleted_key_is_free_again(server: ServerProcess) -> None:
    """The same key and path can be created anew, and the old requests stay readable."""
    rule = await server.rule("phoenix", commandName="PlaceOrderCommand")
    reply = await server.hook("phoenix", order("phoenix-1"))
    await server.settled()
    await server.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    assert (await server.hook("phoenix", order("phoenix-2"))).status == 404
    assert (await kept(server, reply.headers["x-request-id"]))["state"] == "done"
    again = await server.rule("phoenix", commandName="PlaceOrderCommand")
    assert again["id"] != rule["id"]
    assert (await server.hook("phoenix", order("phoenix-3"))).status == 200


async def test_deactivating_in_mid_flight_loses_nothing(server: ServerProcess) -> None:
    """Every answer is 200 or 404, none is 200 after the command was answered, and all acknowledged are executed."""
    rule = await server.rule("flight", commandName="PlaceOrderCommand")
    references = iter([f"flight-{number}" for number in range(400)])
    answers: dict[str, int] = {}
    sent_after: set[str] = set()
    off = asyncio.Event()

    async def call() -> None:
        for reference in references:
            if off.is_set():
                sent_after.add(reference)
            answers[reference] = (await server.hook("flight", order(reference))).status

    async def switch_off() -> None:
        while len(answers) < 100:
            await asyncio.sleep(0.001)
        await server.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
        off.set()

    await asyncio.gather(switch_off(), *(call() for _ in range(16)))
    await server.settled()
    assert set(answers.values()) == {200, 404}
    assert sent_after
    assert {answers[reference] for reference in sent_after} == {404}
    accepted = sorted(reference for reference, status in answers.items() if status == 200)
    assert sorted(reference for reference in await placed(server) if reference.startswith("flight")) == accepted
