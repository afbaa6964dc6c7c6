"""What one unit of work asks of the embedded database: statements, and changes of its b-trees.

A row that is put into a table is one insertion, and so is each entry of an index that follows it; what is removed is
counted likewise. How many there are for a row is read off the program that SQLite compiles (`EXPLAIN`); an index that
leaves rows out counts with each.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event

from bpm.testing import RunningApp, WebhookReceiver, running_app, until
from tests.bench.payload import BODY
from tests.bench.process_runs import model
from tests.bench.product import EVENT, HEADERS, RULE

UNITS = 320
AT_ONCE = 32
WRITING = {"Insert": "rows", "IdxInsert": "entries", "Delete": "removed", "IdxDelete": "removed"}
COLUMNS = ("statements", "commits", "rows", "entries", "removed")

Work = Callable[[RunningApp], Awaitable[object]]


class Connection:
    """One connection's statements: how often each was executed, and how many rows it changed in all."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.times: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        self._driver = driver
        self._last = ""
        self._total = 0
        driver.set_trace_callback(self._note)

    def forget(self) -> None:
        """Begin anew."""
        self.times.clear()
        self.changed.clear()

    def _note(self, statement: str) -> None:
        """Note that a statement begins, and what the one before it changed."""
        total = self._driver.total_changes
        self.changed[self._last] += total - self._total
        self._last, self._total = statement, total
        self.times[statement] += 1


@contextmanager
def listening() -> Generator[list[Connection]]:
    """Listen to all connections that are opened in the block."""
    connections: list[Connection] = []

    def listen(driver: sqlite3.Connection, _record: object) -> None:
        connections.append(Connection(driver))

    event.listen(Engine, "connect", listen)
    try:
        yield connections
    finally:
        event.remove(Engine, "connect", listen)


def totals(connections: Iterable[Connection], file: Path) -> Counter[str]:
    """Return how often each of `COLUMNS` happened."""
    found: Counter[str] = Counter()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        for connection in connections:
            for statement, times in connection.times.items():
                found["commits" if statement == "COMMIT" else "statements"] += times
            for statement, changed in connection.changed.items():
                for what in _written(database, statement) if changed else ():
                    found[what] += changed
    return found


def _written(database: sqlite3.Connection, statement: str) -> list[str]:
    """Return what a statement does to b-trees for each row that it changes."""
    program = [(opcode, cursor) for _, opcode, cursor, *_ in database.execute(f"EXPLAIN {statement}")]
    stored = {cursor for opcode, cursor in program if opcode == "OpenWrite"}
    return [WRITING[opcode] for opcode, cursor in program if opcode in WRITING and cursor in stored]


class Unit(NamedTuple):
    """A kind of work: what is set, made before, done many times, and waited for at the end."""

    settings: Mapping[str, Any]
    prepare: Work
    work: Work
    is_over: Callable[[RunningApp], Awaitable[int]]
    """How many units are over."""


async def _measure(unit: Unit) -> Counter[str]:
    with TemporaryDirectory(prefix="bpm-") as folder, listening() as connections:
        async with running_app(Path(folder), **unit.settings) as app:
            await unit.prepare(app)
            for _ in range(AT_ONCE):  # what is made at the first use is not counted
                await unit.work(app)
            await until(partial(unit.is_over, app), lambda done: done >= AT_ONCE)
            for connection in connections:
                connection.forget()
            for _ in range(UNITS // AT_ONCE):
                await asyncio.gather(*(unit.work(app) for _ in range(AT_ONCE)))
            await until(partial(unit.is_over, app), lambda done: done >= UNITS + AT_ONCE, pause=0.5)
            return totals(connections, Path(folder) / "bpm.db")


def _rule(**over: Any) -> Work:
    return lambda app: app.cmd("CreateWebHookConfigCommand", **{**RULE, **over}, key="bench", path="bench")


async def _post(app: RunningApp) -> None:
    reply = await app.hook("bench", BODY, HEADERS)
    assert reply.ok, reply


def _in_state(*states: str) -> Callable[[RunningApp], Awaitable[int]]:
    return lambda app: app.count_requests(*states)


async def _subscribe(url: str, app: RunningApp) -> None:
    await app.cmd("RegisterEventTypeCommand", event=EVENT, description="Done.")
    await app.cmd("CreateSubscriptionCommand", name="bench", url=url, events=[EVENT])


async def _publish(app: RunningApp) -> None:
    await app.cmd("PublishEventCommand", event=EVENT, data={"order": 4711})


async def _delivered(app: RunningApp) -> int:
    return (await app.cmd("GetDeliveryListQuery", state="delivered", pageSize=1))["totalCount"]


async def _deploy(app: RunningApp) -> None:
    xml = model('<startEvent id="s"/><userTask id="t"/><endEvent id="e"/>', ("s", "t", "e"))
    await app.cmd("CreateProcessDefinitionCommand", name="bench", bpmnXml=xml)


async def _play(app: RunningApp) -> None:
    started = await app.cmd("StartProcessInstanceCommand", processDefinitionId=1, variables={"order": 4711})
    task = started["currentTasks"][0]["waitId"]
    await app.cmd("CompleteUserTaskCommand", instanceId=started["instanceId"], waitId=task, variables={"paid": True})


async def _played(app: RunningApp) -> int:
    return (await app.cmd("GetProcessInstanceListQuery", status="COMPLETED", pageSize=1))["totalCount"]


def _units(receiver: WebhookReceiver) -> dict[str, Unit]:
    """Return every kind of work by its title."""
    accepting, silent = {"worker": False}, {"delivery": {"allowed_networks": "127.0.0.0/8", "probe": "off"}}
    script = {"executionType": 2, "executionCode": "reply(200, {})", "commandName": None, "parameters": None}
    return {
        "webhook accepted": Unit(accepting, _rule(), _post, _in_state("pending")),
        "webhook executed": Unit({}, _rule(), _post, _in_state("done")),
        "sync command": Unit({}, _rule(responseMode="sync"), _post, _in_state("done")),
        "sync script": Unit({}, _rule(**script, responseMode="sync"), _post, _in_state("done")),
        "event published and delivered": Unit(silent, partial(_subscribe, receiver.url), _publish, _delivered),
        "process started, its task completed": Unit({}, _deploy, _play, _played),
    }


async def _all() -> dict[str, Counter[str]]:
    async with WebhookReceiver() as receiver:
        return {title: await _measure(unit) for title, unit in _units(receiver).items()}


def show(console: Console) -> None:
    """Measure, and print the table."""
    table = Table("unit", *COLUMNS, title="written for one unit, on SQLite")
    for title, found in asyncio.run(_all()).items():
        table.add_row(title, *(f"{found[column] / UNITS:.2f}" for column in COLUMNS))
    console.print(table)
