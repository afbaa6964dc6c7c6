"""The system call filter of a child: an allow-list as a classic BPF program (seccomp(2), filter mode).

Listed calls pass, harmless questions are told EPERM, everything else kills the process. Signals go only to
the process itself, and no memory becomes executable.
"""

import ctypes
import errno

from scripts import kernel
from scripts.syscalls import ALLOWED, REFUSED, Machine

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


class _Filter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Filter)))


def program(machine: Machine, pid: int) -> list[Instruction]:
    """Return the filter for a process of this machine."""
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
            lines += _allowed(name, machine.numbers[name], pid)
    for name in REFUSED:
        if name in machine.numbers:
            lines += [(JUMP_EQUAL, 0, 1, machine.numbers[name]), (RETURN, 0, 0, REFUSE)]
    return [*lines, (RETURN, 0, 0, KILL_PROCESS)]


def install(lines: list[Instruction]) -> None:
    """Put this process under a filter for good; raises OSError where the kernel has no seccomp."""
    filters = (_Filter * len(lines))(*(_Filter(*line) for line in lines))
    order = _Program(len(lines), filters)
    kernel.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(order))


def _allowed(name: str, number: int, pid: int) -> list[Instruction]:
    if name == "tgkill":
        return [
            (JUMP_EQUAL, 0, 4, number),
            (LOAD, 0, 0, ARGUMENTS),
            (JUMP_EQUAL, 0, 1, pid),
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
