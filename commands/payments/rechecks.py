"""How often a provider is asked again about what it does not confirm yet."""

from datetime import timedelta

RECHECKS = tuple(timedelta(minutes=minutes) for minutes in (2, 15, 60, 6 * 60, 24 * 60))
"""How long to wait before asking again about a payment that is not made yet; after the last it is an incident."""


def wait_before(checks: int) -> timedelta:
    """Return how long to wait before the next question, after so many."""
    return RECHECKS[checks - 1] if checks else timedelta()
