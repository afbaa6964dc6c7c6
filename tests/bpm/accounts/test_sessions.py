"""Signing in, going on and signing out."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlmodel import select

from bpm.accounts import Accounts
from bpm.accounts.tables import RefreshToken, User
from bpm.errors import Overloaded, RateLimited, Unauthenticated
from bpm.security.passwords import is_outdated
from bpm.security.rate_limiter import RateLimit
from bpm.store import Database, Transaction
from bpm.testing import Clock
from tests.effort import Effort

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
HERE = "203.0.113.7"


async def refused(accounts: Accounts, access_token: str) -> bool:
    try:
        await accounts.authenticate(f"Bearer {access_token}", HERE)
    except Unauthenticated:
        return True
    return False


async def change(database: Database, user: User, **columns: Any) -> None:
    await database.write(
        lambda tx: tx.connection.execute(User.table().update().where(User.table().c.id == user.id).values(**columns))
    )


async def test_a_password_opens_a_session(accounts: Accounts, user: User) -> None:
    """The right password gives an access token that is recognised as the user."""
    pair = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    principal = await accounts.authenticate(f"Bearer {pair.access_token}", HERE)
    assert (principal.kind, principal.id, principal.name) == ("user", f"user:{user.id}", "ada")
    assert principal.allows("webhooks:write")
    assert not principal.allows("users:write")
    assert pair.expires_in == 900


async def test_capitals_of_a_name_do_not_matter(accounts: Accounts, user: User) -> None:
    """Ada signs in as ADA too."""
    assert (await accounts.sessions.sign_in("ADA", PASSWORD, HERE)).access_token


async def test_wrong_credentials_are_refused_alike(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """A wrong password, an unknown user, a disabled one and a service account get the same words."""

    def add(tx: Transaction) -> None:
        tx.session(None).add(User(username="robot", kind="service", created_at=clock()))
        tx.session(None).add(
            User(username="bob", created_at=clock(), disabled_at=clock(), password_hash=user.password_hash)
        )

    await database.write(add)
    said: set[tuple[str, ...]] = set()
    for name, password in [("ada", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("robot", PASSWORD)]:
        with pytest.raises(Unauthenticated) as caught:
            await accounts.sessions.sign_in(name, password, HERE)
        said.add((caught.value.message, *caught.value.errors))
    assert len(said) == 1


async def test_an_unknown_user_takes_as_long_as_a_known_one(accounts: Accounts, user: User) -> None:
    """The work of a refusal does not tell who exists."""

    async def seconds(name: str) -> float:
        effort = Effort()
        with pytest.raises(Unauthenticated):
            await accounts.sessions.sign_in(name, "wrong password", f"{HERE}{name}")
        return effort.seconds

    known = min([await seconds("ada") for _ in range(7)])
    unknown = min([await seconds("nobody") for _ in range(7)])
    assert 0.5 < unknown / known < 2


async def test_a_stranger_s_tries_do_not_lock_a_person_out(accounts: Accounts, user: User) -> None:
    """However many wrong passwords came from elsewhere, the right one is taken."""
    for number in range(30):
        with pytest.raises(Unauthenticated):
            await accounts.sessions.sign_in("ada", "wrong", f"198.51.100.{number % 3}")
    await accounts.sessions.sign_in("Ada", PASSWORD, HERE)


async def test_the_right_password_waits_for_its_turn(
    accounts: Accounts, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten wrong passwords from the same address the right one is slowed down, and then taken."""
    monkeypatch.setattr("bpm.accounts.attempts.PAIR", RateLimit(10, 0.2))
    monkeypatch.setattr("bpm.accounts.attempts.PATIENCE_SECONDS", 0.2)
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await accounts.sessions.sign_in("ada", "wrong", HERE)
    await accounts.sessions.sign_in("Ada", PASSWORD, HERE)


async def test_tries_at_the_same_time_count_too(
    accounts: Accounts, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty tries at once get no further than thirty in a row."""
    monkeypatch.setattr("bpm.accounts.attempts.PATIENCE_SECONDS", 0)
    tries = [accounts.sessions.sign_in("ada", "wrong", HERE) for _ in range(30)]
    answers = [type(answer) for answer in await asyncio.gather(*tries, return_exceptions=True)]
    assert answers.count(Unauthenticated) == 10
    assert answers.count(RateLimited) == 20


async def test_a_right_password_clears_the_count(accounts: Accounts, user: User) -> None:
    """Somebody who mistypes now and then is never locked out."""
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(Unauthenticated):
                await accounts.sessions.sign_in("ada", "wrong", HERE)
        assert await accounts.sessions.sign_in("ada", PASSWORD, HERE)


async def test_a_crowd_is_told_to_come_back(accounts: Accounts, user: User) -> None:
    """When a hundred sign-ins wait for their turn the next one is refused at once."""
    waiting = [asyncio.create_task(accounts.passwords.hash(PASSWORD)) for _ in range(100)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert accounts.passwords.waiting == 0


async def test_an_old_hash_is_renewed(accounts: Accounts, user: User, database: Database) -> None:
    """Signing in with a hash of former parameters stores one of today's, and the password stays."""
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await change(database, user, password_hash=old)
    await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    renewed = await database.read(lambda tx: tx.session(None).get_one(User, user.id).password_hash)
    assert renewed is not None
    assert not is_outdated(renewed)
    assert await accounts.sessions.sign_in("ada", PASSWORD, HERE)


async def test_a_refresh_token_gives_a_new_pair(accounts: Accounts, user: User) -> None:
    """A refresh token is exchanged for another one and a new access token."""
    first = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    second = await accounts.sessions.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert not await refused(accounts, second.access_token)
    assert not await refused(accounts, first.access_token)
    assert await accounts.sessions.refresh(second.refresh_token)


async def test_using_a_refresh_token_twice_ends_everything(accounts: Accounts, user: User) -> None:
    """A second use revokes the tokens that came from the first, access tokens too, and only of that sign-in."""
    other = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    first = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    second = await accounts.sessions.refresh(first.refresh_token)
    assert not await refused(accounts, second.access_token)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.refresh(first.refresh_token)
    assert await refused(accounts, second.access_token)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.refresh(second.refresh_token)
    assert not await refused(accounts, other.access_token)


async def test_of_two_uses_at_once_one_wins(accounts: Accounts, user: User) -> None:
    """Twenty exchanges of one refresh token at the same time give one pair, which the others then revoke."""
    first = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    tries = [accounts.sessions.refresh(first.refresh_token) for _ in range(20)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, Unauthenticated) for answer in answers) == 19
    (pair,) = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert await refused(accounts, pair.access_token)


@pytest.mark.parametrize("token", ["", "nonsense", "\ud800", "x" * 100_000])
async def test_an_unknown_refresh_token_is_refused(accounts: Accounts, token: str) -> None:
    """A text that is no refresh token of ours is refused."""
    with pytest.raises(Unauthenticated):
        await accounts.sessions.refresh(token)


async def test_a_refresh_token_ends(accounts: Accounts, user: User, clock: Clock) -> None:
    """After fourteen days without use a refresh token is refused, and each use starts them anew."""
    first = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    clock.advance(timedelta(days=13))
    second = await accounts.sessions.refresh(first.refresh_token)
    clock.advance(timedelta(days=13))
    third = await accounts.sessions.refresh(second.refresh_token)
    clock.advance(timedelta(days=14))
    with pytest.raises(Unauthenticated):
        await accounts.sessions.refresh(third.refresh_token)


async def test_a_disabled_user_can_not_go_on(accounts: Accounts, user: User, database: Database, clock: Clock) -> None:
    """Neither the access nor the refresh token of a disabled user is worth anything."""
    pair = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    await change(database, user, disabled_at=clock())
    assert await refused(accounts, pair.access_token)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.refresh(pair.refresh_token)


async def test_a_user_who_changes_during_sign_in_gets_nothing(
    accounts: Accounts, user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that is changed between the check and the token gives no token."""
    check = accounts.passwords.verify

    async def check_then_change(known: str | None, password: str) -> bool:
        right = await check(known, password)
        await change(database, user, token_version=1)
        return right

    monkeypatch.setattr(accounts.passwords, "verify", check_then_change)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.sign_in("ada", PASSWORD, HERE)


@pytest.mark.parametrize("presented", ["access_token", "refresh_token"])
async def test_signing_out_ends_the_whole_session(accounts: Accounts, user: User, presented: str) -> None:
    """Either token of a pair ends both, and no other sign-in."""
    other = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    pair = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    assert not await refused(accounts, pair.access_token)
    await accounts.sessions.revoke(getattr(pair, presented))
    assert await refused(accounts, pair.access_token)
    with pytest.raises(Unauthenticated):
        await accounts.sessions.refresh(pair.refresh_token)
    assert not await refused(accounts, other.access_token)


async def test_no_token_is_stored_as_it_is(accounts: Accounts, user: User, database: Database) -> None:
    """The database holds hashes of refresh tokens and nothing of the tokens themselves."""
    pair = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    rows = await database.read(
        lambda tx: [row.model_dump_json() for row in tx.session(None).exec(select(RefreshToken))]
    )
    assert len(rows) == 1
    assert pair.refresh_token not in rows[0]
    assert pair.access_token not in rows[0]


async def test_used_up_tokens_are_pruned(accounts: Accounts, user: User, database: Database, clock: Clock) -> None:
    """A sign-in deletes tokens that expired more than a day ago."""
    await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    clock.advance(timedelta(days=16))
    await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    assert await database.read(lambda tx: len(tx.session(None).exec(select(RefreshToken)).all())) == 1
