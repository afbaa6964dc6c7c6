"""Sends messages by `$type` over the bus, as every address of the product does."""

from dataclasses import dataclass, replace
from typing import Any

from bpm.accounts.tables import User
from bpm.app import Components
from bpm.bus import Bus, Envelope, Message
from bpm.security.permissions import SYSTEM, Principal, permissions_of
from bpm.store import Database, utc_now
from bpm.store.organizations import Organization
from router.route_table import RouteTable

ADMIN = Principal("user", "user:1", "admin", 1, permissions_of(["admin"]))


def stranger(**changes: Any) -> Principal:
    """Return somebody of another organisation who may do everything there."""
    return replace(SYSTEM, id="user:9", name="stranger", organization_id=2, kind="user", **changes)


@dataclass
class MessageSender:
    """The parts of the product, and messages sent to them by `principal` where nobody else is named."""

    components: Components
    principal: Principal = ADMIN

    @property
    def bus(self) -> Bus:
        """Who handles the messages."""
        return self.components.bus

    @property
    def database(self) -> Database:
        """Where their effects are."""
        return self.components.foundation.database

    @property
    def routes(self) -> RouteTable:
        """The addresses of configurations."""
        return self.components.routing.routes

    def message(self, name: str, /, **fields: Any) -> Message[Any]:
        """Return a message that is not sent yet."""
        return self.bus.registry.decode(name, fields)

    async def result(self, name: str, principal: Principal | None = None, /, **fields: Any) -> Any:
        """Send a message and return its result as the handler made it."""
        return await self.bus.send(self.message(name, **fields), principal or self.principal)

    async def send(self, name: str, principal: Principal | None = None, /, **fields: Any) -> Any:
        """Send a message and return its result as plain JSON values."""
        return await self.send_fields(name, fields, principal)

    async def send_fields(self, name: str, fields: dict[str, Any], principal: Principal | None = None) -> Any:
        """Send a message whose fields may have any name."""
        message = self.bus.registry.decode(name, fields)
        return self.bus.registry.plain(message, await self.bus.send(message, principal or self.principal))

    async def attempt(self, name: str, fields: dict[str, Any], request_id: str) -> Any:
        """Send a message as a worker does, which sends it again with the same id when it fails."""
        message = self.bus.registry.decode(name, fields)
        outcome = await self.bus.execute(Envelope(message, self.principal, request_id))
        return self.bus.registry.plain(message, outcome.unwrap())

    async def add_organizations(self, *names: str) -> None:
        """Store organisations, numbered from 2 on."""
        rows = [Organization(id=2 + at, name=name, created_at=utc_now()) for at, name in enumerate(names)]
        await self.database.write(lambda tx: tx.session(None).add_all(rows))

    async def add_user(self, **fields: Any) -> None:
        """Store an account."""
        row = User(created_at=utc_now(), **fields).model_dump(exclude={"id"})
        await self.database.write(lambda tx: tx.append(User.table(), row))
