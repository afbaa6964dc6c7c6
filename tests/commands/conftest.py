"""What tests of the command areas share: the product as it is composed, without its addresses and workers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bpm.accounts.tables import User
from bpm.app import Components, build_components
from bpm.bus import Bus, Envelope
from bpm.security.permissions import SYSTEM, Principal, permissions_of
from bpm.security.secrets import load_secret_key
from bpm.settings import Settings
from bpm.store import Database, utc_now
from bpm.store.organizations import Organization
from router.route_table import RouteTable
from scripts import Sandbox

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


@pytest.fixture
async def components(settings: Settings, sandbox: Sandbox, tables: None) -> AsyncIterator[Components]:
    """Everything behind the addresses, on a started database: jobs are kept and not run."""
    load_secret_key(settings)  # of the data folder, which has a database already
    components = build_components(settings, sandbox=sandbox)
    await components.foundation.database.start()
    await components.foundation.jobs.prepare()
    yield components
    await components.accounts.stop()
    await components.provider_client.close()
    await components.foundation.database.stop()


@pytest.fixture
def database(components: Components) -> Database:
    """The database of these parts."""
    return components.foundation.database


@pytest.fixture
def house(components: Components) -> House:
    """A sender of every message."""
    return House(components.bus, components.foundation.database, components.routing.routes)


def stranger(**changes: Any) -> Principal:
    """Return somebody of another organisation who may do everything there."""
    return replace(SYSTEM, id="user:9", name="stranger", organization_id=2, kind="user", **changes)
