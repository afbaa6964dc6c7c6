"""How many files this process may open, and how many of them connections may be."""

import resource
from pathlib import Path

MOST = 65_536
"""More is not asked for, whatever the system would allow."""

RESERVED = 512
"""Descriptors that connections leave to the database, the sandbox's children, deliveries and log files."""


def raise_limit() -> None:
    """Raise the process's soft limit to its hard one: the usual 1,024 is for programs that call `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def left_for_connections() -> int:
    """Return how many more files may be opened, less `RESERVED`; of few, half."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST if soft == resource.RLIM_INFINITY else soft
    left = max(0, limit - sum(1 for _ in Path("/proc/self/fd").iterdir()))
    return left - min(RESERVED, left // 2)
