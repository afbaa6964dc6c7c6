"""What attacks share: the parts of the product that tests of commands use, too, and two server processes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.testing import running_app
from tests.attacks.pair import SECONDS, Pair
from tests.commands.conftest import components, sandbox, sender

__all__ = ["components", "pair", "sandbox", "sender"]


@pytest.fixture
async def pair(postgres_url: str, httpserver: HTTPServer) -> AsyncIterator[Pair]:
    """Two processes without workers, so that nothing else is written; Mono is a server on loopback."""
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "secret_key": "ab" * 32,
        "worker": False,
        "command_packages": ("tests.router.probes",),
        "handler_seconds": SECONDS,
        "delivery": {"probe": "off"},
        "mono": {"webhook_secret": "s", "secret_key": "test_sk", "base_url": httpserver.url_for("")},
    }
    async with running_app(**settings) as one, running_app(**settings) as other:
        yield Pair(one, other)
