"""What tests of the command areas share: the bus with the areas of webhooks, on a real database and sandbox."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

import commands.code
import commands.deliveries
import commands.events.documents
import commands.events.event_types
import commands.events.events
import commands.inbound.counts
import commands.inbound.failures
import commands.inbound.requests
import commands.subscriptions
import commands.system.catalogue
import commands.system.ping
import commands.system.status
import commands.traces
import commands.webhooks.chains
import commands.webhooks.configs
from bpm.accounts.tables import User
from bpm.app.app import provider_events
from bpm.bus import Bus, Envelope, Registry
from bpm.clock import system_clock
from bpm.events.catalogue import EventCatalogue
from bpm.events.outbound import Outbound
from bpm.jobs import Lanes
from bpm.jobs.opening import open_jobs
from bpm.security.permissions import SYSTEM, Principal, permissions_of
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.store import Database, Transaction, utc_now
from bpm.store.organizations import Organization
from router.quota import Quota
from router.route_table import RouteTable
from router.rule import RuleCompiler
from router.signatures import NO_SOURCES
from scripts import Sandbox

AREAS = (
    commands.webhooks.chains,
    commands.code,
    commands.deliveries,
    commands.events.documents,
    commands.events.event_types,
    commands.events.events,
    commands.inbound.counts,
    commands.inbound.failures,
    commands.inbound.requests,
    commands.subscriptions,
    commands.system.catalogue,
    commands.system.ping,
    commands.system.status,
    commands.traces,
    commands.webhooks.configs,
)
ADMIN = Principal("user", "user:1", "admin", 1, permissions_of(["admin"]))


@dataclass
class House:
    """The parts, and a way to send by `$type`."""

    bus: Bus
    database: Database
    routes: RouteTable

    async def send(self, name: str, principal: Principal = ADMIN, **fields: Any) -> Any:
        """Send a message and return its result as plain JSON values."""
        return await self.send_fields(name, fields, principal)

    async def send_fields(self, name: str, fields: dict[str, Any], principal: Principal = ADMIN) -> Any:
        """Send a message whose fields may have any name."""
        message = self.bus.registry.decode(name, fields)
        return self.bus.registry.plain(message, await self.bus.send(message, principal))

    async def attempt(self, name: str, fields: dict[str, Any], request_id: str) -> Any:
        """Send a message as a worker does, which sends it again with the same id when it fails."""
        message = self.bus.registry.decode(name, fields)
        outcome = await self.bus.execute(Envelope(message, ADMIN, request_id))
        return self.bus.registry.plain(message, outcome.unwrap())

    async def found(self, *names: str) -> None:
        """Store organisations, numbered from 2 on."""
        rows = [Organization(id=2 + at, name=name, created_at=utc_now()) for at, name in enumerate(names)]
        await self.database.write(lambda tx: tx.session(None).add_all(rows))

    async def add_user(self, **fields: Any) -> None:
        """Store an account."""
        row = User(created_at=utc_now(), **fields).model_dump(exclude={"id"})
        await self.database.write(lambda tx: tx.append(User.table(), row))


@pytest.fixture(scope="session")
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:
    """A started sandbox."""
    async with Sandbox() as sandbox:
        yield sandbox


class NoStatus:
    """Nobody asks how the house is doing."""

    def report(self, tx: Transaction) -> dict[str, Any]:
        raise NotImplementedError


@pytest.fixture
async def house(database: Database, settings: Settings, sandbox: Sandbox) -> House:
    """Everything that the areas of webhooks lean on."""
    registry = Registry()
    for area in AREAS:
        registry.discover(area.__name__)
    box = SecretBox(b"k" * 32)
    routes = RouteTable(database, RuleCompiler(registry, box, settings))
    jobs = open_jobs(database, settings, system_clock)
    bus = Bus(registry, database, jobs, box)
    outbound = Outbound(bus, jobs, Lanes(jobs, system_clock), box, sandbox, settings)
    registry.bind(
        *outbound.services,
        EventCatalogue(provider_events()),
        registry,
        routes,
        sandbox,
        box,
        settings,
        NoStatus(),
        Quota(settings.quarantine),
        NO_SOURCES,
    )
    return House(bus, database, routes)


def stranger(**changes: Any) -> Principal:
    """Return somebody of another organisation who may do everything there."""
    return replace(SYSTEM, id="user:9", name="stranger", organization_id=2, kind="user", **changes)
