"""What is particular to PostgreSQL: a server that goes away, locks of others, what it refuses to start on."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import select, text, update

from bpm.errors import Invalid, Misconfigured, StorageUnavailable
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database, postgres
from bpm.store.faults import Fault
from bpm.store.postgres import diagnose, plain_dsn
from bpm.testing import until
from tests.contracts.database import RENAME, SAMPLES, insert, words
from tests.postgres import Cluster

pytestmark = pytest.mark.anyio


@pytest.fixture
async def fragile(own_cluster: Cluster, tmp_path: Path) -> AsyncIterator[Database]:
    """A started database, without rows, on a server that may be stopped."""
    async with started(own_cluster.url, tmp_path) as database:
        await database.write(lambda tx: tx.connection.execute(SAMPLES.delete()))
        yield database


@pytest.fixture
async def database(postgres_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A started database on the common server."""
    async with started(postgres_url, tmp_path) as database:
        yield database


@asynccontextmanager
async def started(url: str, folder: Path, **settings: Any) -> AsyncGenerator[Database]:
    """Start a database and stop it at the end."""
    database = open_database(Settings(data_dir=folder, database_url=url, **settings))
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


async def refusal(url: str, folder: Path, **settings: Any) -> str:
    """Try to start, and return what was said against it."""
    with pytest.raises(Misconfigured) as told:
        async with started(url, folder, **settings):
            pass
    return str(told.value)


async def test_a_crash_of_the_server_loses_nothing_that_was_acknowledged(
    fragile: Database, own_cluster: Cluster
) -> None:
    """Under load: 503 while the server is away, work again when it is back, every acknowledged row there once."""
    acknowledged: set[str] = set()
    refused: list[str] = []
    numbers = itertools.count()
    going_on = True

    async def keep_writing() -> None:
        while going_on:
            word = f"w{next(numbers)}"
            try:
                acknowledged.add(await fragile.write(insert(word)))
            except StorageUnavailable:
                refused.append(word)
                await asyncio.sleep(0.02)

    writers = [asyncio.create_task(keep_writing()) for _ in range(20)]
    await until(lambda: len(acknowledged) > 20, seconds=60)
    await asyncio.to_thread(own_cluster.stop, "immediate")
    before = len(acknowledged)
    await asyncio.sleep(0.3)
    assert len(acknowledged) == before
    with pytest.raises(StorageUnavailable):
        await fragile.read(words)
    await asyncio.to_thread(own_cluster.start)
    await until(lambda: len(acknowledged) > before, seconds=60)
    going_on = False
    await asyncio.gather(*writers)
    assert refused
    found = await fragile.read(words)
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))


async def test_a_restart_between_two_requests_is_not_noticed(fragile: Database, own_cluster: Cluster) -> None:
    """Connections that died while nobody used them cost nobody an error."""
    await fragile.write(insert("a"))
    await fragile.read(words)
    await asyncio.to_thread(own_cluster.stop, "fast")
    await asyncio.to_thread(own_cluster.start)
    await asyncio.sleep(1)
    await fragile.write(insert("b"))
    assert await fragile.read(words) == ["a", "b"]


async def test_a_commit_of_unknown_outcome_is_not_acknowledged_and_not_repeated(
    fragile: Database, own_cluster: Cluster
) -> None:
    """When the server dies during COMMIT the caller is told 503, and the work ran once: here it took effect."""
    await fragile.write(insert("a"))
    runs = 0

    def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        insert("b")(tx)

    own_cluster.configure(synchronous_standby_names="'nobody'")  # a commit waits until nobody has it too
    await asyncio.sleep(0.3)
    pending = asyncio.create_task(fragile.write(work))
    await asyncio.sleep(0.5)
    assert not pending.done()
    await asyncio.to_thread(own_cluster.stop, "immediate")
    with pytest.raises(StorageUnavailable):
        await pending
    own_cluster.forget_settings()
    await asyncio.to_thread(own_cluster.start)
    assert runs == 1
    assert await fragile.read(words) == ["a", "b"]


async def test_a_backend_that_is_ended_costs_one_group(database: Database, postgres_url: str) -> None:
    """An administrator who ends our connections is answered by new ones."""
    await database.write(insert("a"))
    other = cast("Any", await asyncpg.connect(plain_dsn(postgres_url)))
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    await other.close()
    results = await asyncio.gather(database.write(insert("b")), return_exceptions=True)
    assert isinstance(results[0], StorageUnavailable)
    await database.write(insert("b"))
    assert await database.read(words) == ["a", "b"]


async def test_two_processes_that_change_the_same_rows_both_finish(
    database: Database, postgres_url: str, tmp_path: Path
) -> None:
    """Groups that lock each other's rows, in whichever order, are sorted out and every change counts once."""
    names = [f"w{number}" for number in range(6)]
    await database.write(lambda tx: [insert(name)(tx) for name in names])

    def add_mark(name: str) -> Callable[[Transaction], int]:
        statement = update(SAMPLES).where(SAMPLES.c.word == name).values(mood=SAMPLES.c.mood + "!")
        return lambda tx: tx.connection.execute(statement).rowcount

    async def keep_changing(where: Database, order: list[str]) -> None:
        for _ in range(5):
            assert await asyncio.gather(*(where.write(add_mark(name)) for name in order)) == [1] * len(order)

    async with started(postgres_url, tmp_path) as other:
        await asyncio.gather(keep_changing(database, names), keep_changing(other, names[::-1]))
    moods = await database.read(lambda tx: tx.connection.execute(select(SAMPLES.c.mood)).scalars().all())
    assert moods == ["calm" + "!" * 10] * 6


async def test_a_row_that_others_hold_fails_alone(database: Database, postgres_url: str) -> None:
    """A unit that waits for a foreign transaction is told 503 in the end; its neighbours are committed."""
    await database.write(lambda tx: [insert(word)(tx) for word in ("a", "b")])
    other = cast("Any", await asyncpg.connect(plain_dsn(postgres_url)))
    await other.execute("BEGIN; UPDATE writer_sample SET mood = 'held' WHERE word = 'a'")

    def rename(old: str) -> Callable[[Transaction], Any]:
        return lambda tx: tx.change(RENAME, {"old": old, "new": f"new {old}"})

    results = await asyncio.gather(
        *(database.write(work) for work in (rename("a"), rename("b"), insert("c"))), return_exceptions=True
    )
    await other.execute("ROLLBACK")
    await other.close()
    assert [type(result) for result in results] == [StorageUnavailable, type(None), str]
    await database.write(rename("a"))
    assert await database.read(words) == ["c", "new a", "new b"]


async def test_text_with_a_nul_is_the_callers_mistake(database: Database) -> None:
    """PostgreSQL can't store the character; whoever sent it is told so, and nobody else is troubled."""
    results = await asyncio.gather(
        database.write(insert("a")),
        database.write(insert("b\x00")),
        database.write(insert("c")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [str, Invalid, str]
    search = select(SAMPLES.c.id).where(SAMPLES.c.word == "\x00")
    with pytest.raises(Invalid, match="NUL"):
        await database.read(lambda tx: tx.connection.execute(search).all())
    assert await database.read(words) == ["a", "c"]


async def test_every_connection_has_limits(database: Database) -> None:
    """Nothing on our connections waits for ever."""

    def shown(tx: Transaction) -> list[str]:
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        return [tx.connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    for way in (database.write, database.read):
        assert await way(shown) == ["500ms", "10500ms", "30s"]


async def test_an_unsafe_server_is_refused_unless_that_is_accepted(own_cluster: Cluster, tmp_path: Path) -> None:
    """A server that does not wait for its disk can't keep the promise; `relaxed` accepts it and the facts show it."""
    own_cluster.configure(fsync="off", synchronous_commit="off")
    await asyncio.sleep(0.3)
    try:
        told = await refusal(own_cluster.url, tmp_path)
        async with started(own_cluster.url, tmp_path, durability="relaxed") as database:
            assert (database.facts["fsync"], database.facts["durability"]) == ("off", "relaxed")
    finally:
        own_cluster.forget_settings()
        own_cluster.reload()
    assert "fsync=off, synchronous_commit=off" in told
    assert "BPM_DURABILITY=relaxed" in told


async def test_an_old_server_is_refused(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that we do not test on is named, with the oldest that will do."""
    monkeypatch.setattr(postgres, "OLDEST_VERSION", 990_000)
    assert "is too old; version 99 or newer is needed" in await refusal(postgres_url, tmp_path)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://127.0.0.1:1/bpm", "can't be reached"),
        ("postgresql://127.0.0.1:what/bpm", "can't be understood"),
        ("postgresql://127.0.0.1/bpm?sslmode=perhaps", "can't be understood"),
        ("mysql://127.0.0.1/bpm", "must be unset, or start with sqlite: or postgresql:"),
    ],
)
async def test_an_address_that_is_no_use_is_told(
    url: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with `BPM_DATABASE_URL` is said in a sentence, without its password."""
    monkeypatch.setattr(postgres, "START_SECONDS", 0.5)
    told = await refusal(url, tmp_path)
    assert (sentence in told, "BPM_DATABASE_URL" in told) == (True, True)


async def test_a_database_that_is_missing_is_told_at_once(postgres_url: str, tmp_path: Path) -> None:
    """Waiting would not make it appear."""
    told = await refusal(postgres_url.replace("/bpm_test", "/no_bpm_test"), tmp_path)
    assert "does not exist" in told


async def test_a_server_that_comes_up_late_is_waited_for(own_cluster: Cluster, tmp_path: Path) -> None:
    """Machines that start together need no order."""
    await asyncio.to_thread(own_cluster.stop, "fast")

    async def start_late() -> None:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(own_cluster.start)

    starting = asyncio.create_task(start_late())
    async with started(own_cluster.url, tmp_path) as database:
        assert database.facts["database"].startswith("PostgreSQL ")
    await starting


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("08006", Fault.OUTAGE),
        ("25006", Fault.OUTAGE),
        ("28P01", Fault.OUTAGE),
        ("3D000", Fault.OUTAGE),
        ("53100", Fault.OUTAGE),
        ("53300", Fault.OUTAGE),
        ("57P01", Fault.OUTAGE),
        ("57P03", Fault.OUTAGE),
        ("58030", Fault.OUTAGE),
        ("40001", Fault.CONTENTION),
        ("40P01", Fault.CONTENTION),
        ("55P03", Fault.CONTENTION),
        ("57014", Fault.CONTENTION),
        ("23505", None),
        ("22003", None),
        ("42P01", None),
    ],
)
def test_what_an_error_of_the_server_means(state: str, fault: Fault | None) -> None:
    """A full disk, a standby and a lost connection are outages, waiting for others is contention."""
    assert diagnose(cast("Exception", asyncpg.PostgresError.new({"C": state, "M": "words"}))) is fault


def test_errors_of_handlers_are_no_outage() -> None:
    """What a unit of work meets elsewhere is not blamed on the database."""
    assert [diagnose(error) for error in (OSError(2, "no such file"), TimeoutError(), ValueError())] == [None] * 3
