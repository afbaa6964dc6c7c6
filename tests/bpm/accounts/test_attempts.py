"""Tries to sign in are counted by user and by address."""

import pytest

from bpm.accounts.attempts import SignInAttempts
from bpm.errors import RateLimited

HERE = "203.0.113.7"


def test_an_address_s_tries_are_limited() -> None:
    """One address gets a hundred tries a minute, over however many names; other addresses are not touched."""
    attempts = SignInAttempts()
    for number in range(100):
        attempts.begin(f"name{number}", HERE)
    with pytest.raises(RateLimited) as caught:
        attempts.begin("another", HERE)
    assert 0 < caught.value.retry_after <= 60
    attempts.begin("another", "198.51.100.1")


def test_successes_do_not_count() -> None:
    """An address from which many people sign in rightly is never limited."""
    attempts = SignInAttempts()
    for number in range(300):
        attempts.begin(f"name{number}", HERE)
        attempts.succeeded(f"name{number}", HERE)
    attempts.begin("one-more", HERE)


def test_a_success_does_not_clear_the_address() -> None:
    """Somebody with an account of their own gains no tries at those of others."""
    attempts = SignInAttempts()
    for number in range(100):
        attempts.begin(f"name{number}", HERE)
        if number < 99:
            attempts.begin("mine", HERE)
            attempts.succeeded("mine", HERE)
    with pytest.raises(RateLimited):
        attempts.begin("mine", HERE)


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "user/ada/10/1/minute", "☃", "x" * 10_000])
def test_every_name_has_its_own_count(name: str) -> None:
    """A name made to look like a counter's key does not use up another's tries."""
    attempts = SignInAttempts()
    for number in range(10):
        attempts.begin(name, f"198.51.100.{number}")
    attempts.begin("ada", HERE)
    with pytest.raises(RateLimited):
        attempts.begin(name, HERE)
