"""Work that waits too long is told of by an event, once an hour, however many processes look."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bpm.events.queue_watch import STALE_SECONDS, QueueWatch
from bpm.jobs.sqlite import TOKENS
from bpm.testing import RunningApp, running_app
from bpm.testing.clock import Clock

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]


async def told(app: RunningApp) -> list[dict[str, object]]:
    """Return what was told, the newest first."""
    return [event["data"] for event in (await app.cmd("GetEventListQuery", event="queue.stale"))["items"]]


async def test_what_waits_too_long_is_told_once_an_hour() -> None:
    """Nothing while it is due for less; the same hour's is told once by all processes together, the next one's anew.

    Nobody keeps it quiet by an event of their own under the key that it had.
    """
    clock = Clock()
    async with running_app(clock=clock, worker=False) as app:
        await app.rule("waits", commandName="PingQuery")
        assert (await app.hook("waits", {})).ok
        watches = [app.app.queue_watch, QueueWatch(app.app.bus, app.app.jobs, clock)]
        for watch in watches:
            await watch.look()
        assert await told(app) == []
        due = update(TOKENS).values(execute_after=TOKENS.c.execute_after - STALE_SECONDS)
        await app.app.database.write(lambda tx: tx.connection.execute(due))
        taken = f"queue.stale inbound {clock():%Y-%m-%dT%H}"
        await app.cmd("PublishEventCommand", event="some.other", data={}, idempotencyKey=taken)
        for watch in [*watches, *watches]:
            await watch.look()
        (event,) = await told(app)
        assert (event["kind"], event["waiting"]) == ("inbound", 1)
        clock.advance(timedelta(hours=1))
        await app.login()
        for watch in watches:
            await watch.look()
        assert len(await told(app)) == 2
