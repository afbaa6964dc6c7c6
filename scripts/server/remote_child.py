"""A locked child as the server holds it: its socket, its clock, and how it ended."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from scripts.shared.frames import HEADER, KIND_BYTES, MalformedFrameError, kind_of

STOP_SECONDS = 0.25
"""How long a child may take to write its last words before it is killed outright."""
LINGER_SECONDS = 1.0
"""How long a child may live on after its last message."""
BURY_SECONDS = 5.0
"""How long the zygote may take to carry out an order before it is taken for stuck and replaced."""

READ_BYTES = 256 * 1024


class Exit(NamedTuple):
    """How a child ended: wait status, CPU seconds, peak memory in bytes, and its last words."""

    status: int
    cpu_seconds: float
    peak_bytes: int
    trace: str
    lost: bool = False
    """The zygote died, and the child with it."""


class ChildGoneError(Exception):
    """The child closed its socket: it ended, or was ended."""


class Child:
    """One locked process, talked to over a socket of its own."""

    def __init__(
        self,
        number: int,
        connection: socket.socket,
        *,
        reused: bool,
        memory_bytes: int,
        signal_it: Callable[["Child", int], None],
        give_up: Callable[[], None],
    ) -> None:
        self.number = number
        self.reused = reused
        self.memory_bytes = memory_bytes
        """The most memory its address space has room for."""
        self.pid: int | None = None
        self.born = time.monotonic()
        self.runs = 0
        self.stopped_for: str | None = None
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Exit] = loop.create_future()
        self._forked: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._signal_it = signal_it
        self._give_up = give_up
        self._connection = connection
        self._buffer = bytearray()

    def begin(self, pid: int) -> None:
        """Take the number of the process that was forked."""
        self.pid = pid
        self._forked.set_result(None)

    async def begun(self) -> None:
        """Wait until the process is there, or will never be."""
        await asyncio.wait((self._forked, self.ended), return_when=asyncio.FIRST_COMPLETED)

    async def write(self, frame: bytes) -> None:
        """Send one frame; raises ChildGoneError."""
        try:
            await self._loop.sock_sendall(self._connection, frame)
        except OSError:
            raise ChildGoneError from None

    async def read(self, rooms: Mapping[str, int]) -> tuple[str, bytes]:
        """Wait for the next message and return its kind and its body, which nobody has looked at.

        `rooms` holds the kinds that are expected now, each with the bytes it may take: what is announced to be longer
        is not even read. Raises ChildGoneError and MalformedFrameError.
        """
        await self._fill(HEADER.size)
        (size,) = HEADER.unpack_from(self._buffer)
        if size > max(rooms.values()):
            raise MalformedFrameError(f"a message of {size} bytes")
        await self._fill(HEADER.size + min(size, KIND_BYTES))
        kind = kind_of(self._buffer[HEADER.size : HEADER.size + KIND_BYTES])
        if size > rooms.get(kind, 0):
            raise MalformedFrameError(f"a message of kind {kind or 'unknown'} and {size} bytes")
        await self._fill(HEADER.size + size)
        body = bytes(self._buffer[HEADER.size : HEADER.size + size])
        del self._buffer[: HEADER.size + size]
        return kind, body

    def is_silent(self) -> bool:
        """Tell whether the child has said nothing that is not read yet, and is still there."""
        if self._buffer or self.ended.done():
            return False
        try:
            self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def cpu_seconds(self) -> float:
        """Return the CPU time the process has used, read from its clock; 0 where that cannot be read."""
        if self.pid is None or self.ended.done():
            return 0.0
        try:
            # The clock id of another process, as clock_getcpuclockid(3) computes it.
            return time.clock_gettime((~self.pid << 3) | 2)
        except OSError:
            return 0.0

    def stop(self, reason: str) -> None:
        """End the process for a reason, letting it write where it was first."""
        if self.stopped_for is not None or self.ended.done():
            return
        self.stopped_for = reason
        self._signal_it(self, signal.SIGUSR1)
        self._loop.call_later(STOP_SECONDS, self.kill)

    def kill(self) -> None:
        """End the process at once."""
        if not self.ended.done():
            self._signal_it(self, signal.SIGKILL)
            self._loop.call_later(BURY_SECONDS, self._insist)

    async def end(self) -> Exit:
        """Close the socket, see that the process ends, and return how it did."""
        self._connection.close()
        guard = self._loop.call_later(LINGER_SECONDS, self.kill)
        try:
            return await asyncio.shield(self.ended)
        finally:
            guard.cancel()

    def leave(self) -> None:
        """Close the socket and see that the process ends, without waiting for it."""
        self._connection.close()
        self._loop.call_later(LINGER_SECONDS, self.kill)

    async def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            try:
                data = await self._loop.sock_recv(self._connection, READ_BYTES)
            except OSError:
                data = b""
            if not data:
                raise ChildGoneError
            self._buffer += data

    def _insist(self) -> None:
        if not self.ended.done():
            self._give_up()
