"""Addresses that two server processes give away at the same moment."""

import asyncio
from typing import Any

import pytest

from bpm.testing import running_app

pytestmark = pytest.mark.anyio

RULE = {"description": "d", "isEnabled": True, "action": "POST", "executionType": 0, "commandName": "PingQuery"}


async def test_one_of_two_processes_takes_an_address(postgres_url: str) -> None:
    """The database has no constraint: who saves a configuration holds a lock while its address is looked up."""
    settings: dict[str, Any] = {"database_url": postgres_url, "secret_key": "ab" * 32}
    async with running_app(**settings) as one, running_app(**settings) as other:
        for path in ("first", "second", "third", "fourth"):
            rules = [{**RULE, "path": path, "key": f"{path}-{number}"} for number in range(4)]
            sent = [
                app.send("CreateWebHookConfigCommand", rule)
                for app, rule in zip((one, other, one, other), rules, strict=True)
            ]
            assert sorted([answer.status for answer in await asyncio.gather(*sent)]) == [200, 409, 409, 409]
