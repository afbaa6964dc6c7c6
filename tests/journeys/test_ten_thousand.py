"""Ten thousand acknowledged requests, and everything that can die dies: none is lost, none has its effect twice."""

import asyncio
import random

import pytest

from bpm.testing import ServerProcess, WorkerProcess
from tests.journeys.flood import ENVIRONMENT, Flood, everything_done, prepare
from tests.postgres import Cluster, cluster

pytestmark = pytest.mark.anyio

REQUESTS = 10_000


@pytest.mark.embedded
async def test_kills_on_sqlite() -> None:
    """A server and a worker on one file are killed at random moments."""
    async with ServerProcess(**ENVIRONMENT, BPM_WORKER="false") as server, WorkerProcess(server) as worker:
        await prepare(server)
        async with Flood([server.url], REQUESTS).flowing() as flood:
            for share in random_moments(3):
                await flood.reached(share)
                await asyncio.gather(server.kill(), worker.kill())
                await asyncio.gather(server.start(), worker.start())
        assert flood.lost_connections > 0, "no kill met a request under way"
        await server.login()
        await everything_done(server, REQUESTS)


@pytest.fixture
def own_cluster():
    """A PostgreSQL of the test's own, to be crashed."""
    with cluster() as running:
        yield running


async def test_kills_on_postgres(own_cluster: Cluster) -> None:
    """The database crashes, and a worker and a server are killed, at random moments."""
    environment = {**ENVIRONMENT, "BPM_WORKER": "false", "BPM_DATABASE_URL": own_cluster.url}
    async with ServerProcess(**environment) as server, WorkerProcess(server) as worker:
        await prepare(server)
        async with Flood([server.url], REQUESTS).flowing() as flood:
            first, second, third = random_moments(3)
            await flood.reached(first)
            await asyncio.to_thread(own_cluster.stop, "immediate")
            await asyncio.to_thread(own_cluster.start)
            await flood.reached(second)
            await worker.kill()
            await flood.reached(third)
            await server.kill()
            await asyncio.gather(server.start(), worker.start())
        assert flood.lost_connections > 0, "no kill met a request under way"
        await server.login()
        await everything_done(server, REQUESTS)


def random_moments(count: int) -> list[float]:
    """Return shares of the flood, in order, at which something dies."""
    return sorted(random.uniform(0.05, 0.85) for _ in range(count))  # noqa: S311 moments, not secrets
