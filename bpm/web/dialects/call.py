"""One request to a REST interface, and the bus as its caller may use it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from bpm.bus import Bus, Envelope
from bpm.bus.messages import Message
from bpm.bus.paging import every_item
from bpm.edge.request import LARGEST_ID, Authenticator, Incoming
from bpm.errors import Invalid, NotFound
from bpm.security.permissions import Principal
from bpm.tracing import TRACEPARENT

_DIGITS = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what; `path` and `query` are the parameters of the address, `body` the JSON object sent."""

    bus: Bus
    accounts: Authenticator
    principal: Principal
    request: Incoming
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]

    async def send(self, name: str, /, **fields: Any) -> Any:
        """Send a message, with its fields as on the wire; return plain JSON values or raise what it ended with."""
        return await self.execute(self.decode(name, **fields))

    def decode(self, name: str, /, **fields: Any) -> Message[Any]:
        """Build a message; raises `Invalid` with every problem."""
        return self.bus.registry.decode(name, fields)

    async def execute(self, message: Message[Any]) -> Any:
        """Take a message through the bus, as `send` does."""
        envelope = Envelope(
            message,
            self.principal,
            self.request.request_id,
            address=self.request.address,
            traceparent=self.request.headers.get(TRACEPARENT, ""),
            work_id=self.request.work_id,
        )
        outcome = await self.bus.execute(envelope)
        return self.bus.registry.plain(message, outcome.unwrap())

    async def acting_for(self, organization_id: int) -> Self:
        """Return the call as made for an organisation; raises `Forbidden` and `NotFound`."""
        principal = await self.accounts.acting_for(self.principal, organization_id)
        return replace(self, principal=principal)

    async def everything(self, name: str, /, **fields: Any) -> list[Any]:
        """Return all items of a list, for interfaces that know no pages."""
        return await every_item(lambda page: self.send(name, **fields, **page))

    def row_id(self, name: str) -> int:
        """Return an id of the path; raises `NotFound` for what can be none."""
        return row_id(self.path[name])

    def number(self, name: str, default: int, most: int) -> int:
        """Return a number from the query, 1 to `most`; raises `Invalid`."""
        text = self.query.get(name)
        if text is None:
            return default
        if not _DIGITS.fullmatch(text) or int(text) > most:
            raise Invalid(f"{name}: must be a whole number from 1 to {most}")
        return int(text)


def row_id(text: str) -> int:
    """Read a row's number; raises `NotFound` for what can be none."""
    if not _DIGITS.fullmatch(text) or int(text) > LARGEST_ID:
        raise NotFound
    return int(text)
