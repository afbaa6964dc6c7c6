"""The server's handles on the zygote and its children: sockets, orders, and how each ended."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.frames import HEADER, MalformedFrameError, pack, unpack
from scripts.limits import Limits
from scripts.outcome import SandboxUnavailable

START_SECONDS = 15.0
STOP_SECONDS = 0.25
"""How long a child may take to write its last words before it is killed outright."""
LINGER_SECONDS = 1.0
"""How long a child may live on after its last message."""
BURY_SECONDS = 5.0
"""How long the zygote may take to carry out an order before it is taken for stuck and replaced."""

CONTROL_BYTES = 64 * 1024
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

    def __init__(self, number: int, zygote: "Zygote", connection: socket.socket, reused: bool) -> None:
        self.number = number
        self.reused = reused
        self.pid: int | None = None
        self.born = time.monotonic()
        self.runs = 0
        self.stopped_for: str | None = None
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Exit] = loop.create_future()
        self._loop = loop
        self._zygote = zygote
        self._connection = connection
        self._buffer = bytearray()

    async def write(self, frame: bytes) -> None:
        """Send one frame; raises ChildGoneError."""
        try:
            await self._loop.sock_sendall(self._connection, frame)
        except OSError:
            raise ChildGoneError from None

    async def read(self, most: int) -> dict[str, Any]:
        """Wait for the next message; raises ChildGoneError, and MalformedFrameError beyond `most` bytes."""
        await self._fill(HEADER.size)
        (size,) = HEADER.unpack_from(self._buffer)
        if size > most:
            raise MalformedFrameError(f"a frame of {size} bytes where at most {most} are allowed")
        await self._fill(HEADER.size + size)
        body = bytes(self._buffer[HEADER.size : HEADER.size + size])
        del self._buffer[: HEADER.size + size]
        return unpack(body)

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
        self._zygote.signal(self, signal.SIGUSR1)
        self._loop.call_later(STOP_SECONDS, self.kill)

    def kill(self) -> None:
        """End the process at once."""
        if not self.ended.done():
            self._zygote.signal(self, signal.SIGKILL)
            self._loop.call_later(BURY_SECONDS, self._give_up)

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

    def close(self) -> None:
        """Close the socket; an idle child ends by itself when it sees that."""
        self._connection.close()

    async def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            try:
                data = await self._loop.sock_recv(self._connection, READ_BYTES)
            except OSError:
                data = b""
            if not data:
                raise ChildGoneError
            self._buffer += data

    def _give_up(self) -> None:
        if not self.ended.done():
            self._zygote.abandon()


class Zygote:
    """The process that forks children. Lost for good once its control socket closes."""

    def __init__(self, entry: str) -> None:
        self.lost = False
        self.locks: dict[str, bool | str] = {}
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._children: dict[int, Child] = {}
        self._buffer = bytearray()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            self._process = _spawn(entry, theirs.fileno())
        self._loop.add_reader(self._control, self._readable)

    async def started(self) -> None:
        """Wait until the zygote is locked and ready; raises SandboxUnavailable."""
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), START_SECONDS)
        except (TimeoutError, ChildGoneError):
            message = await self.close()
            raise SandboxUnavailable(f"The script sandbox did not start. {message}".strip()) from None

    def fork(self, limits: Limits, *, reused: bool) -> Child:
        """Order a child and return its handle at once; with the zygote lost, the child is lost too."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        child = Child(next(self._numbers), self, ours, reused)
        order = {
            "t": "fork",
            "id": child.number,
            "cpu": limits.cpu_seconds * (limits.reuse_runs if reused else 1),
            "memory": limits.memory_bytes,
            "reused": reused,
        }
        self._children[child.number] = child
        with theirs:
            self._order(order, theirs.fileno())
        if self.lost:
            self._bury_all()
        else:
            self._loop.call_later(BURY_SECONDS, self._expect, child)
        return child

    def signal(self, child: Child, number: int) -> None:
        """Order a signal for a child; the zygote knows who is still alive."""
        self._order({"t": "signal", "id": child.number, "signal": int(number)})

    def abandon(self) -> None:
        """Kill a zygote that no longer answers; its children die with it."""
        self._process.kill()
        self._lose()

    async def close(self) -> str:
        """End the zygote and its children, wait for it, and return what it wrote to its standard error."""
        self._lose()
        try:
            _, errors = await asyncio.to_thread(self._process.communicate, timeout=BURY_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, errors = await asyncio.to_thread(self._process.communicate)
        return errors.decode("utf-8", "replace").strip()[-2000:]

    def _expect(self, child: Child) -> None:
        """Give up on the zygote if a child it was ordered has not come."""
        if child.pid is None and not child.ended.done():
            self.abandon()

    def _order(self, message: Mapping[str, Any], *descriptors: int) -> None:
        if self.lost:
            return
        try:
            socket.send_fds(self._control, [pack(message)], list(descriptors))
        except OSError:
            # It does not read its orders or is gone: either way it is of no more use.
            self.abandon()

    def _readable(self) -> None:
        try:
            data = self._control.recv(CONTROL_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            end = HEADER.size + HEADER.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            message = unpack(bytes(self._buffer[HEADER.size : end]))
            del self._buffer[:end]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if message["t"] == "ready":
            self.locks = message["locks"]
            if not self._ready.done():
                self._ready.set_result(None)
        elif message["t"] == "forked" and message["id"] in self._children:
            self._children[message["id"]].pid = message["pid"]
        elif message["t"] == "exited":
            child = self._children.pop(message["id"], None)
            if child is not None and not child.ended.done():
                unit = 1 if sys.platform == "darwin" else 1024
                child.ended.set_result(
                    Exit(message["status"], message["cpu"], message["peak"] * unit, message["trace"])
                )

    def _lose(self) -> None:
        if self.lost:
            return
        self.lost = True
        self._loop.remove_reader(self._control)
        self._control.close()
        if not self._ready.done():
            self._ready.set_exception(ChildGoneError())
        self._bury_all()

    def _bury_all(self) -> None:
        for child in self._children.values():
            if not child.ended.done():
                child.ended.set_result(Exit(-1, 0.0, 0, "", lost=True))
        self._children.clear()


def _spawn(entry: str, control: int) -> subprocess.Popen[bytes]:
    """Start a zygote in a session of its own and an environment of three variables: our modules, no chance, UTC."""
    modules = [str(Path(__file__).parent.parent), *filter(None, sys.path)]
    return subprocess.Popen(  # noqa: S603  (our own interpreter and module)
        [sys.executable, "-s", "-P", "-W", "ignore", "-m", entry, str(control)],
        env={"PYTHONPATH": os.pathsep.join(modules), "PYTHONHASHSEED": "0", "TZ": "UTC"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(control,),
        start_new_session=True,
    )
