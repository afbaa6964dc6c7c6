"""A million stored requests are listed as fast as a few."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.crowd import fill, multiply

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

LIMIT_SECONDS = 0.2
TRIES = 5
"""The fastest of so many counts, in processor time: other work on the machine is not what is measured."""


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[RunningApp]:
    async with running_app() as server:
        await fill(server.app.database, 62_500)
        await multiply(server.app.database, 16)
        yield server


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"pageNumber": 50_000},
        {"pageNumber": 100_000, "sortDirection": "asc"},
        {"state": "done", "pageNumber": 45_000},
        {"configId": 3, "sortDirection": "asc"},
        {"configKey": "rule-3", "pageNumber": 2_000},
        {"verdict": "passed", "pageNumber": 40_000},
        {"verdict": "signature"},
        {"startDate": "2018-01-01", "endDate": "2024-01-01", "pageSize": 200},
        {"searchText": "nowhere to be found"},
    ],
    ids=str,
)
async def test_a_page_comes_at_once(server: RunningApp, wanted: dict[str, Any]) -> None:
    """A page with its total count takes less than 200 ms of work, whatever the filter, however deep."""
    took: list[float] = []
    for _ in range(TRIES):
        began = time.process_time()
        await server.cmd("GetInboundRequestListQuery", **wanted)
        took.append(time.process_time() - began)
    assert min(took) < LIMIT_SECONDS
