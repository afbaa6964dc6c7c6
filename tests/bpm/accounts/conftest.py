"""Accounts on a real database, and a clock that stands still until it is told."""

from collections.abc import AsyncIterator

import pytest

from bpm.accounts import Accounts
from bpm.accounts.tables import User
from bpm.security.passwords import Passwords
from bpm.settings import Settings
from bpm.store import Database, Transaction
from bpm.testing import Clock

KEY = b"a key of thirty-two bytes or more"
PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def accounts(database: Database, settings: Settings, clock: Clock) -> AsyncIterator[Accounts]:
    accounts = Accounts(database, settings, KEY, clock)
    yield accounts
    await accounts.stop()


@pytest.fixture
async def user(database: Database, clock: Clock) -> User:
    """An enabled user `ada` with the role operator and the password above."""
    hashed = await Passwords().hash(PASSWORD)

    def add(tx: Transaction):
        row = User(username="ada", roles=["operator"], password_hash=hashed, created_at=clock())
        tx.session(None).add(row)
        tx.flush()
        return row

    return await database.write(add)
