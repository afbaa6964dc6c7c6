"""The one policy by which failed work is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bpm.jobs import RetryPolicy

NOW = datetime(2026, 1, 1, tzinfo=UTC)

WAITS = st.lists(st.floats(0, 86_400), min_size=1, max_size=5).map(tuple)


@given(st.integers(1, 30), st.integers(1, 30), WAITS, st.floats(0, 1))
def test_waits_are_taken_in_order_and_end(failed: int, attempts: int, waits: tuple[float, ...], jitter: float) -> None:
    """Each wait is its own, give or take the jitter, the last one repeats, and after the last attempt there is none."""
    due = RetryPolicy(attempts, waits, jitter).retry_at(failed, NOW)
    if failed >= attempts:
        assert due is None
        return
    assert due is not None
    usual = waits[min(failed, len(waits)) - 1]
    assert usual * (1 - jitter) - 0.001 <= (due - NOW).total_seconds() <= usual * (1 + jitter) + 0.001


def test_a_final_error_is_not_tried_again() -> None:
    """Whatever the policy says, what would end alike is given up at once."""
    assert RetryPolicy(10, (1,)).retry_at(1, NOW, is_final=True) is None


def test_whoever_asks_for_time_gets_it() -> None:
    """A wait that was asked for makes the policy's longer, never shorter."""
    policy = RetryPolicy(10, (60,), jitter=0)
    assert policy.retry_at(1, NOW, at_least=timedelta(minutes=5)) == NOW + timedelta(minutes=5)
    assert policy.retry_at(1, NOW, at_least=timedelta(seconds=5)) == NOW + timedelta(minutes=1)


def test_one_attempt_needs_no_waits() -> None:
    """Work that is done once has a policy, too."""
    assert RetryPolicy(1, ()).retry_at(1, NOW) is None
