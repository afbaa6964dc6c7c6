"""The zygote as the server holds it: it is started, given orders, and replaced when it is lost."""

import asyncio
import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.server import remote_child
from scripts.server.remote_child import Child, Exit
from scripts.shared.frames import HEADER, pack, unpack
from scripts.shared.limits import Limits
from scripts.shared.outcome import SandboxUnavailable

START_SECONDS = 15.0

CHILDREN = 256
"""Children at once, those included whose scripts wait for an answer, and those kept ready."""

CONTROL_BYTES = 64 * 1024


class RemoteZygote:
    """The process that forks children. Lost for good once its control socket closes."""

    def __init__(self, entry: str) -> None:
        self.lost = False
        self.locks: dict[str, bool | str] = {}
        self._occupied = 0
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._children: dict[int, Child] = {}
        self._buffer = bytearray()
        self._ready: asyncio.Future[bool] = self._loop.create_future()
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            self._process = _spawn(entry, theirs.fileno())
        self._loop.add_reader(self._control, self._readable)

    async def started(self) -> None:
        """Wait until the zygote is locked and ready; raises SandboxUnavailable."""
        done, _ = await asyncio.wait((self._ready,), timeout=START_SECONDS)
        if not done or not self._ready.result():
            message = await self.close()
            raise SandboxUnavailable(f"The script sandbox did not start. {message}".strip())

    def fork(self, limits: Limits, *, reused: bool = False, compiles: bool = False) -> Child:
        """Order a child and return its handle at once; with the zygote lost, the child is lost too.

        Raises SandboxUnavailable when there are as many children as may be.
        """
        if len(self._children) >= CHILDREN:
            raise SandboxUnavailable(
                f"{CHILDREN} scripts are running or waiting already: try again when some have ended."
            )
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        child = Child(
            next(self._numbers),
            ours,
            reused=reused,
            memory_bytes=self._occupied + limits.memory_bytes,
            signal_it=self._signal,
            give_up=self.abandon,
        )
        order = {
            "t": "fork",
            "id": child.number,
            "cpu": limits.cpu_seconds * (limits.reuse_runs if reused else 1),
            "memory": limits.memory_bytes,
            "reused": reused,
            "compiles": compiles,
        }
        self._children[child.number] = child
        with theirs:
            self._order(order, theirs.fileno())
        if self.lost:
            self._bury_all()
        else:
            self._loop.call_later(remote_child.BURY_SECONDS, self._expect, child)
        return child

    def abandon(self) -> None:
        """Kill a zygote that no longer answers; its children die with it."""
        self._process.kill()
        self._lose()

    async def close(self) -> str:
        """End the zygote and its children, wait for it, and return what it wrote to its standard error."""
        self._lose()
        if self._process.returncode is not None:
            return ""
        try:
            _, errors = await asyncio.to_thread(self._process.communicate, timeout=remote_child.BURY_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, errors = await asyncio.to_thread(self._process.communicate)
        return errors.decode("utf-8", "replace").strip()[-2000:]

    def _expect(self, child: Child) -> None:
        """Give up on the zygote if a child it was ordered has not come."""
        if child.pid is None and not child.ended.done():
            self.abandon()

    def _signal(self, child: Child, number: int) -> None:
        """Order a signal for a child; the zygote knows who is still alive."""
        self._order({"t": "signal", "id": child.number, "signal": int(number)})

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
            self.locks, self._occupied = message["locks"], message["occupied"]
            if not self._ready.done():
                self._ready.set_result(True)
        elif message["t"] == "forked" and message["id"] in self._children:
            self._children[message["id"]].begin(message["pid"])
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
            self._ready.set_result(False)
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
