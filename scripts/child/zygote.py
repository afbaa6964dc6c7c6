"""The clean process that forks a locked child for each run.

Started by the server with `python -s -P -m scripts.child.zygote <descriptor>` in an environment of three variables,
never forked from it: nothing of the server's memory is in its children. It loads what scripts use, locks
itself, and then forks, signals and buries children as the server orders.
"""

import contextlib
import errno
import gc
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from scripts.child import facades, guards
from scripts.child.child import REHEARSAL, Setting, become_child
from scripts.child.compiler import compile_script
from scripts.child.execution import Language
from scripts.shared.frames import HEADER, NOT_FORKED, pack, unpack
from scripts.wall import locks

TRACE_BYTES = 4096

DESCRIPTORS = 1024
"""Descriptors of the zygote: one for each living child and those of its orders."""

UNKNOWN_ADDRESS_SPACE = 1 << 30
"""Taken as occupied where /proc cannot be read."""


class Zygote:
    """Carries out the orders that arrive on one socket; ends, with all children, when it closes."""

    def __init__(self, control: socket.socket, setting: Setting) -> None:
        self._control = control
        self._setting = setting
        self._traces: dict[int, int] = {}
        self._ids: dict[int, int] = {}

    def run(self, state: Mapping[str, locks.Lock]) -> None:
        """Report the locks and serve orders until the server is gone."""
        woken, wakes = socket.socketpair()
        woken.setblocking(False)
        wakes.setblocking(False)
        signal.signal(signal.SIGCHLD, _wake)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self._send({"t": "ready", "locks": dict(state), "occupied": self._setting.address_space})
        while True:
            ready, _, _ = select.select([self._control, woken], [], [])
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                self._bury()
            if self._control in ready and not self._obey():
                return

    def end(self) -> None:
        """Kill and bury every child."""
        for pid in self._ids:
            os.kill(pid, signal.SIGKILL)
        for pid in self._ids:
            os.waitpid(pid, 0)

    def _obey(self) -> bool:
        order, descriptor = self._order()
        if order is None:
            return False
        if order["t"] == "fork" and descriptor is None:
            self._refuse(order, os.strerror(errno.EMFILE))
        elif order["t"] == "fork" and descriptor is not None:
            self._fork(order, descriptor)
        elif order["t"] == "signal":
            for pid in [pid for pid, number in self._ids.items() if number == order["id"]]:
                os.kill(pid, order["signal"])
        return True

    def _order(self) -> tuple[dict[str, Any] | None, int | None]:
        header, descriptors, _, _ = socket.recv_fds(self._control, HEADER.size, 1)
        if len(header) < HEADER.size:
            return None, None
        body = self._control.recv(HEADER.unpack(header)[0], socket.MSG_WAITALL)
        return unpack(body), descriptors[0] if descriptors else None

    def _fork(self, order: dict[str, Any], descriptor: int) -> None:
        ends: tuple[int, ...] = ()
        try:
            ends = trace, writes = os.pipe()
            pid = os.fork()
        except OSError as error:
            for end in (*ends, descriptor):
                os.close(end)
            self._refuse(order, os.strerror(error.errno or 0))
            return
        if pid == 0:
            signal.set_wakeup_fd(-1)
            become_child(order, descriptor, writes, self._setting)
        os.set_blocking(trace, False)
        self._ids[pid], self._traces[pid] = order["id"], trace
        self._send({"t": "forked", "id": order["id"], "pid": pid})
        os.close(writes)
        os.close(descriptor)

    def _refuse(self, order: dict[str, Any], why: str) -> None:
        """Say that there is no descriptor or no process for a child."""
        self._send({"t": "exited", "id": order["id"], "status": NOT_FORKED, "cpu": 0.0, "peak": 0, "trace": why})

    def _bury(self) -> None:
        while self._ids:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            self._send(
                {
                    "t": "exited",
                    "id": self._ids.pop(pid),
                    "status": status,
                    "cpu": usage.ru_utime + usage.ru_stime,
                    "peak": usage.ru_maxrss,
                    "trace": self._last_words(self._traces.pop(pid)),
                }
            )

    def _last_words(self, trace: int) -> str:
        try:
            return os.read(trace, TRACE_BYTES).decode("utf-8", "replace")
        except BlockingIOError:
            return ""
        finally:
            os.close(trace)

    def _send(self, message: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._control.sendall(pack(message))


def _bound_descriptors() -> None:
    """Lower the number of descriptors: each child closes all it could have inherited, and each costs one here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(language: Language | None = None) -> NoReturn:
    """Load, lock and serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _bound_descriptors()
    locks.go_first()
    facades.preload()
    language = language or Language(compile_script, guards.namespace())
    rehearsal = language.compile(REHEARSAL, len(REHEARSAL))["code"]
    occupied = _address_space()
    state = locks.lock_zygote(occupied)
    setting = Setting(language, os.getpid(), occupied, rehearsal, confined=bool(state["seccomp"]))
    zygote = Zygote(control, setting)
    gc.collect()
    gc.freeze()
    zygote.run(state)
    zygote.end()
    sys.exit(0)


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that a signal came is told by the wake-up descriptor."""


def _address_space() -> int:
    """Return the bytes of address space this process has, which its children start with."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return UNKNOWN_ADDRESS_SPACE
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
