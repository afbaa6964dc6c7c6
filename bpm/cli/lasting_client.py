"""The client of a command: it signs in again where its access token has ended, and knows what is no BPM Bus server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import httpx

from bpm.cli.terminal import say
from bpm.client import BusClient, Reply, ServerRefused
from bpm.terminal_text import in_one_line

UNAUTHENTICATED = 401
AWAY = (502, 503, 504)
"""What a proxy answers for a server that is away, and a server that is stopping or has only just begun."""
SECONDS = 1.0
"""How long to wait before a server that is away is asked again."""
SHOWN = 100
"""How much of an answer is shown that no BPM Bus server gives."""


class OtherServer(Exception):
    """What answers at an address is no BPM Bus server; the sentences say what it is and what to do."""

    def __init__(self, url: str, reply: Reply) -> None:
        """Say what was answered."""
        text = in_one_line(str(reply.body).strip())
        told = f"{text[:SHOWN]}…" if len(text) > SHOWN else text
        place = reply.headers.get("location")
        if place is not None:
            advice = f"it sends on to {in_one_line(place)}; name the server's own address with --url or BPM_URL"
        elif reply.status in AWAY:
            advice = "that is a proxy before it; look whether the server runs"
        else:
            advice = "name another with --url or BPM_URL"
        super().__init__(
            f"what answers at {url} is no BPM Bus server ({reply.status}: {told or 'an empty answer'})", advice
        )


class LastingClient(BusClient):
    """Speaks to one server for as long as a command takes."""

    is_patient = False
    """Whether to wait for a server that has answered before and is away; only for messages that can be repeated."""

    _credentials: tuple[str, str] | None = None
    _has_answered = False
    _has_told = False

    async def sign_in(self, username: str, password: str) -> None:
        """Fetch an access token, and another when it has ended; raises `ServerRefused` and `OtherServer`."""
        try:
            await super().sign_in(username, password)
        except ServerRefused as refusal:
            self._refuse_other(refusal.reply)
            raise
        self._credentials = username, password

    async def send(self, name: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
        """Send a message and return the answer; raises `OtherServer`."""
        reply = await self._patiently_sent(name, fields, headers)
        if reply.status == UNAUTHENTICATED and await self._is_signed_in_again():
            reply = await self._patiently_sent(name, fields, headers)
        self._refuse_other(reply)
        return reply

    async def listen(self, name: str, /, **fields: Any) -> AsyncIterator[Reply]:
        """Yield the answers to a query; a feed that ended, for whatever will pass, only ends."""
        try:
            async for reply in super().listen(name, **fields):
                yield reply
        except ServerRefused as refusal:
            self._refuse_other(refusal.reply)
            is_away = self.is_patient and refusal.reply.status in AWAY
            if is_away:
                await asyncio.sleep(SECONDS)
            elif refusal.reply.status != UNAUTHENTICATED or not await self._is_signed_in_again():
                raise

    async def _patiently_sent(self, name: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None) -> Reply:
        while True:
            try:
                reply = await super().send(name, fields, headers)
            except httpx.TransportError as error:
                if not self._waits:
                    raise
                self._tell(str(error) or type(error).__name__)
            else:
                if not (self._waits and reply.status in AWAY):
                    self._has_answered, self._has_told = True, False
                    return reply
                self._tell(str(reply.status))
            await asyncio.sleep(SECONDS)

    @property
    def _waits(self) -> bool:
        return self.is_patient and self._has_answered

    def _tell(self, reason: str) -> None:
        if not self._has_told:
            say(f"bpm: no server answers at {self.http.base_url} ({reason}); waiting", err=True)
            self._has_told = True

    async def _is_signed_in_again(self) -> bool:
        if self._credentials is None:
            return False
        try:
            await super().sign_in(*self._credentials)
        except (ServerRefused, httpx.TransportError):
            return False
        return True

    def _refuse_other(self, reply: Reply) -> None:
        body: Any = reply.body
        if not isinstance(body, dict) or "success" not in cast("dict[str, Any]", body):
            raise OtherServer(str(self.http.base_url), reply)
