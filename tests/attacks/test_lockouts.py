"""Whoever guesses passwords locks nobody else out, over HTTP as it is sent."""

import contextlib

import httpx
import pytest

from bpm.accounts.attempts import SignInAttempts
from bpm.errors import RateLimited
from bpm.security.rate_limiter import RateLimiter
from bpm.testing import ADMINISTRATOR, PASSWORD, RunningApp, running_app

pytestmark = pytest.mark.anyio

PROXY = "10.9.0.1"


async def token(app: RunningApp, username: str, password: str, address: str) -> int:
    """Return the status of signing in from an address behind the trusted proxy."""
    transport = httpx.ASGITransport(app=app.app, client=(PROXY, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm.test") as http:
        fields = {"username": username, "password": password}
        answer = await http.post("/api/auth/token", json=fields, headers={"x-forwarded-for": address})
    return answer.status_code


async def test_a_stranger_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong passwords under every spelling of a name end at the stranger's own limit, and the owner signs in."""
    monkeypatch.setattr("bpm.accounts.attempts.PATIENCE_SECONDS", 0)
    async with running_app(trusted_proxies="10.9.0.0/16") as app:
        spellings = [ADMINISTRATOR, ADMINISTRATOR.upper(), f" {ADMINISTRATOR}", f"{ADMINISTRATOR}\t"]
        tries = [await token(app, spellings[n % 4], "wrong-pass-1234", f"2001:db8::{n + 1:x}") for n in range(14)]
        assert tries == [401] * 10 + [429] * 4
        assert await token(app, ADMINISTRATOR, PASSWORD, "2001:db8::77") == 429
        assert await token(app, ADMINISTRATOR, PASSWORD, "203.0.113.7") == 200
        assert await token(app, ADMINISTRATOR, PASSWORD, "203.0.113.7") == 200


async def test_made_up_refresh_tokens_cost_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh token that nobody has is refused without a turn of the one writer."""
    async with running_app() as app:
        monkeypatch.setattr("bpm.store.writer.MAX_WAITING_UNITS", 0)
        answer = await app.request("POST", "/api/auth/token", {"refresh_token": "made-up"})
    assert answer.status == 401


def taken(attempts: SignInAttempts, username: str, tries: int) -> int:
    """Return how many tries at a name from one address are let through."""
    passed = 0
    for _ in range(tries):
        with contextlib.suppress(RateLimited):
            attempts.begin(username, "192.0.2.1")
            passed += 1
    return passed


def test_made_up_names_give_no_tries_back() -> None:
    """Who is refused at its address makes the server forget nothing by trying ever new names."""
    attempts = SignInAttempts(RateLimiter(most=50, now=lambda: 0.0))
    assert taken(attempts, "victim", 20) == 11
    assert sum(taken(attempts, f"made-up-{number}", 1) for number in range(500)) <= 29
    assert taken(attempts, "victim", 20) == 0


def test_hammering_one_account_takes_no_tries_from_its_neighbours() -> None:
    """Tries that are refused for their account are not counted against all who share the address."""
    attempts = SignInAttempts(RateLimiter(now=lambda: 0.0))
    assert taken(attempts, "victim", 100) == 11
    assert taken(attempts, "neighbour", 5) == 5
