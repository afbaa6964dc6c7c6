"""A worker that delivers what was published before it started, to receivers in this process."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from sqlalchemy import select

from bpm.app import App
from bpm.bus import Envelope
from bpm.events.delivery_tables import ATTEMPTS, DELIVERIES, KIND, PENDING
from bpm.events.tables import EVENTS
from bpm.jobs import Job
from bpm.security.identifiers import new_id
from bpm.security.permissions import SYSTEM
from bpm.settings import Settings
from bpm.store import Transaction
from tests.bench.benchmark import Figure, Measure
from tests.bench.servers import Server
from tests.bench.stage import Stage

RECEIVERS = 5
EVENTS_A_SECOND = 300
WAITING = 100_000
DUE = 300
HUNDRED = 100
EVENTS_BESIDE = 20
BATCH = 200
PATIENCE_SECONDS = 60
FILLING_SECONDS = 25
DATA = {"order": 4711, "text": "x" * 800}
EVENT = {"organization_id": 1, "name": "bench.done", "data": DATA, "ordering_key": None, "correlation_id": "bench"}
DELIVERY = {"organization_id": 1, "subscription_id": 1, "event": "bench.done", "state": PENDING}

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


def throughput(stage: Stage) -> Measure:
    """Every event to each of five receivers, which answer at once."""
    return lambda seconds: asyncio.run(_throughput(_folder(stage), seconds * EVENTS_A_SECOND))


def lateness(stage: Stage) -> Measure:
    """Deliveries that become due over some seconds, while a hundred thousand others wait for hours."""
    return lambda seconds: asyncio.run(_lateness(_folder(stage), seconds))


def beside_a_hanging_one(stage: Stage) -> Measure:
    """Twenty events to each of a hundred receivers, one of which never answers."""
    return lambda _seconds: asyncio.run(_beside(_folder(stage)))


async def _throughput(folder: Path, events: int) -> Figure:
    async with _receivers(RECEIVERS) as urls, _Bench(folder) as bench:
        await bench.subscribe(urls)
        await bench.publish(events)
        return await bench.deliver(events * RECEIVERS)


async def _lateness(folder: Path, seconds: int) -> Figure:
    async with _receivers(1) as urls, _Bench(folder) as bench:
        await bench.subscribe(urls)
        begin = datetime.now(UTC) + timedelta(seconds=FILLING_SECONDS)
        await bench.fill([begin + timedelta(hours=1)] * WAITING)
        await bench.fill([begin + timedelta(seconds=seconds * number / DUE) for number in range(DUE)])
        return await bench.deliver(DUE, from_due=True)


async def _beside(folder: Path) -> Figure:
    async with _receivers(HUNDRED, hanging=1) as urls, _Bench(folder) as bench:
        await bench.subscribe(urls)
        await bench.publish(EVENTS_BESIDE)
        return await bench.deliver(EVENTS_BESIDE * (HUNDRED - 1))


@dataclass
class _Bench:
    """A data folder, filled in this process and worked off by `bpm worker`."""

    folder: Path

    async def __aenter__(self) -> "_Bench":
        delivery: Any = {"allowed_networks": "127.0.0.0/8", "probe": "off"}
        self.settings = Settings(data_dir=self.folder, worker=False, delivery=delivery, log_level="error")
        self.app = App(self.settings)
        await self.app.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.app.stop()

    async def subscribe(self, urls: list[str]) -> None:
        """Subscribe each URL to the benchmark's events."""
        for url in urls:
            fields = {"url": url, "events": ["bench.*"], "timeoutSeconds": 30}
            await self.app.bus.send(self.app.registry.decode("CreateSubscriptionCommand", fields), SYSTEM)

    async def publish(self, count: int) -> None:
        """Publish so many events, many in one transaction."""
        message = self.app.registry.decode("PublishEventCommand", {"event": "bench.done", "data": DATA})

        def work(tx: Transaction) -> None:
            for _ in range(BATCH):
                self.app.bus.perform(tx, Envelope(message, SYSTEM))

        for _ in range(-(-count // BATCH)):
            await self.app.database.write(work)

    async def fill(self, dues: list[datetime]) -> None:
        """Store deliveries that are due then, each of an event of its own."""

        def work(tx: Transaction, some: list[datetime]) -> None:
            for due in some:
                event = {**EVENT, "id": new_id(), "created_at": due}
                delivery: dict[str, Any] = {
                    **DELIVERY,
                    "id": new_id(),
                    "event_id": event["id"],
                    "due_at": due,
                    "created_at": due,
                }
                tx.append(EVENTS, event)
                tx.append(DELIVERIES, delivery)
                self.app.jobs.enqueue(tx, Job(KIND, delivery["id"], 0, due, 1))

        for first in range(0, len(dues), BATCH):
            some = dues[first : first + BATCH]
            await self.app.database.write(lambda tx, some=some: work(tx, some))

    async def deliver(self, count: int, *, from_due: bool = False) -> Figure:
        """Run a worker until so many are delivered.

        The milliseconds are those from the first attempt, or from its own time, until each was delivered or begun.
        """
        async with self._worker() as worker:
            began, cpu = time.monotonic(), worker.cpu_seconds()
            while len(found := await self._delivered()) < count and time.monotonic() - began < PATIENCE_SECONDS:
                await asyncio.sleep(0.25)
            spent = worker.cpu_seconds() - cpu
        first = min(row.created_at for row in found)
        ends = [row.created_at + timedelta(milliseconds=row.duration_ms) for row in found]
        if from_due:
            times = [(row.created_at - row.published_at).total_seconds() * 1000 for row in found]
        else:
            times = [(end - first).total_seconds() * 1000 for end in ends]
        cuts = quantiles(times, n=100)
        seconds = (max(ends) - first).total_seconds()
        return Figure(len(found), seconds, spent, cuts[49], cuts[98], lost=max(count - len(found), 0))

    async def _delivered(self) -> Sequence[Any]:
        """Return when the good attempts began, how long they took, and when their deliveries were made."""
        made = DELIVERIES.c.created_at.label("published_at")
        statement = select(ATTEMPTS.c.created_at, ATTEMPTS.c.duration_ms, made).where(
            ATTEMPTS.c.ok, ATTEMPTS.c.delivery_id == DELIVERIES.c.id
        )
        return await self.app.database.read(lambda tx: tx.connection.execute(statement).all())

    @asynccontextmanager
    async def _worker(self) -> AsyncGenerator[Server]:
        settings = {"BPM_DATA_DIR": str(self.folder), "BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}
        command = (sys.executable, "-m", "bpm.cli", "worker")
        log = (self.folder / "worker.log").open("wb")
        process = await asyncio.create_subprocess_exec(*command, env=settings, stdout=log, stderr=log)
        try:
            while b"BPM Bus works" not in (self.folder / "worker.log").read_bytes():
                await asyncio.sleep(0.05)
            yield Server(process.pid, 0)
        finally:
            process.terminate()
            await process.wait()
            log.close()


@asynccontextmanager
async def _receivers(count: int, hanging: int = 0) -> AsyncGenerator[list[str]]:
    """Listen on so many ports; the first `hanging` of them never answer."""
    tasks: set[asyncio.Task[Any]] = set()

    def kept(serve: Callable[[Reader, Writer], Awaitable[None]]) -> Callable[[Reader, Writer], Awaitable[None]]:
        async def serve_and_forget(reader: Reader, writer: Writer) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await serve(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                writer.close()
            finally:
                tasks.discard(task)

        return serve_and_forget

    serves = [kept(_hang if number < hanging else _answer) for number in range(count)]
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in serves]
    yield [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/" for server in servers]
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(reader: Reader, writer: Writer) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def _hang(reader: Reader, writer: Writer) -> None:
    await asyncio.sleep(3600)


def _folder(stage: Stage) -> Path:
    folder = stage.folder / f"deliveries-{time.monotonic_ns()}"
    folder.mkdir()
    return folder
