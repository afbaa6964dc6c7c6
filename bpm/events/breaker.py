"""A destination that only fails is left alone for a while, then asked once whether it is back.

Closed: deliveries go. After so many failures in a row it opens: nothing is sent until `open_until`. Then it is
half open: whoever claims the probe sends one delivery; its success closes it, its failure opens it for longer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 5
PAUSES_SECONDS = (30, 60, 120, 300, 600)
"""How long it stays open the first time, the second time, …; the last is repeated."""

PROBE_SECONDS = 150
"""How long a claimed probe holds others off: longer than an attempt may take, should its process die."""

DISABLED_AFTER = timedelta(days=5)
"""After so long with nothing but failures a subscription is disabled."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The breaker opens for the `count`th time since the last success, until then."""

    count: int
    until: datetime


def opening(
    failures: int, openings: int, open_until: datetime | None, *, is_probe: bool, now: datetime
) -> Opening | None:
    """Return how the breaker opens after so many failures in a row; None when it stays as it is.

    What fails while it is open already was under way before, and says nothing new.
    """
    is_open = open_until is not None and open_until > now
    if failures < FAILURES_TO_OPEN or (is_open and not is_probe):
        return None
    pause = PAUSES_SECONDS[min(openings, len(PAUSES_SECONDS) - 1)]
    return Opening(openings + 1, now + timedelta(seconds=pause))


def is_hopeless(failing_since: datetime | None, now: datetime) -> bool:
    """Tell whether a subscription has failed for so long that it is disabled."""
    return failing_since is not None and now - failing_since >= DISABLED_AFTER
