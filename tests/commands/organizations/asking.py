"""Asking a server as somebody of an organisation, and expecting a refusal."""

from typing import Any

import httpx

from bpm.client import BusClient, Reply
from tests.contracts.tenants import PASSWORD, PUBLISH

HOOK = {"description": "d", "isEnabled": True, "action": "POST", "executionType": 0, **PUBLISH}


async def refused(who: BusClient, status: int, name: str, /, **fields: Any) -> str:
    """Send what must be refused, and return its first sentence."""
    reply = await who.send(name, fields)
    assert reply.status == status, reply.body
    return reply.errors[0]


async def acting(who: BusClient, number: object, name: str, /, **fields: Any) -> Reply:
    """Send a message for an organisation."""
    return await who.send(name, fields, {"X-Organization-Id": str(number)})


async def user(who: BusClient, http: httpx.AsyncClient, username: str, **fields: Any) -> BusClient:
    """Create a user who signs in."""
    await who.cmd("CreateUserCommand", username=username, password=PASSWORD, **fields)
    made = BusClient(http)
    await made.sign_in(username, PASSWORD)
    return made


async def count(who: BusClient, name: str, **filters: Any) -> int:
    """Return how many items a list has."""
    return (await who.cmd(name, **filters))["totalCount"]
