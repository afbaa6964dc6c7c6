"""The product's zygote on a kernel that refuses to install system call filters.

One filter makes the kernel behave so: it answers EINVAL, as a kernel without seccomp does, to every request
for another.
"""

import ctypes
import errno

from scripts.child import zygote
from scripts.wall import kernel, seccomp
from scripts.wall.syscalls import this_machine


def refuse_filters() -> None:
    """Have prctl(PR_SET_SECCOMP) fail from here on."""
    machine = this_machine()
    assert machine is not None
    lines = [
        (seccomp.LOAD, 0, 0, seccomp.NUMBER),
        (seccomp.JUMP_EQUAL, 0, 3, machine.numbers["prctl"]),
        (seccomp.LOAD, 0, 0, seccomp.ARGUMENTS),
        (seccomp.JUMP_EQUAL, 0, 1, seccomp.PR_SET_SECCOMP),
        (seccomp.RETURN, 0, 0, 0x00050000 | errno.EINVAL),
        (seccomp.RETURN, 0, 0, seccomp.ALLOW),
    ]
    filters = (seccomp.SyscallFilter * len(lines))(*(seccomp.SyscallFilter(*line) for line in lines))
    program = seccomp.Program(len(lines), filters)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(seccomp.PR_SET_SECCOMP, seccomp.SECCOMP_MODE_FILTER, ctypes.addressof(program))


if __name__ == "__main__":
    refuse_filters()
    zygote.main()
