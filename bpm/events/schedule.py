"""When a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bpm.jobs import RetryPolicy

WAITS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000)
"""Between the first attempt, made at once, and the second, third, … seventh; a higher retry count repeats the last."""

JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(days=1)


def retry_policy(retry_count: int | None) -> RetryPolicy:
    """Return how often a subscription's deliveries are tried: once and `retry_count` times more, six without one."""
    retries = len(WAITS_SECONDS) if retry_count is None else retry_count
    return RetryPolicy(retries + 1, WAITS_SECONDS, JITTER)


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read `Retry-After`: seconds or a date (RFC 9110, 10.2.3), at most a day; None for anything else."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), LONGEST_RETRY_AFTER)
