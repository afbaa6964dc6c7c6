"""What tests of the router share: one running application, and one behind a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bpm import testing
from bpm.client import Reply
from bpm.testing import RunningApp, ServerClient, ServerProcess, running_app
from bpm.testing.client import OPEN_STATES
from router.tables.requests import INBOUND

PROBES = "tests.router.probes"
TRUSTED = "10.9.0.0/16"
"""The proxies that the running application believes."""


@pytest.fixture(scope="session")
async def app(anyio_backend: str) -> AsyncIterator[RunningApp]:
    """The whole application with the probes; each test has rules of its own."""
    async with running_app(command_packages=(PROBES,), trusted_proxies=TRUSTED) as running:
        yield running


@pytest.fixture
async def hurried_app() -> AsyncIterator[RunningApp]:
    """An application that lets nobody wait for long."""
    async with running_app(command_packages=(PROBES,), sync_limit_seconds=0.3) as running:
        yield running


@pytest.fixture(scope="session")
async def server(anyio_backend: str) -> AsyncIterator[ServerProcess]:
    """A server process behind a real socket."""
    root = str(Path(__file__).parents[2])
    fixed = {"BPM_MONO__WEBHOOK_SECRET": "mono-canary", "BPM_REMITA__ALLOWED_IPS": "127.0.0.1"}
    async with ServerProcess(BPM_COMMAND_PACKAGES=PROBES, PYTHONPATH=root, **fixed) as running:
        yield running


async def noting(app: ServerClient, key: str, **fields: Any) -> dict[str, Any]:
    """Create a rule that leaves an event named as its key."""
    return await app.rule(key, **{"commandName": "NoteCommand", "parameters": {"event": key}, **fields})


async def runs(app: ServerClient, event: str) -> int:
    """Return how many executions left their event."""
    return (await app.cmd("GetEventListQuery", event=event, pageSize=1))["totalCount"]


async def stored(app: ServerClient, key: str) -> list[dict[str, Any]]:
    """Return what is stored of a rule's requests, the first one first."""
    return (await app.requests(configKey=key))[::-1]


async def until(app: ServerClient, key: str, *states: str, seconds: float = 30) -> list[dict[str, Any]]:
    """Wait until the rule's requests are in these states, one each, and return them."""
    wanted = sorted(states)
    return await testing.until(
        lambda: stored(app, key), lambda found: sorted(each["state"] for each in found) == wanted, seconds=seconds
    )


async def settled(app: ServerClient, key: str) -> None:
    """Wait until none of the rule's requests waits for a worker; what other tests have left may wait on."""
    await testing.until(
        lambda: stored(app, key), lambda found: not any(each["state"] in OPEN_STATES for each in found), seconds=30
    )


async def rows(app: RunningApp, **wanted: Any) -> list[Any]:
    """Return the rows of stored requests whose columns have these values, the first one first."""
    statement = INBOUND.select().filter_by(**wanted).order_by(INBOUND.c.received_at, INBOUND.c.request_id)
    return list(await app.app.database.read(lambda tx: tx.connection.execute(statement).all()))


async def send_from(app: RunningApp, peer: str, path: str, headers: Any = None, **more: Any) -> Reply:
    """Send a request to a webhook as if its connection came from `peer`."""
    transport = httpx.ASGITransport(app=app.app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm.test") as http:
        answer = await http.request(more.pop("method", "POST"), f"/api/webhooks/{path}", headers=headers, **more)
    is_json = bool(answer.content) and "json" in answer.headers.get("content-type", "")
    body = answer.json() if is_json else answer.text
    return Reply(answer.status_code, body, answer.headers)
