"""`bpm serve --processes N`: several server processes that answer on the same sockets.

The parent opens the sockets and starts the others, which accept from it in turn. One that ends by itself is started
again; SIGTERM and SIGINT go on to all of them, and when the parent is gone they drain and end, too.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import structlog

from bpm.errors import Misconfigured
from bpm.settings import Settings

EXIT_MISCONFIGURED = 1
"""The exit status of a process that can't start as it is configured."""

HEALTHY_SECONDS = 60.0
"""A process that ran so long is started again at once; before, each further start waits twice as long."""
UNBEGUN = -signal.SIGTERM
"""How a process ends that is told to stop before it listens to signals: it has accepted nothing."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0

log = structlog.get_logger("bpm.supervisor")


def require_shared_database(settings: Settings) -> None:
    """Raise `Misconfigured` unless several processes can serve on the database."""
    if not (settings.database_url or "").startswith("postgresql"):
        raise Misconfigured(
            "--processes: several processes need PostgreSQL (BPM_DATABASE_URL=postgresql://…); "
            "the file of SQLite has one writer, which one process already keeps busy"
        )


def can_not_listen(settings: Settings, error: OSError) -> Misconfigured:
    """Return what to say where the address is taken or not the machine's."""
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    where = f"{settings.host} port {settings.port}"
    return Misconfigured(f"can't listen on {where} ({reason}); set BPM_HOST and BPM_PORT to what is free")


def bind(settings: Settings) -> list[socket.socket]:
    """Return a socket for each address of the host, bound but not listening yet; raises `Misconfigured`."""
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _name, address in dict.fromkeys(found):
            listening = socket.socket(family, kind, protocol)
            bound.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # IPv4 has a socket of its own
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
    except OSError as error:
        close_all(bound)
        raise can_not_listen(settings, error) from error
    return bound


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close sockets."""
    for each in sockets:
        each.close()


class Supervisor:
    """Keeps a number of server processes running. Use it as a context manager, which closes what it shares."""

    def __init__(self, listening: Sequence[socket.socket], processes: int, options: Sequence[str] = ()) -> None:
        """Take the sockets, how many processes answer on them, and further options of `bpm serve` for each."""
        self._listening = listening
        self._processes = processes
        self._alive, self._held = os.pipe()
        self._command = (
            *(sys.executable, "-m", "bpm.cli", "serve", *options),
            *(word for each in listening for word in ("--socket", str(each.fileno()))),
            *("--parent", str(self._alive)),
        )
        self._children: set[asyncio.subprocess.Process] = set()
        self._stopping = asyncio.Event()
        self._status = 0

    def __enter__(self) -> Self:
        """See the class."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sockets and the pipe; children that are left drain."""
        close_all(self._listening)
        os.close(self._alive)
        os.close(self._held)

    async def run(self) -> int:
        """Serve until told to stop; return the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        await asyncio.gather(*(self._keep() for _ in range(self._processes)))
        return self._status

    async def _keep(self) -> None:
        """Have one process running until told to stop."""
        wait = FIRST_WAIT
        while not self._stopping.is_set():
            begun = time.monotonic()
            status = await self._serve()
            if self._stopping.is_set():
                self._status = self._status or (0 if status == UNBEGUN else status)
                return
            if status == EXIT_MISCONFIGURED:
                self._status = status
                self._stop()
                return
            wait = FIRST_WAIT if time.monotonic() - begun >= HEALTHY_SECONDS else min(2 * wait, LONGEST_WAIT)
            log.error("a server process has ended and is started again", status=status, seconds=wait)
            await self._rest(wait)

    async def _serve(self) -> int:
        """Run one process to its end; return its exit status.

        It has a process group of its own: Ctrl-C in a terminal reaches the parent alone, which tells it on once.
        """
        files = (*(each.fileno() for each in self._listening), self._alive)
        child = await asyncio.create_subprocess_exec(*self._command, pass_fds=files, process_group=0)
        self._children.add(child)
        if self._stopping.is_set():
            child.terminate()
        status = await child.wait()
        self._children.discard(child)
        return status

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _stop(self) -> None:
        """Tell all processes to drain; at the second time to end without waiting."""
        self._stopping.set()
        for child in self._children:
            if child.returncode is None:
                child.terminate()
