"""When a failed delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.events.schedule import JITTER, WAITS_SECONDS, read_retry_after, retry_policy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDLESS = ("Fri, 01 Jan 2100 00:00:00 +99999999999999999999", "Fri, 01 Jan 99999999999999999999 00:00:00 GMT")


@given(st.integers(1, 30), st.one_of(st.none(), st.integers(0, 20)))
def test_waits_grow_and_end(tries: int, retry_count: int | None) -> None:
    """Each wait is the schedule's, give or take a tenth, and after the last retry there is none."""
    due = retry_policy(retry_count).retry_at(tries, NOW)
    most = len(WAITS_SECONDS) if retry_count is None else retry_count
    if tries > most:
        assert due is None
        return
    usual = WAITS_SECONDS[min(tries, len(WAITS_SECONDS)) - 1]
    assert due is not None
    assert usual * (1 - JITTER) <= (due - NOW).total_seconds() <= usual * (1 + JITTER)


def test_seven_attempts_take_over_seventeen_hours() -> None:
    """Without a count there are six retries, the last ten hours after the one before."""
    assert retry_policy(None).retry_at(6, NOW) is not None
    assert retry_policy(None).retry_at(7, NOW) is None
    assert sum(WAITS_SECONDS) == pytest.approx(17.6 * 3600, rel=0.01)


def test_the_receiver_may_ask_for_more_time() -> None:
    """`Retry-After` makes a wait longer, never shorter."""
    due = retry_policy(None).retry_at(1, NOW, at_least=timedelta(minutes=2))
    assert due == NOW + timedelta(minutes=2)
    due = retry_policy(None).retry_at(2, NOW, at_least=timedelta(seconds=1))
    assert due is not None
    assert due > NOW + timedelta(minutes=4)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999999999999", 86400),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86400),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: int) -> None:
    """Seconds and dates count, up to a day."""
    assert read_retry_after(value, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "1.5", "٣", "Thu, 99 Jan 2026", *ENDLESS])
def test_another_retry_after_is_none(value: str | None) -> None:
    """What is neither seconds nor a date is ignored."""
    assert read_retry_after(value, NOW) is None
