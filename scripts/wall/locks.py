"""The locks of the wall, in the order they must be closed: first the zygote's, then each child's."""

import contextlib
import faulthandler
import fcntl
import math
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

from scripts.shared.frames import SOCKET
from scripts.shared.limits import MIB
from scripts.wall import kernel, landlock
from scripts.wall.seccomp import SystemCallFilter
from scripts.wall.syscalls import this_machine

Lock = bool | str
"""True or a word on how a lock is closed; False where the machine does not have it."""

TRACE = 4
"""The descriptor a dying child writes its stack to."""

STOP_SIGNAL = signal.SIGUSR1
CPU_SIGNAL = signal.SIGPROF

NOBODY = 65534
NEW_USER, NEW_NETWORK, NEW_IPC, NEW_HOST_NAME = 0x10000000, 0x40000000, 0x08000000, 0x04000000

CAPS = tuple(
    (getattr(resource, f"RLIMIT_{name}"), cap)
    for name, cap in (("NPROC", 0), ("NOFILE", TRACE), ("FSIZE", 0), ("CORE", 0), ("MEMLOCK", 0), ("MSGQUEUE", 0))
    if hasattr(resource, f"RLIMIT_{name}")
)
"""No process, file, core dump, locked memory or message queue; not every system knows each."""

SPARE_CPU_SECONDS = 2
"""The kernel's own CPU cap stands this far above the timer; it is for a child that got rid of the timer."""


MACHINE = this_machine()
FILTER = SystemCallFilter(MACHINE) if MACHINE else None


def lock_zygote(address_space: int) -> dict[str, Lock]:
    """Close what the zygote and its children share, and tell which locks are on, tried on probes."""
    # Root needs no user namespace, and in one it could no longer drop its user: so that comes last.
    separate = _leave_namespaces("network, ipc, uts", NEW_NETWORK | NEW_IPC | NEW_HOST_NAME)
    locks: dict[str, Lock] = {"user": _drop_user()}
    locks["namespaces"] = separate or _leave_namespaces(
        "user, network, ipc, uts", NEW_USER | NEW_NETWORK | NEW_IPC | NEW_HOST_NAME
    )
    locks["no_new_privileges"] = _closed(kernel.PR_SET_NO_NEW_PRIVS, 1) and _closed(kernel.PR_SET_DUMPABLE, 0)
    locks["landlock"] = _close_files()
    locks["seccomp"] = _ended_by("SIGSYS", _break_filter)
    locks["cpu_timer"] = _ended_by("SIGPROF", _outlive_timer)
    locks["resource_limits"] = _ended_by("", lambda: _exceed_memory(address_space))
    return locks


def go_first() -> None:
    """Let the kernel end scripts before the server, and before anybody else, when the machine runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def tie_to_parent(parent: int) -> None:
    """Die with the zygote, even if it just died."""
    _closed(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def arrange_descriptors(socket: int, trace: int) -> None:
    """Leave nothing open but the null device on 0 to 2, the socket and the trace pipe."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, TRACE + 1) for fd in (socket, trace)]
    os.dup2(high[0], SOCKET)
    os.dup2(high[1], TRACE)
    os.dup2(1, 2)
    os.closerange(TRACE + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def watch_for_death() -> None:
    """Have Python write the running line before a fatal signal kills, also from within one C call."""
    faulthandler.enable(TRACE, all_threads=False)
    for number in (CPU_SIGNAL, STOP_SIGNAL):
        signal.signal(number, signal.SIG_DFL)
        faulthandler.register(number, TRACE, all_threads=False, chain=True)


def limit_resources(cpu_seconds: float, address_space: int) -> None:
    """Set the kernel's caps for the whole life of a child."""
    cpu = math.ceil(cpu_seconds) + SPARE_CPU_SECONDS
    for number, cap in (*CAPS, (resource.RLIMIT_AS, address_space), (resource.RLIMIT_CPU, cpu)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(number, (cap, cap))


def start_timer(cpu_seconds: float) -> None:
    """Start the CPU timer; its signal ends in the default action, which no Python code can miss."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)


def filter_calls() -> bool:
    """Put this process under its system call filter; False where that is not possible."""
    if FILTER is None:
        return False
    try:
        FILTER.install()
    except OSError:
        return False
    return True


def _ended_by(name: str, probe: Callable[[], None]) -> bool:
    """Fork a process that tries a lock; tell whether the named signal ended it, or without a name that it did well."""
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            probe()
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    return status == 0 if not name else os.WTERMSIG(status) == getattr(signal, name, -1)


def _break_filter() -> None:
    if filter_calls():
        try:
            Path("/").stat()
        except PermissionError:
            os.fork()


def _outlive_timer() -> None:
    start_timer(0.005)
    while time.process_time() < 1:
        pass


def _exceed_memory(address_space: int) -> None:
    limit_resources(1, address_space + 16 * MIB)
    try:
        bytes(64 * MIB)
    except MemoryError:
        os._exit(0)


def _close_files() -> Lock:
    try:
        return f"ABI {landlock.restrict()}"
    except OSError:
        return False


def _leave_namespaces(names: str, flags: int) -> Lock:
    try:
        kernel.unshare(flags)
    except OSError:
        return False
    return names


def _drop_user() -> Lock:
    if os.getuid() != 0:
        return "ordinary user"
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:
        return False
    return f"dropped to {NOBODY}"


def _closed(option: int, value: int) -> bool:
    try:
        kernel.prctl(option, value)
    except OSError:
        return False
    return True
