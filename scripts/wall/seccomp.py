"""The system call filter of a child: an allow-list as a classic BPF program (seccomp(2), filter mode).

Listed calls pass, harmless questions are told EPERM, everything else kills the process. Signals go only to
the process itself, and no memory becomes executable.
"""

import ctypes
import errno
import os

from scripts.wall import kernel
from scripts.wall.syscalls import ALLOWED, REFUSED, Machine

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
REFUSE = 0x00050000 | errno.EPERM

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
PROT_EXEC = 4
X32_CALLS = 0x40000000

LOAD, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

# Offsets into struct seccomp_data; arguments are read by their low half (little-endian machines).
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand: struct sock_filter."""


_OWN_PROCESS: Instruction = (JUMP_EQUAL, 0, 1, 0xFFFFFFFF)
"""The comparison of the process that gets a signal with the child's own id, which is not known yet."""


class SyscallFilter(ctypes.Structure):
    """One instruction, struct sock_filter."""

    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class Program(ctypes.Structure):
    """A whole filter, struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(SyscallFilter)))


class SystemCallFilter:
    """The filter of a machine, made once; a child only puts its own process id in.

    Assembling it takes a child longer than everything else it does before its job.
    """

    def __init__(self, machine: Machine) -> None:
        self.lines = lines = _program(machine)
        self._filters = (SyscallFilter * len(lines))(*(SyscallFilter(*line) for line in lines))
        self._program = Program(len(lines), self._filters)
        self._address = ctypes.addressof(self._program)
        self._own_process = lines.index(_OWN_PROCESS)

    def install(self) -> None:
        """Put this process under the filter for good; raises OSError where the kernel has no seccomp."""
        self._filters[self._own_process].k = os.getpid()
        kernel.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._address)


def _program(machine: Machine) -> list[Instruction]:
    lines: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        (JUMP_GREATER_OR_EQUAL, 0, 1, X32_CALLS),
        (RETURN, 0, 0, KILL_PROCESS),
    ]
    for name in ALLOWED:
        if name in machine.numbers:
            lines += _allowed(name, machine.numbers[name])
    for name in REFUSED:
        if name in machine.numbers:
            lines += [(JUMP_EQUAL, 0, 1, machine.numbers[name]), (RETURN, 0, 0, REFUSE)]
    return [*lines, (RETURN, 0, 0, KILL_PROCESS)]


def _allowed(name: str, number: int) -> list[Instruction]:
    if name == "tgkill":
        return [
            (JUMP_EQUAL, 0, 4, number),
            (LOAD, 0, 0, ARGUMENTS),
            _OWN_PROCESS,
            (RETURN, 0, 0, ALLOW),
            (RETURN, 0, 0, KILL_PROCESS),
        ]
    if name in ("mmap", "mprotect"):
        return [
            (JUMP_EQUAL, 0, 4, number),
            (LOAD, 0, 0, ARGUMENTS + 2 * 8),
            (JUMP_IF_SET, 0, 1, PROT_EXEC),
            (RETURN, 0, 0, REFUSE),
            (RETURN, 0, 0, ALLOW),
        ]
    return [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
