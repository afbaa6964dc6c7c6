"""A disk that is full: nothing is acknowledged, nothing acknowledged is lost, and room is enough to go on."""

import asyncio
import resource

import pytest

from bpm.testing import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]

BODY = {"text": "x" * 100_000}
NO_ROOM = 4096
"""No file of the server may be written beyond this many bytes: not even a page of the database fits."""


def limit_files(server: ServerProcess, size: int) -> None:
    """Let no file of the server grow beyond `size`, as the system does when the disk is full."""
    _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, most))


async def test_a_full_disk_refuses_and_room_is_enough_to_go_on() -> None:
    """503 with `Retry-After` while the disk is full; afterwards the same process executes all it acknowledged."""
    async with ServerProcess() as server:
        await server.rule("hook", commandName="PublishEventCommand", parameters={"event": "hook.came", "data": {}})
        acknowledged = 0
        for _ in range(5):
            acknowledged += (await server.hook("hook", BODY)).ok
        assert acknowledged == 5

        limit_files(server, NO_ROOM)
        refusals = [await server.hook("hook", BODY) for _ in range(10)]
        acknowledged += sum(reply.ok for reply in refusals)
        refused = [reply for reply in refusals if not reply.ok]
        assert refused
        assert {reply.status for reply in refused} == {503}
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        async with asyncio.timeout(30):
            while (await server.request("GET", "/readyz")).ok:  # an answer is good for a moment
                await asyncio.sleep(0.1)

        limit_files(server, resource.RLIM_INFINITY)
        await asyncio.sleep(1)
        for _ in range(5):
            acknowledged += (await server.hook("hook", BODY)).ok
        await server.settled()
        assert (await server.cmd("GetEventListQuery", event="hook.came"))["totalCount"] == acknowledged
        assert acknowledged >= 10
