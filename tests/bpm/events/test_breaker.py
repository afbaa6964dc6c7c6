"""The breaker opens after failures in a row, for longer each time."""

from datetime import UTC, datetime, timedelta

from bpm.events.breaker import FAILURES_TO_OPEN, PAUSES_SECONDS, is_hopeless, opening

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


def test_five_days_of_failures_are_hopeless() -> None:
    """A receiver that failed for less time, or not at all, is not given up."""
    assert not is_hopeless(None, NOW)
    assert not is_hopeless(NOW - timedelta(days=4, hours=23), NOW)
    assert is_hopeless(NOW - timedelta(days=5), NOW)
