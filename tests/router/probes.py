"""An application's commands whose behaviour the tests choose; every run leaves an event of the given name."""

import asyncio
from collections import Counter, defaultdict

import httpx
from pydantic import Field

from bpm.bus import Command, Context, EffectContext, View, handles
from bpm.errors import Failed

tries: Counter[str] = Counter()
"""How often each name was tried."""

released: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
"""What lets the `HoldCommand` of a name go on."""

ended: set[str] = set()
"""The events of each `HoldCommand` that went on and came to an end, whichever."""


class ProbeView(View):
    """What a probe returns; the name of its field is one that scripts' results have, too."""

    reply: str


class NoteCommand(Command[ProbeView]):
    """Leave an event, in the request's own transaction."""

    permission = "events:write"
    succeeded = "Noted"

    event: str
    text: str = ""


@handles
def note(command: NoteCommand, context: Context) -> ProbeView:
    """Publish it."""
    context.call("PublishEventCommand", {"event": command.event, "data": {"text": command.text}})
    return ProbeView(reply=command.text or command.event)


class StumbleCommand(Command[ProbeView]):
    """Leave an event and fail, as often as told, then succeed."""

    permission = "events:write"
    failed = "Stumbled"

    event: str
    times: int = Field(ge=0)


@handles
def stumble(command: StumbleCommand, context: Context) -> ProbeView:
    """Publish, then look whether to fail."""
    context.call("PublishEventCommand", {"event": command.event, "data": {}})
    tries[command.event] += 1
    if tries[command.event] <= command.times:
        raise Failed(f"try {tries[command.event]} of {command.event} failed")
    return ProbeView(reply=command.event)


class CrashCommand(Command[ProbeView]):
    """End as a mistake in a handler does."""

    permission = "events:write"

    event: str


@handles
def crash(command: CrashCommand, context: Context) -> ProbeView:
    """Publish, then divide by nothing."""
    context.call("PublishEventCommand", {"event": command.event, "data": {}})
    return ProbeView(reply=str(1 / 0))


class DawdleCommand(Command[ProbeView]):
    """Take time outside any transaction, then leave an event."""

    permission = "events:write"
    succeeded = "Done at last"

    event: str
    seconds: float


@handles
async def dawdle(command: DawdleCommand, context: EffectContext) -> ProbeView:
    """Wait, then publish."""
    tries[command.event] += 1
    await asyncio.sleep(command.seconds)
    await context.call("PublishEventCommand", {"event": command.event, "data": {}})
    return ProbeView(reply=command.event)


class HoldCommand(Command[ProbeView]):
    """Wait until the test lets it go, then leave an event."""

    permission = "events:write"
    succeeded = "Done at last"

    event: str


@handles
async def hold(command: HoldCommand, context: EffectContext) -> ProbeView:
    """Wait, then publish."""
    tries[command.event] += 1
    await released[command.event].wait()
    try:
        await context.call("PublishEventCommand", {"event": command.event, "data": {}})
    finally:
        ended.add(command.event)
    return ProbeView(reply=command.event)


class OvertakenCommand(Command[ProbeView]):
    """Leave an event with the settlement; the first try waits for the test to let it go."""

    permission = "events:write"

    event: str


@handles
async def be_overtaken(command: OvertakenCommand, context: EffectContext) -> ProbeView:
    """Wait, if it is the first, and conclude."""
    tries[command.event] += 1
    if tries[command.event] == 1:
        await released[command.event].wait()

    def publish(inside: Context) -> ProbeView:
        inside.call("PublishEventCommand", {"event": command.event, "data": {}})
        return ProbeView(reply=command.event)

    return await context.conclude(publish)


class OutageCommand(Command[ProbeView]):
    """Lose the database as often as told, then leave an event."""

    permission = "events:write"
    succeeded = "Done at last"

    event: str
    times: int = Field(ge=0)


@handles
async def outlast(command: OutageCommand, context: EffectContext) -> ProbeView:
    """Conclude in vain, if it is too early, then conclude."""
    tries[command.event] += 1
    if tries[command.event] <= command.times:
        await context.conclude(_lose_database)

    def publish(inside: Context) -> ProbeView:
        inside.call("PublishEventCommand", {"event": command.event, "data": {}})
        return ProbeView(reply=command.event)

    return await context.conclude(publish)


def _lose_database(context: Context) -> ProbeView:
    """End the connection, or let the disk of this one be full."""
    connection = context.tx.connection
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.exec_driver_sql("PRAGMA max_page_count=1")
    connection.exec_driver_sql("CREATE TABLE large AS SELECT randomblob(1000000) AS bytes")
    return ProbeView(reply="the database is there")


class CallOutCommand(Command[ProbeView]):
    """Call an address outside, with the key by which it may tell a repeated call from a new one."""

    permission = "events:write"

    url: str


@handles
async def call_out(command: CallOutCommand, context: EffectContext) -> ProbeView:
    """Post to it and wait for the answer."""
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(command.url, headers={"idempotency-key": context.effect_key})
    return ProbeView(reply=str(answer.status_code))
