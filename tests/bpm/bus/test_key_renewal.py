"""An idempotency key is taken as long as somebody works on it, and not much longer."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

import pytest

from bpm.bus import Bus, Command, EffectContext, Envelope, Registry, handles, key_renewal
from bpm.bus.idempotency import LEASE, Idempotency
from bpm.bus.tables import find_key
from bpm.errors import Conflict
from bpm.jobs import JobQueue
from bpm.jobs.factory import open_jobs
from bpm.security.permissions import SYSTEM
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.store import Database
from bpm.testing import Clock, until

pytestmark = pytest.mark.anyio

GUARD = 60
"""Seconds after which a test fails instead of waiting on."""


@dataclass
class Errand:
    """An effect that goes on until the test lets it end."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0


class RunErrandCommand(Command[int]):
    """Reach outside for a long time."""

    permission: ClassVar[str | None] = None


@handles
async def run_errand(command: RunErrandCommand, context: EffectContext, errand: Errand) -> int:
    """Wait; return how often it was run."""
    errand.count += 1
    errand.begun.set()
    await errand.end.wait()
    return errand.count


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def errand() -> Errand:
    return Errand()


@pytest.fixture
def registry(errand: Errand) -> Registry:
    registry = Registry()
    registry.add(run_errand)
    registry.bind(errand)
    return registry


@pytest.fixture
def jobs(database: Database, settings: Settings, clock: Clock) -> JobQueue:
    return open_jobs(database, settings, clock)


@pytest.fixture
def buses(registry: Registry, database: Database, jobs: JobQueue, clock: Clock) -> tuple[Bus, Bus]:
    """Return those of two servers on one database."""
    first, second = (Bus(registry, database, jobs, SecretBox(b"k" * 32), clock) for _ in range(2))
    return first, second


ENVELOPE = Envelope(RunErrandCommand(), SYSTEM, idempotency_key="k", fingerprint="f")


async def renewed_at(database: Database) -> datetime:
    """Return when the key was renewed last."""
    key = await database.read(lambda tx: find_key(tx, SYSTEM.id, "k"))
    assert key is not None
    return key.created_at


async def test_a_key_is_not_lost_while_its_effect_runs(
    buses: tuple[Bus, Bus], errand: Errand, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes, at this server and at others: a repetition would do it a second time beside it."""
    monkeypatch.setattr(key_renewal, "RENEW_SECONDS", 0.01)
    first = asyncio.create_task(buses[0].execute(ENVELOPE))
    try:
        async with asyncio.timeout(GUARD):
            await errand.begun.wait()
        for _ in range(3):
            clock.advance(LEASE * 2)
            await until(lambda: renewed_at(database), lambda at: at == clock(), seconds=GUARD)
            for bus in buses:
                assert isinstance((await bus.execute(ENVELOPE)).error, Conflict)
    finally:
        errand.end.set()
    assert (await first).unwrap() == errand.count == 1
    assert (await buses[1].execute(ENVELOPE)).replayed


async def test_a_key_that_could_not_be_renewed_is_not_lost_to_its_own_process(
    buses: tuple[Bus, Bus], errand: Errand, clock: Clock
) -> None:
    """The database may have been away for long."""
    first = asyncio.create_task(buses[0].execute(ENVELOPE))
    try:
        async with asyncio.timeout(GUARD):
            await errand.begun.wait()
        clock.advance(LEASE * 2)
        assert isinstance((await buses[0].execute(ENVELOPE)).error, Conflict)
    finally:
        errand.end.set()
    assert (await first).unwrap() == errand.count == 1


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_key_whose_process_is_gone_may_be_used_again(
    buses: tuple[Bus, Bus], errand: Errand, database: Database, registry: Registry, clock: Clock, sign: int
) -> None:
    """Soon, also when the clock was set back meanwhile."""
    errand.end.set()
    gone = Idempotency(clock, registry, buses[0].box)
    await database.write(lambda tx: gone.before(tx, ENVELOPE))
    clock.advance(sign * (LEASE - timedelta(seconds=1)))
    assert isinstance((await buses[0].execute(ENVELOPE)).error, Conflict)
    clock.advance(sign * timedelta(seconds=2))
    assert (await buses[0].execute(ENVELOPE)).unwrap() == 1
