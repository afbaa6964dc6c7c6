"""The client of a server that was started for a test, wherever it runs."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from bpm.bus.paging import every_item
from bpm.client import BusClient, Reply

ADMINISTRATOR = "admin"
PASSWORD = "Correct-horse-battery-9"  # noqa: S105 of servers that live for one test

TOKEN_SECONDS = 6 * 3600
"""How long the administrator stays signed in: longer than any run of the tests."""

OPEN_STATES = ("pending", "running")


class ServerClient(BusClient):
    """A client of a server that was started for a test, signed in as its administrator after `login`."""

    async def login(self) -> None:
        """Sign in as the administrator."""
        await self.sign_in(ADMINISTRATOR, PASSWORD)

    async def rule(self, key: str, **fields: Any) -> dict[str, Any]:
        """Create an active rule that answers POST at `/api/webhooks/<key>`; `fields` say what it does."""
        usual = {"description": key, "isEnabled": True, "path": key, "action": "POST", "executionType": 0}
        return await self.cmd("CreateWebHookConfigCommand", **{"key": key, **usual, **fields})

    async def hook(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Post to a webhook's path."""
        return await self.request("POST", f"/api/webhooks/{path}", body, headers)

    async def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """Return every stored inbound request that passes the filters, the newest first."""
        return await every_item(lambda page: self.cmd("GetInboundRequestListQuery", **filters, **page))

    async def settled(self, seconds: float = 30) -> None:
        """Wait until no stored request waits for a worker; raises `TimeoutError`."""
        deadline = time.monotonic() + seconds
        while waiting := await self.count_requests(*OPEN_STATES):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{waiting} requests still wait after {seconds:g} s")
            await asyncio.sleep(0.05)

    async def count_requests(self, *states: str) -> int:
        """Return how many stored requests are in one of the states."""
        pages = [await self.cmd("GetInboundRequestListQuery", state=state, pageSize=1) for state in states]
        return sum(page["totalCount"] for page in pages)
