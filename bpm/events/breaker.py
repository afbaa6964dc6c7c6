"""A destination that only fails is left alone for a while, then asked once whether it is back.

Closed: deliveries go. After so many failures in a row it opens: nothing is sent until `open_until`. Then it is
half open: whoever claims the probe sends one delivery; its success closes it, its failure opens it for longer. It
opens at once when the receiver asks to be left alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 5
PAUSES_SECONDS = (30, 60, 120, 300, 600)
"""How long it stays open the first time, the second time, …; the last is repeated."""

TOO_MANY, UNAVAILABLE = 429, 503
LONGEST_ASKED = timedelta(hours=1)
"""A receiver that asks for longer is asked in between."""

TOLD_AT = 5
"""At so many openings in a row, after some ten minutes, it is told that a receiver fails."""

PROBE_SECONDS = 150
"""How long a claimed probe holds others off: longer than an attempt may take, should its process die."""

DISABLED_AFTER = timedelta(days=5)
"""After so long with nothing but failures a subscription is disabled."""


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """The breaker is open until then; it has opened `count` times since the last success."""

    count: int
    until: datetime


def opening(
    failures: int,
    openings: int,
    open_until: datetime | None,
    *,
    is_probe: bool,
    now: datetime,
    asked: datetime | None = None,
) -> OpenBreaker | None:
    """Return how the breaker opens after so many failures in a row; None when it stays as it is.

    Until `asked` the receiver wants to be left alone. What fails while it is open already was under way before, and
    says nothing new but that.
    """
    if open_until is not None and open_until > now and not is_probe:
        return OpenBreaker(openings, asked) if asked is not None and asked > open_until else None
    if failures < FAILURES_TO_OPEN:
        until = asked or (now if is_probe else None)  # a probe's claim ends with it
        return OpenBreaker(openings, until) if until is not None else None
    pause = PAUSES_SECONDS[min(openings, len(PAUSES_SECONDS) - 1)]
    until = now + timedelta(seconds=pause)
    return OpenBreaker(openings + 1, max(until, asked or until))


def asked_until(status: int | None, retry_after: timedelta | None, now: datetime) -> datetime | None:
    """Return until when a receiver wants to be left alone: that answers 429, or 503 with `Retry-After`; else None."""
    if status == TOO_MANY:
        wait = timedelta(seconds=PAUSES_SECONDS[0]) if retry_after is None else retry_after
    elif status == UNAVAILABLE and retry_after is not None:
        wait = retry_after
    else:
        return None
    return now + min(wait, LONGEST_ASKED)


def is_hopeless(failing_since: datetime | None, now: datetime) -> bool:
    """Tell whether a subscription has failed for so long that it is disabled."""
    return failing_since is not None and now - failing_since >= DISABLED_AFTER
