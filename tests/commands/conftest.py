"""What tests of the command areas share: the product as it is composed, without its addresses and workers."""

from collections.abc import AsyncIterator

import pytest

from bpm.app import Components, build_components
from bpm.security.secrets import load_secret_key
from bpm.settings import Settings
from bpm.store import Database
from scripts import Sandbox
from tests.commands.sender import MessageSender


@pytest.fixture(scope="session")
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:
    """A started sandbox."""
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def components(settings: Settings, sandbox: Sandbox, tables: None) -> AsyncIterator[Components]:
    """Everything behind the addresses, on a started database: jobs are kept and not run."""
    load_secret_key(settings)  # of the data folder, which has a database already
    components = build_components(settings, sandbox=sandbox)
    await components.foundation.database.start()
    await components.foundation.jobs.prepare()
    yield components
    await components.accounts.stop()
    await components.provider_client.close()
    await components.foundation.database.stop()


@pytest.fixture
def database(components: Components) -> Database:
    """The database of these parts."""
    return components.foundation.database


@pytest.fixture
def sender(components: Components) -> MessageSender:
    """A sender of every message."""
    return MessageSender(components)
