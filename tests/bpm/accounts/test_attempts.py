"""Tries to sign in are counted by account and address, and nobody else's tries lock a person out."""

import pytest

from bpm.accounts.attempts import ADDRESS, PATIENCE_SECONDS, SignInAttempts
from bpm.errors import RateLimited
from bpm.security.rate_limiter import MOST_COUNTED, RateLimiter

HERE = "203.0.113.7"
AT_AN_ADDRESS = ADDRESS.burst + int(PATIENCE_SECONDS / ADDRESS.seconds)
"""How many tries one address has at once, counting those that wait for their turn."""


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def attempts(seconds: Seconds) -> SignInAttempts:
    return SignInAttempts(RateLimiter(now=seconds))


def refused(attempts: SignInAttempts, name: str, address: str) -> float | None:
    """Return how long a try is told to wait, or None if it is let through, at once or in its turn."""
    try:
        attempts.begin(name, address)
    except RateLimited as error:
        return error.retry_after
    return None


def test_an_address_s_tries_are_limited(attempts: SignInAttempts) -> None:
    """One address gets so many tries over however many names; other addresses are not touched."""
    waits = [refused(attempts, f"name{number}", HERE) for number in range(AT_AN_ADDRESS + 5)]
    assert waits.count(None) in (AT_AN_ADDRESS, AT_AN_ADDRESS - 1)
    assert 0 < (waits[-1] or 0) <= 60
    assert attempts.begin("another", "198.51.100.1") == 0


def test_ten_tries_then_one_every_six_seconds(attempts: SignInAttempts, seconds: Seconds) -> None:
    """Ten tries are free, one more waits for its turn, and the next is told when to come again."""
    assert [attempts.begin("ada", HERE) for _ in range(10)] == [0] * 10
    assert attempts.begin("ada", HERE) == 6
    assert refused(attempts, "ada", HERE) == 6
    seconds.now = 6
    assert attempts.begin("ada", HERE) == 6
    seconds.now = 600
    assert [attempts.begin("ada", HERE) for _ in range(10)] == [0] * 10


def test_a_stranger_elsewhere_locks_nobody_out(attempts: SignInAttempts) -> None:
    """However often others guess at an account, its owner signs in from an address of their own."""
    attempts.succeeded("ada", HERE)
    for number in range(10_000):
        refused(attempts, "ada", f"198.51.{number >> 8}.{number & 255}")
    assert attempts.begin("ada", HERE) == 0
    assert refused(attempts, "ada", "192.0.2.1") is not None


def test_a_noisy_neighbour_locks_nobody_out(attempts: SignInAttempts) -> None:
    """Whoever has signed in from an address before is not held up by what others do there at other accounts."""
    attempts.begin("ada", HERE)
    attempts.succeeded("ada", HERE)
    for number in range(200):
        refused(attempts, f"name{number}", HERE)
    assert attempts.begin("ada", HERE) == 0


def test_successes_do_not_count(attempts: SignInAttempts) -> None:
    """An address from which many people sign in rightly is never limited."""
    for number in range(300):
        assert attempts.begin(f"name{number}", HERE) == 0
        attempts.succeeded(f"name{number}", HERE)


def test_a_success_does_not_clear_the_address(attempts: SignInAttempts) -> None:
    """Somebody with an account of their own gains no tries at those of others."""
    for number in range(AT_AN_ADDRESS):
        refused(attempts, f"name{number}", HERE)
        attempts.begin("mine", HERE)
        attempts.succeeded("mine", HERE)
    assert refused(attempts, "another", HERE) is not None


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "user/ada/10/1/minute", "☃", "x" * 10_000])
def test_every_name_has_its_own_count(attempts: SignInAttempts, name: str) -> None:
    """A name made to look like a counter's key does not use up another's tries."""
    for _ in range(11):
        attempts.begin(name, HERE)
    assert attempts.begin("ada", HERE) == 0
    assert refused(attempts, name, HERE) is not None


@pytest.mark.parametrize("spelling", ["ADA", "Ada", " ada", "ada ", "\tada\n"])
def test_spellings_of_a_name_count_as_one(attempts: SignInAttempts, spelling: str) -> None:
    """Another way of writing the same name gains no tries."""
    for _ in range(11):
        attempts.begin(spelling, HERE)
    assert refused(attempts, "ada", HERE) is not None


def test_a_network_of_ipv6_counts_as_one_address(attempts: SignInAttempts) -> None:
    """A site has a whole /64 of addresses, and gains no tries by them."""
    for number in range(11):
        attempts.begin("ada", f"2001:db8::{number:x}")
    assert refused(attempts, "ada", "2001:db8::ffff") is not None
    assert attempts.begin("ada", "2001:db8:0:1::1") == 0


def test_memory_is_bounded() -> None:
    """Any number of names and addresses is counted in the same room."""
    allowances = RateLimiter()
    attempts = SignInAttempts(allowances)
    for number in range(MOST_COUNTED):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        attempts.begin(f"name{number}", address)
        attempts.succeeded(f"name{number}", address)
    attempts.begin("x" * 1_000_000, HERE)
    assert len(allowances) <= MOST_COUNTED
