"""One sandbox for the tests of a module: starting one is what takes time."""

from collections.abc import AsyncIterator

import pytest

from scripts import Limits, Sandbox
from tests.scripts.open_sandboxes import OpenSandbox


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """The sandbox as the product starts it; what ends a script by itself here is its processor time, not the clock."""
    async with Sandbox(Limits(cpu_seconds=0.3)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
async def wall() -> AsyncIterator[OpenSandbox]:
    """The sandbox without its language layer."""
    async with OpenSandbox() as sandbox:
        yield sandbox
