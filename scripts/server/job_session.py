"""One job with one child, from the server's side: every limit is enforced here a second time."""

import asyncio
import time
from typing import Any

from scripts.server.child_timeouts import ChildTimeouts
from scripts.server.messages import rooms, understood
from scripts.server.remote_child import Child, ChildGoneError
from scripts.server.slots import SlotQueue
from scripts.shared.frames import MalformedFrameError, pack
from scripts.shared.limits import KIB, Limits
from scripts.shared.outcome import CommandRefused, SandboxBusy, Senders, Waiting
from scripts.shared.values import incoming

INLINE_BYTES = 8 * KIB
"""A longer message is understood in a thread: the server goes on meanwhile."""

PATIENCE = 10
"""A child that says so many times more than its limits let it say is no script of ours any more."""

CANCEL_SECONDS = 1.0
"""How long a cancelled command may take to clean up before the run ends without it."""


class ComputeSlot:
    """A place among the scripts that may compute at once; given back while a script waits for an answer.

    Without that, scripts whose commands start other scripts could wait for one another for ever.
    """

    def __init__(self, places: SlotQueue, owner: str, rule: str, seconds: float, waiting: Waiting) -> None:
        self._places = places
        self._owner = owner
        self._rule = rule
        self._seconds = seconds
        self._waiting = waiting
        self._held_since: float | None = None

    async def take(self, *, goes_on: bool = False) -> None:
        """Wait for a place; raises SandboxBusy when none has come in time."""
        try:
            with self._waiting():
                async with asyncio.timeout(self._seconds):
                    await self._places.take(self._owner, self._rule, goes_on=goes_on)
        except TimeoutError:
            raise SandboxBusy(
                f"The script waited {self._seconds:g} s for its turn, and others are still computing: "
                "try again later (wait_seconds)."
            ) from None
        self._held_since = time.monotonic()

    def give(self) -> None:
        """Give the place back, if it is held."""
        if self._held_since is not None:
            self._places.give(self._owner, self._rule, time.monotonic() - self._held_since)
            self._held_since = None


class JobSession:
    """What was said in one run: log lines, commands, and at last a result or a failure."""

    def __init__(
        self, child: Child, limits: Limits, senders: Senders, turn: ComputeSlot, kinds: frozenset[str]
    ) -> None:
        self.logs: list[str] = []
        self.sends = 0
        self.cpu_seconds = 0.0
        self._child = child
        self._limits = limits
        self._senders = senders
        self._turn = turn
        self._log_room = limits.log_bytes
        self._sent_room = limits.sent_bytes
        self._rooms = rooms(kinds, limits)
        self._bytes_left = (limits.sends + 1) * max(self._rooms.values()) + PATIENCE * limits.log_bytes

    async def hold(self, job: bytes) -> dict[str, Any] | None:
        """Hand over a job and return the child's last message, None when it ended without one.

        Whatever the `send` callback raises besides CommandRefused ends the conversation and is raised here.
        """
        await self._child.begun()
        clocks = ChildTimeouts(self._child, self._limits)
        try:
            await self._child.write(job)
            return await self._listen(clocks)
        except ChildGoneError:
            return None
        except MalformedFrameError:
            self._child.stop("protocol")
            return None
        finally:
            self.cpu_seconds = clocks.cpu_used
            clocks.stop()

    async def _listen(self, clocks: ChildTimeouts) -> dict[str, Any]:
        for _ in range(PATIENCE * (self._limits.log_lines + self._limits.sends + 1)):
            message = await self._next()
            if message["t"] == "log":
                self._log(message["text"])
                await asyncio.sleep(0)  # what is there already is read at once: let the clocks look meanwhile
            elif message["t"] == "send":
                await self._answer(message, clocks)
            else:
                return message
        raise MalformedFrameError("more messages than any script may send")

    async def _next(self) -> dict[str, Any]:
        """Wait for a message and look at every part of it, without keeping others waiting."""
        kind, body = await self._child.read(self._rooms)
        self._bytes_left -= len(body)
        self._sent_room -= len(body) if kind == "send" else 0
        if self._bytes_left < 0:
            raise MalformedFrameError("more bytes than any script may send")
        if len(body) <= INLINE_BYTES:
            message = understood(kind, body, self._limits)
        else:
            message = await asyncio.to_thread(understood, kind, body, self._limits)
        if message.get("peak", 0) * KIB > self._child.memory_bytes:
            raise MalformedFrameError("more memory than the process could have had")
        return message

    def _log(self, text: str) -> None:
        line = text.encode()[: self._log_room].decode("utf-8", "ignore")
        if len(self.logs) < self._limits.log_lines and self._log_room > 0:
            self.logs.append(line)
            self._log_room -= len(line.encode())

    async def _answer(self, message: dict[str, Any], clocks: ChildTimeouts) -> None:
        answer: dict[str, Any]
        self._turn.give()
        clocks.wait_for_answer()
        try:
            answer = {"t": "answer", "data": await self._forward(message)}
        except CommandRefused as refusal:
            answer = {"t": "refused", "code": refusal.code, "message": str(refusal), "errors": refusal.errors}
        frame = pack(answer, unicode_errors="surrogatepass", convert=incoming)
        clocks.pause()
        await self._turn.take(goes_on=True)
        clocks.resume()
        await self._child.write(frame)

    async def _forward(self, message: dict[str, Any]) -> Any:
        """Send a command, unless the child goes first: then nobody waits for the answer any more."""
        send = self._senders.at_end if message.get("at_end") else self._senders.at_once
        if send is None:
            raise CommandRefused("not_available", "This script may not send commands.")
        if self.sends >= self._limits.sends:
            raise CommandRefused("too_many", f"A run may send at most {self._limits.sends} commands (limit sends).")
        if self._sent_room < 0:
            words = f"A run may send at most {self._limits.sent_bytes // KIB} KiB of fields (limit sent_bytes)."
            raise CommandRefused("too_many", words)
        self.sends += 1
        sending = asyncio.ensure_future(send(message["command"], message["args"]))
        try:
            await asyncio.wait((sending, self._child.ended), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise ChildGoneError
            return sending.result()
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait((sending,), timeout=CANCEL_SECONDS)
