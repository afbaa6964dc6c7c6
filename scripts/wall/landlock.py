"""Landlock deny-all: no file, no TCP port, no abstract socket, for this process and all it forks.

A ruleset handles every right the running kernel knows and grants none (landlock(7)). The numbers of its
three system calls are the same on every machine.
"""

import ctypes

from scripts.wall import kernel

CREATE_RULESET, RESTRICT_SELF = 444, 446
CREATE_RULESET_VERSION = 1

# Number of file rights by ABI version: 13 at first, then refer, truncate (3) and ioctl on devices (5).
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
NETWORK_RIGHTS = 0b11  # bind and connect TCP, from ABI 4
SCOPES = 0b11  # abstract UNIX sockets and signals, from ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def restrict() -> int:
    """Deny everything Landlock knows and return the ABI version; raises OSError where there is none."""
    abi = kernel.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(CREATE_RULESET_VERSION))
    rules = _Ruleset((1 << FILE_RIGHTS[min(abi, 5)]) - 1, NETWORK_RIGHTS if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = kernel.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    kernel.syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    return abi
