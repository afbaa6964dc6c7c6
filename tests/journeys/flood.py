"""A provider that posts many requests and repeats each, under its one id, until it is acknowledged."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bpm.testing import ServerClient, until

ENVIRONMENT = {
    "BPM_COMMAND_PACKAGES": "ledger",
    "PYTHONPATH": str(Path(__file__).parent),
    "BPM_LOG_LEVEL": "warning",
}

CALLERS = 32
PAUSE_SECONDS = 0.1


async def prepare(server: ServerClient) -> None:
    """Make the rule that enters each reference once."""
    await server.rule("ledger", commandName="EnterCommand", deduplication="body:reference")


class Flood:
    """Posts `count` references to servers in turn, and knows which were acknowledged."""

    def __init__(self, urls: Sequence[str], count: int) -> None:
        self._urls = itertools.cycle(urls)
        self._is_over = False
        self._callers: list[asyncio.Task[None]] = []
        numbers = itertools.takewhile(lambda _number: not self._is_over, range(count))
        self._references = iter(f"ref-{number}" for number in numbers)
        self._session: aiohttp.ClientSession | None = None
        self.count = count
        self.acknowledged: set[str] = set()
        self.refusals: dict[int, int] = {}
        self.lost_connections = 0

    @asynccontextmanager
    async def flowing(self) -> AsyncGenerator["Flood"]:
        """Post from many callers while the block does its mischief, and go on until everything is acknowledged."""
        connector = aiohttp.TCPConnector(limit=CALLERS)
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self._session:
            self._callers = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
            try:
                yield self
                await asyncio.gather(*self._callers)
            finally:
                for caller in self._callers:
                    caller.cancel()
                await asyncio.gather(*self._callers, return_exceptions=True)

    def go_to(self, url: str) -> None:
        """Post to this server alone from now on."""
        self._urls = itertools.cycle([url])

    async def end(self) -> None:
        """Begin no further reference, and wait until those that were begun are acknowledged."""
        self._is_over = True
        await asyncio.gather(*self._callers)

    async def reached(self, share: float) -> None:
        """Wait until this share of the references was acknowledged."""
        while len(self.acknowledged) < share * self.count:
            await asyncio.sleep(0.005)

    async def _call(self) -> None:
        for reference in self._references:
            while not await self._post(reference):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _post(self, reference: str) -> bool:
        assert self._session is not None
        body = json.dumps({"reference": reference, "padding": "x" * 900}).encode()
        headers = {"Content-Type": "application/json"}
        try:
            url = f"{next(self._urls)}/api/webhooks/ledger"
            async with self._session.post(url, data=body, headers=headers) as reply:
                await reply.read()
        except (aiohttp.ClientError, TimeoutError):
            self.lost_connections += 1
            return False
        if reply.status != 200:
            self.refusals[reply.status] = self.refusals.get(reply.status, 0) + 1
            return False
        self.acknowledged.add(reference)
        return True


async def everything_done(server: ServerClient, count: int, seconds: float = 60) -> None:
    """Wait until every request was executed, and see that each had its effect exactly once.

    However slow the machine is, some are done within so many `seconds`.
    """

    async def unfinished() -> int:
        return await server.count_requests("pending", "running", "failed")

    while left := await unfinished():
        await until(unfinished, lambda now, before=left: now < before, seconds=seconds, pause=0.2)
    ledger = await server.cmd("GetLedgerQuery")
    assert ledger == {"entries": count, "references": count, "repeated": []}
    assert await server.count_requests("done") == count
    assert await server.count_requests("dead", "rejected", "quarantined") == 0
