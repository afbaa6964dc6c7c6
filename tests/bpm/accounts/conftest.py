"""Accounts on a real database, and a clock that is set by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bpm.accounts import Accounts
from bpm.accounts.tables import User
from bpm.security.passwords import Passwords
from bpm.settings import Settings
from bpm.store import Database, Transaction

KEY = b"a key of thirty-two bytes or more"
PASSWORD = "correct horse battery"


class HandClock:
    """Shows the time it was set to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def accounts(database: Database, settings: Settings, clock: HandClock) -> AsyncIterator[Accounts]:
    accounts = Accounts(database, settings, KEY, clock)
    yield accounts
    await accounts.stop()


@pytest.fixture
async def user(database: Database, clock: HandClock) -> User:
    """An enabled user `ada` with the role operator and the password above."""
    hashed = await Passwords().hash(PASSWORD)

    def add(tx: Transaction):
        row = User(username="ada", roles=["operator"], password_hash=hashed, created_at=clock())
        tx.session(None).add(row)
        tx.flush()
        return row

    return await database.write(add)
