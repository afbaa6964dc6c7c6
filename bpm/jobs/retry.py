"""When failed work is tried again: the one policy of requests, deliveries, scheduled messages and process steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bpm.jobs.jitter import jittered


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often work is tried, and how long to wait between.

    `attempts` counts the first one, too. `waits` are the seconds after the first, second, … failed attempt; the last
    one repeats. Each wait is spread by `jitter`, a share of its length.
    """

    attempts: int
    waits: tuple[float, ...]
    jitter: float = 0.1

    def wait(self, failed: int) -> timedelta:
        """Return the wait after so many failed attempts (at least one), without jitter."""
        return timedelta(seconds=self.waits[min(failed, len(self.waits)) - 1])

    def retry_at(
        self, failed: int, now: datetime, *, is_final: bool = False, at_least: timedelta = timedelta()
    ) -> datetime | None:
        """Return when to try again after so many failed attempts, or None to give up.

        `is_final`: the error says that another attempt would end alike. `at_least` is a wait that somebody asked for.
        """
        if is_final or failed >= self.attempts:
            return None
        return now + max(jittered(self.wait(failed), self.jitter), at_least)
