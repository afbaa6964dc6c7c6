"""Callers are recognised by token or key, quickly, and no longer than they should be."""

import asyncio
import stat
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from bpm.accounts import Accounts
from bpm.accounts.keys import generate_key
from bpm.accounts.tables import ApiKey, User
from bpm.accounts.ttl_cache import TRUST_SECONDS
from bpm.errors import Forbidden, Misconfigured, Unauthenticated
from bpm.security.permissions import SYSTEM, Authority, acting, permissions_of
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database
from bpm.testing import Clock
from tests.effort import Effort

pytestmark = pytest.mark.anyio

KEY = b"a key of thirty-two bytes or more"
PASSWORD = "correct horse battery"
HERE = "203.0.113.7"


async def add_key(
    database: Database, user: User, clock: Clock, scopes: Sequence[str] = ("webhooks:read",), **columns: Any
) -> tuple[str, str]:
    """Store a key of `user`; return its id and its text."""
    text = generate_key()

    def add(tx: Transaction) -> None:
        row = ApiKey(id=text.id, user_id=user.id, name="ci", hash=text.hash, created_at=clock(), scopes=[*scopes])
        tx.session(None).add(row.sqlmodel_update(columns))

    await database.write(add)
    return text.id, str(text)


async def change(database: Database, table: type[User | ApiKey], key: int | str | None, **columns: Any) -> None:
    await database.write(
        lambda tx: tx.connection.execute(table.table().update().where(table.table().c.id == key).values(**columns))
    )


async def refused(accounts: Accounts, header: str | None) -> bool:
    try:
        await accounts.authenticate(header, HERE)
    except Unauthenticated:
        return True
    return False


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOng=",
        "Bearer nope",
        "Bearer a.b.c",
        "bpm_1_2",
        "Bearer bpm_",
        "Bearer bpm__",
        "Bearer bpm_0123_abcd",
        "Bearer bpm_é_\xff",
        "Bearer " + "x" * 100_000,
        "Bearer bpm_" + "9" * 10_000 + "_x",
    ],
)
async def test_a_caller_without_a_right_token_is_refused(accounts: Accounts, header: str | None) -> None:
    """No header, another scheme and every kind of nonsense are refused with a sentence."""
    with pytest.raises(Unauthenticated) as caught:
        await accounts.authenticate(header, HERE)
    assert caught.value.errors[0]


async def test_a_token_is_recognised_without_a_look_at_the_database(accounts: Accounts, user: User) -> None:
    """The second look at a header is a dictionary look-up: far below the work of any database."""
    header = f"Bearer {(await accounts.sessions.sign_in('ada', PASSWORD, HERE)).access_token}"
    await accounts.authenticate(header, HERE)
    best = min([await _microseconds(accounts, header) for _ in range(20)])
    assert best < 50


async def _microseconds(accounts: Accounts, header: str) -> float:
    headers = [header[:-1] + header[-1:] for _ in range(200)]  # each a new text, as from the wire
    effort = Effort()
    for each in headers:
        await accounts.authenticate(each, HERE)
    return effort.seconds / len(headers) * 1e6


async def test_a_token_ends_when_it_says(accounts: Accounts, user: User, clock: Clock) -> None:
    """An expired access token is refused and the caller is told to refresh."""
    pair = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    clock.advance(timedelta(seconds=900))
    with pytest.raises(Unauthenticated, match="has expired; get a new one with the refresh token"):
        await accounts.authenticate(f"Bearer {pair.access_token}", HERE)


async def test_a_known_token_is_not_taken_past_its_end(accounts: Accounts, user: User, clock: Clock) -> None:
    """A token that has a tenth of a second to live is forgotten after it."""
    pair = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    clock.advance(timedelta(seconds=899.9))
    assert not await refused(accounts, f"Bearer {pair.access_token}")
    clock.advance(timedelta(seconds=0.1))
    await asyncio.sleep(0.11)
    assert await refused(accounts, f"Bearer {pair.access_token}")


async def test_a_raised_version_ends_earlier_tokens(accounts: Accounts, user: User, database: Database) -> None:
    """Raising a user's token version refuses every access token issued before, not those after."""
    before = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    await change(database, User, user.id, token_version=1)
    after = await accounts.sessions.sign_in("ada", PASSWORD, HERE)
    assert await refused(accounts, f"Bearer {before.access_token}")
    assert not await refused(accounts, f"Bearer {after.access_token}")


async def test_a_key_is_recognised(accounts: Accounts, user: User, database: Database, clock: Clock) -> None:
    """An API key acts as itself, with what its scopes and its owner both allow."""
    key_id, text = await add_key(database, user, clock, ["*:write", "users:write", "audit:read"])
    principal = await accounts.authenticate(f"Bearer {text}", HERE)
    assert (principal.kind, principal.id, principal.name) == ("key", f"key:{key_id}", "ada/ci")
    assert principal.allows("webhooks:write")
    assert principal.allows("audit:read")
    assert not principal.allows("webhooks:read")
    assert not principal.allows("users:write")


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
async def test_a_dead_key_is_refused(
    accounts: Accounts, user: User, database: Database, clock: Clock, column: str
) -> None:
    """A revoked or expired key is refused."""
    columns: dict[str, Any] = {column: clock()}
    _, text = await add_key(database, user, clock, **columns)
    assert await refused(accounts, f"Bearer {text}")


async def test_a_key_with_another_secret_is_refused(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """The right id with a wrong secret is refused."""
    key_id, text = await add_key(database, user, clock)
    assert await refused(accounts, f"Bearer bpm_{key_id}_{'0' * 64}")
    assert await refused(accounts, f"Bearer {text[:-1]}")
    assert not await refused(accounts, f"bearer {text}")


async def test_a_key_of_a_disabled_user_is_refused(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """Disabling the owner stops the keys too."""
    _, text = await add_key(database, user, clock)
    await change(database, User, user.id, disabled_at=clock())
    assert await refused(accounts, f"Bearer {text}")


async def test_a_change_counts_at_once_after_forgetting(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """In the process that revokes a key the very next request is refused."""
    key_id, text = await add_key(database, user, clock)
    assert not await refused(accounts, f"Bearer {text}")
    await change(database, ApiKey, key_id, revoked_at=clock())
    accounts.forget()
    assert await refused(accounts, f"Bearer {text}")


async def test_another_process_s_change_counts_within_a_second(
    accounts: Accounts, user: User, database: Database, settings: Settings, clock: Clock
) -> None:
    """What another process revokes is refused here within a second, without being told."""
    key_id, text = await add_key(database, user, clock)
    assert not await refused(accounts, f"Bearer {text}")
    other = open_database(settings)
    await other.start()
    try:
        await change(other, ApiKey, key_id, revoked_at=clock())
    finally:
        await other.stop()
    await asyncio.sleep(0.95)
    assert await refused(accounts, f"Bearer {text}")


async def test_a_look_up_that_began_before_a_change_is_not_kept(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """A request that overtakes a revocation does not leave the key known after it."""
    key_id, text = await add_key(database, user, clock)
    for _ in range(20):
        under_way = asyncio.create_task(refused(accounts, f"Bearer {text}"))
        await asyncio.sleep(0)
        await change(database, ApiKey, key_id, revoked_at=clock())
        accounts.forget()
        await under_way
        assert await refused(accounts, f"Bearer {text}")
        await change(database, ApiKey, key_id, revoked_at=None)
        accounts.forget()


async def test_a_key_s_use_is_noted_once_a_minute(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """The first use is written down, further ones only after a minute."""
    key_id, text = await add_key(database, user, clock)
    first = clock()
    noted = []
    for seconds in (0, 30, 31):
        clock.advance(timedelta(seconds=seconds))
        accounts.forget()
        await accounts.authenticate(f"Bearer {text}", HERE)
        await accounts.stop()
        noted.append(await database.read(lambda tx: tx.session(None).get_one(ApiKey, key_id).last_used_at))
    assert noted == [first, first, first + timedelta(seconds=61)]


async def rights_of(accounts: Accounts, *ids: str) -> frozenset[str]:
    """What may be done on behalf of accounts at the moment."""
    return (await accounts.rights.present(acting("process", "", "", 1, Authority(ids)))).permissions


async def test_work_has_the_present_rights_of_its_accounts(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """Of a user what he may do now, of a key that within its scopes, of both what both may do."""
    key_id, _ = await add_key(database, user, clock, ["*:read", "webhooks:write"])
    assert await rights_of(accounts, f"user:{user.id}") == permissions_of(["operator"])
    assert await rights_of(accounts, f"key:{key_id}") == {"*:read", "webhooks:write"}
    assert await rights_of(accounts, f"user:{user.id}", f"key:{key_id}") == {"*:read", "webhooks:write"}
    assert await accounts.rights.present(SYSTEM) is SYSTEM


async def test_without_accounts_and_without_a_limit_nothing_may_be_done(accounts: Accounts) -> None:
    """An authority that says nothing gives nothing."""
    assert not await rights_of(accounts)


async def test_rights_that_are_taken_away_are_gone(accounts: Accounts, user: User, database: Database) -> None:
    """An account that lost its role, or was disabled, has lost it for the work on its behalf too."""
    assert await rights_of(accounts, f"user:{user.id}")
    await change(database, User, user.id, roles=[])
    accounts.forget()
    assert not await rights_of(accounts, f"user:{user.id}")
    await change(database, User, user.id, disabled_at=user.created_at)
    accounts.forget()
    with pytest.raises(Forbidden, match="'ada' is disabled"):
        await rights_of(accounts, f"user:{user.id}")


async def test_another_process_notices_within_a_second(accounts: Accounts, user: User, database: Database) -> None:
    """What another process changed, so that nobody said `forget` here, is asked anew after a moment."""
    assert await rights_of(accounts, f"user:{user.id}")
    await change(database, User, user.id, roles=[])
    await asyncio.sleep(TRUST_SECONDS + 0.05)
    assert not await rights_of(accounts, f"user:{user.id}")


async def test_a_key_that_ended_gives_no_rights(
    accounts: Accounts, user: User, database: Database, clock: Clock
) -> None:
    """What a key had made stops with it: when it is revoked, when it expires, and when the key that made it ends."""
    maker, _ = await add_key(database, user, clock, ["*:read"])
    made, text = await add_key(database, user, clock, ["*:read"], ends_with=[maker])
    short, _ = await add_key(database, user, clock, ["*:read"], expires_at=clock() + timedelta(minutes=1))
    for key in (maker, made, short):
        assert await rights_of(accounts, f"key:{key}")
    clock.advance(timedelta(minutes=2))
    await change(database, ApiKey, maker, revoked_at=clock())
    accounts.forget()
    for key, reason in ((maker, "was revoked"), (made, "with which 'ci' was made, was revoked"), (short, "expired")):
        with pytest.raises(Forbidden, match=reason):
            await rights_of(accounts, f"key:{key}")
    assert await refused(accounts, f"Bearer {text}")


@pytest.mark.parametrize("account", ["ada", "user:99", "user:x", "user:" + "9" * 30, "key:0123", "", "rule:1"])
async def test_an_unknown_account_gives_no_rights(accounts: Accounts, user: User, account: str) -> None:
    """A text that is no account's id, a user name too, is reported."""
    with pytest.raises(Forbidden, match="There is no"):
        await rights_of(accounts, account)


async def test_the_first_start_makes_an_administrator(accounts: Accounts, database: Database) -> None:
    """Without users one administrator is created, whose generated password is returned this once."""
    password = await accounts.ensure_administrator()
    assert password
    pair = await accounts.sessions.sign_in("admin", password, HERE)
    assert (await accounts.authenticate(f"Bearer {pair.access_token}", HERE)).allows("users:write")
    assert await accounts.ensure_administrator() is None
    assert await database.read(lambda tx: len(tx.session(None).exec(select(User)).all())) == 1


async def test_no_administrator_is_made_beside_others(accounts: Accounts, user: User, database: Database) -> None:
    """When anybody exists nothing is created."""
    assert await accounts.ensure_administrator() is None
    assert await database.read(lambda tx: len(tx.session(None).exec(select(User)).all())) == 1


async def test_a_configured_password_is_used_and_not_returned(database: Database, tmp_path: Path) -> None:
    """A password from the settings is not repeated, and later changes of the setting change nothing."""
    settings = Settings(data_dir=tmp_path, admin_username="root", admin_password=SecretStr(PASSWORD))
    accounts = Accounts(database, settings, KEY)
    assert await accounts.ensure_administrator() is None
    assert await accounts.sessions.sign_in("root", PASSWORD, HERE)
    later = Settings(data_dir=tmp_path, admin_username="other", admin_password=SecretStr("short"))
    assert await Accounts(database, later, KEY).ensure_administrator() is None


async def test_two_first_starts_make_one_administrator(
    database: Database, settings: Settings, accounts: Accounts
) -> None:
    """Processes that start together on an empty database create one administrator, and one password is shown."""
    starts = [Accounts(database, settings, KEY).ensure_administrator() for _ in range(3)]
    passwords = [password for password in await asyncio.gather(*starts) if password]
    assert len(passwords) == 1
    assert await accounts.sessions.sign_in("admin", passwords[0], HERE)


@pytest.mark.parametrize(
    ("username", "password", "setting"),
    [
        ("a b", PASSWORD, "BPM_ADMIN_USERNAME"),
        ("", PASSWORD, "BPM_ADMIN_USERNAME"),
        ("admin", "x", "BPM_ADMIN_PASSWORD"),
    ],
)
async def test_an_unusable_administrator_stops_the_start(
    database: Database, tmp_path: Path, username: str, password: str, setting: str
) -> None:
    """A user name or password that can't be accepted is reported by the name of its setting."""
    settings = Settings(data_dir=tmp_path, admin_username=username, admin_password=SecretStr(password))
    with pytest.raises(Misconfigured, match=setting):
        await Accounts(database, settings, KEY).ensure_administrator()


async def test_the_database_is_for_its_owner_only(database: Database, settings: Settings) -> None:
    """The folder in which hashes and keys lie can be entered by nobody else."""
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) & 0o077 == 0
