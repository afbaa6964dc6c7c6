"""Waits that are spread a little."""

import random
from datetime import timedelta


def jittered(delay: timedelta, jitter: float = 0.1) -> timedelta:
    """Spread waits by a share of their length, so that what failed together is not tried together."""
    return delay * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311 spread, not secrecy
