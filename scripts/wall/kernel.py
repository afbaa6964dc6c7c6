"""The few calls to the kernel that Python's standard library does not offer, through ctypes."""

import ctypes
import os
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_libc: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def prctl(option: int, *values: int) -> None:
    """Set an attribute of this process; raises OSError."""
    padded = (*values, 0, 0, 0)[:4]
    _call("prctl", ctypes.c_int(option), *(ctypes.c_ulong(value) for value in padded))


def unshare(flags: int) -> None:
    """Leave the namespaces named by flags for new ones; raises OSError."""
    _call("unshare", ctypes.c_int(flags))


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call by its number and return its answer; raises OSError."""
    return _call("syscall", ctypes.c_long(number), *arguments)


def _call(name: str, *arguments: Any) -> int:
    if _libc is None:
        raise OSError(f"{name} is a call of Linux; this is {sys.platform}")
    answer = int(getattr(_libc, name)(*arguments))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return answer
