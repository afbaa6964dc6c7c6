"""System calls by name and number for the machines the wall is built for.

Numbers are those of the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and, for aarch64, of
`include/uapi/asm-generic/unistd.h`. A name without a number on a machine does not exist there.
"""

import platform
from collections.abc import Sequence
from typing import NamedTuple


def names(text: str) -> tuple[str, ...]:
    """Return the names listed in a text."""
    return tuple(text.split())


class Machine(NamedTuple):
    """What a filter must know of a machine: its audit number and its table."""

    audit: int
    numbers: dict[str, int]


# A running interpreter that computes and talks over the descriptors it already has.
ALLOWED: Sequence[str] = names(
    "read write futex mmap munmap mremap mprotect madvise brk getrandom clock_gettime gettimeofday time "
    "rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall sched_yield getpid gettid tgkill "
    "getrusage close exit exit_group"
)

# Questions that libraries ask without meaning harm: told no, so that Python raises an ordinary OSError.
REFUSED: Sequence[str] = names(
    "open openat openat2 stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat "
    "getcwd chdir lseek ioctl fcntl pread64 getdents64 dup dup2 dup3 pipe pipe2 getuid geteuid getgid getegid "
    "getppid uname sysinfo getrlimit setrlimit prlimit64 prctl sched_getaffinity unlink unlinkat mkdir "
    "mkdirat rename renameat membarrier rseq"
)

X86_64 = Machine(
    0xC000003E,
    {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "ioctl": 16, "pread64": 17, "access": 21, "pipe": 22, "sched_yield": 24, "mremap": 25, "madvise": 28,
        "dup": 32, "dup2": 33, "getpid": 39, "exit": 60, "uname": 63, "fcntl": 72, "getcwd": 79, "chdir": 80,
        "rename": 82, "mkdir": 83, "unlink": 87, "readlink": 89, "gettimeofday": 96, "getrlimit": 97,
        "getrusage": 98, "sysinfo": 99, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108,
        "getppid": 110, "sigaltstack": 131, "prctl": 157, "setrlimit": 160, "gettid": 186, "time": 201,
        "futex": 202, "sched_getaffinity": 204, "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228,
        "exit_group": 231, "tgkill": 234, "openat": 257, "mkdirat": 258, "newfstatat": 262, "unlinkat": 263,
        "renameat": 264, "readlinkat": 267, "faccessat": 269, "dup3": 292, "pipe2": 293, "prlimit64": 302,
        "getrandom": 318, "membarrier": 324, "statx": 332, "rseq": 334, "openat2": 437, "faccessat2": 439,
    },
)  # fmt: skip

AARCH64 = Machine(
    0xC00000B7,
    {
        "getcwd": 17, "dup": 23, "dup3": 24, "fcntl": 25, "ioctl": 29, "mkdirat": 34, "unlinkat": 35,
        "renameat": 38, "faccessat": 48, "chdir": 49, "openat": 56, "close": 57, "pipe2": 59, "getdents64": 61,
        "lseek": 62, "read": 63, "write": 64, "pread64": 67, "readlinkat": 78, "newfstatat": 79, "fstat": 80,
        "exit": 93, "exit_group": 94, "futex": 98, "clock_gettime": 113, "sched_getaffinity": 123,
        "sched_yield": 124, "restart_syscall": 128, "tgkill": 131, "sigaltstack": 132, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "uname": 160, "getrlimit": 163, "setrlimit": 164,
        "getrusage": 165, "prctl": 167, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174,
        "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "brk": 214, "munmap": 215,
        "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233, "prlimit64": 261, "getrandom": 278,
        "membarrier": 283, "statx": 291, "rseq": 293, "openat2": 437, "faccessat2": 439,
    },
)  # fmt: skip

MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}


def this_machine() -> Machine | None:
    """Return the table of the machine this runs on, None where there is none."""
    return MACHINES.get(platform.machine()) if platform.system() == "Linux" else None
