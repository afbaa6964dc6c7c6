"""The breaker opens after failures in a row, for longer each time."""

from datetime import UTC, datetime, timedelta

from bpm.events.breaker import (
    FAILURES_TO_OPEN,
    LONGEST_ASKED,
    PAUSES_SECONDS,
    OpenBreaker,
    asked_until,
    is_hopeless,
    opening,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_opens_after_failures_in_a_row() -> None:
    """Fewer failures leave it closed."""
    assert opening(FAILURES_TO_OPEN - 1, 0, None, is_probe=False, now=NOW) is None
    first = opening(FAILURES_TO_OPEN, 0, None, is_probe=False, now=NOW)
    assert first is not None
    assert (first.count, first.until) == (1, NOW + timedelta(seconds=PAUSES_SECONDS[0]))


def test_what_was_under_way_does_not_open_it_again() -> None:
    """While it is open only a probe counts, and makes it stay open for longer."""
    until = NOW + timedelta(seconds=20)
    assert opening(9, 1, until, is_probe=False, now=NOW) is None
    second = opening(9, 1, until, is_probe=True, now=NOW)
    assert second is not None
    assert (second.count, second.until) == (2, NOW + timedelta(seconds=PAUSES_SECONDS[1]))


def test_the_pause_has_an_end() -> None:
    """However often it opened, it is never closed off for longer than the last pause."""
    late = opening(500, 99, NOW, is_probe=True, now=NOW)
    assert late is not None
    assert late.until == NOW + timedelta(seconds=PAUSES_SECONDS[-1])


def test_a_receiver_may_ask_to_be_left_alone() -> None:
    """With 429, for as long as it says, and with 503 when it says how long; a year is asked in between."""
    minute = timedelta(minutes=1)
    assert asked_until(429, minute, NOW) == asked_until(503, minute, NOW) == NOW + minute
    assert asked_until(429, None, NOW) == NOW + timedelta(seconds=PAUSES_SECONDS[0])
    assert asked_until(503, None, NOW) is asked_until(500, minute, NOW) is asked_until(None, minute, NOW) is None
    assert asked_until(429, 365 * 24 * 60 * minute, NOW) == NOW + LONGEST_ASKED


def test_it_opens_at_once_for_who_asks() -> None:
    """Without a failure before; what was under way makes it longer, never shorter, and counts as no opening."""
    asked, later = NOW + timedelta(seconds=20), NOW + timedelta(seconds=40)
    assert opening(1, 0, None, is_probe=False, now=NOW, asked=asked) == OpenBreaker(0, asked)
    assert opening(2, 0, asked, is_probe=False, now=NOW, asked=later) == OpenBreaker(0, later)
    assert opening(2, 0, later, is_probe=False, now=NOW, asked=asked) is None
    assert opening(FAILURES_TO_OPEN, 0, None, is_probe=False, now=NOW, asked=later) == OpenBreaker(1, later)


def test_a_probe_that_fails_in_another_way_lets_the_others_try() -> None:
    """The receiver does not ask any more, and has not failed often enough to be left alone."""
    claimed = NOW + timedelta(seconds=150)
    assert opening(2, 0, claimed, is_probe=True, now=NOW) == OpenBreaker(0, NOW)


def test_five_days_of_failures_are_hopeless() -> None:
    """A receiver that failed for less time, or not at all, is not given up."""
    assert not is_hopeless(None, NOW)
    assert not is_hopeless(NOW - timedelta(days=4, hours=23), NOW)
    assert is_hopeless(NOW - timedelta(days=5), NOW)
