"""A bus with the payment commands on a real database, and doubles of Mono's and Remita's APIs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.app.app import provider_events
from bpm.app.settings import load_settings
from bpm.bus import Bus, Message, Registry
from bpm.clock import system_clock
from bpm.events.catalogue import EventCatalogue
from bpm.events.outbound import Outbound
from bpm.jobs import Lanes
from bpm.jobs.opening import open_jobs
from bpm.security.permissions import Principal, permissions_of
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.store import Database, open_database
from router.providers import Call, confirmations, discover
from router.providers.client import ProviderClient
from scripts import Sandbox
from tests.payloads import payload

MONO = Principal("provider", "provider:mono", "mono", 1, frozenset({"payments:write", "events:write"}))
REMITA = Principal("provider", "provider:remita", "remita", 1, frozenset({"payments:write", "events:write"}))
OPERATOR = Principal("user", "u1", "operator", 1, permissions_of(["operator"]))
VIEWER = Principal("user", "u2", "viewer", 1, permissions_of(["viewer"]))
STRANGER = Principal("user", "u3", "stranger", 1, frozenset())
TIMEOUT_SECONDS = 2.0


class Office:
    """The commands, as a client and as the worker send them."""

    def __init__(self, bus: Bus, database: Database, settings: Settings) -> None:
        self.bus = bus
        self.database = database
        self._routes = [route for provider in discover(settings) for route in provider.routes]

    async def send(self, name: str, principal: Principal = OPERATOR, **fields: Any) -> Any:
        return await self.bus.send(self.message(name, **fields), principal)

    def message(self, name: str, **fields: Any) -> Message[Any]:
        return self.bus.registry.decode(name, fields)

    async def receive(self, path: str, body: bytes) -> Any:
        """Send what a provider's request becomes."""
        route = next(r for r in self._routes if (r.method, r.path) == ("POST", path))
        reception = route.read(Call("POST", {}, {}, body, "127.0.0.1"))
        principal = MONO if path.startswith("mono") else REMITA
        return await self.send(reception.message_type, principal, **reception.fields)

    async def recorded(self, path: str, name: str) -> Any:
        """Receive a recorded payload."""
        return await self.receive(path, payload(name))

    async def listed(self, name: str, **fields: Any) -> list[Any]:
        """Return the first page of a list query, as plain JSON values."""
        message = self.message(name, pageSize=200, sortDirection="asc", **fields)
        page = self.bus.registry.plain(message, await self.bus.send(message, VIEWER))
        assert page["totalCount"] == len(page["items"])
        return page["items"]

    async def events(self, name: str = "*") -> list[Any]:
        """Return the data of published events."""
        wanted = {} if name == "*" else {"event": name}
        return [event["data"] for event in await self.listed("GetEventListQuery", **wanted)]


@pytest.fixture
def settings(tmp_path: Path, httpserver: HTTPServer) -> Settings:
    base_url = httpserver.url_for("")
    return load_settings(
        data_dir=tmp_path,
        mono={"webhook_secret": "s", "secret_key": "test_sk", "base_url": base_url},
        remita={"header_secret": "s", "merchant_id": "2547916", "api_key": "1946", "base_url": base_url},
    )


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[Office]:
    """Everything but the worker: jobs are kept and not run."""
    database = open_database(settings)
    client = ProviderClient(TIMEOUT_SECONDS)
    registry = Registry()
    for module in ("commands.payments", "commands.events"):
        registry.discover(module)
    await database.start()
    jobs = open_jobs(database, settings, system_clock)
    await jobs.prepare()
    box = SecretBox(b"k" * 32)
    bus = Bus(registry, database, jobs, box)
    outbound = Outbound(bus, jobs, Lanes(jobs, system_clock), box, Sandbox(), settings)
    apis = confirmations(settings, client)
    registry.bind(*outbound.services, EventCatalogue(provider_events()), *apis, registry, settings)
    yield Office(bus, database, settings)
    await client.close()
    await database.stop()
