"""A clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Hand it to whoever takes a `bpm.clock.Clock`; jobs that wait are not hurried by it."""

    def __init__(self, now: datetime = START) -> None:
        """Stand at `now`, an aware moment."""
        self.set(now)

    def __call__(self) -> datetime:
        """Return the present moment."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Stand at `moment`, which may lie in the past; raises `ValueError` for one without a zone."""
        if moment.tzinfo is None:
            raise ValueError("the moment needs a zone, as in datetime(2026, 1, 1, tzinfo=UTC)")
        self._now = moment.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Go on by so much."""
        self.set(self._now + by)
