"""`/livez` and `/readyz`: the status for everybody, the details for those who are known."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bpm.accounts import Accounts
from bpm.edge.lifecycle import Lifecycle
from bpm.jobs.worker_watch import WorkerWatch
from bpm.settings import Settings
from bpm.store import Database, Transaction
from bpm.store.abandoned_threads import MOST_ABANDONED
from bpm.web import health
from bpm.web.health import KEPT_SECONDS, Readiness, health_routes

pytestmark = pytest.mark.anyio

Clients = Callable[[Readiness], httpx.AsyncClient]


@pytest.fixture
def client_of(accounts: Accounts, clerk: str) -> Clients:
    def make(readiness: Readiness) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(Starlette(routes=health_routes(readiness, accounts, Settings())))
        return httpx.AsyncClient(transport=transport, base_url="http://bpm", headers={"Authorization": clerk})

    return make


async def test_a_running_process_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    """Both answer 200 once the database can be written."""
    assert (await client.get("/livez")).json() == {"status": "alive"}
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


async def test_details_need_a_token(client: httpx.AsyncClient, clerk: str) -> None:
    """Without a token, or with a wrong one, nothing but the status is told."""
    for authorization in ("", "Bearer nope"):
        answer = await client.get("/readyz", headers={"Authorization": authorization})
        assert answer.json() == {"status": "ready"}
    checks = (await client.get("/readyz", headers={"Authorization": clerk})).json()["checks"]
    assert set(checks) == {"serving", "database", "worker", "scripts", "handlers", "secrets"}
    assert all(check["ok"] for check in checks.values())
    assert "migration" in checks["database"]["detail"]


async def test_a_draining_process_is_alive_but_not_ready(client: httpx.AsyncClient, lifecycle: Lifecycle) -> None:
    """A stopping process asks for no more work and must not be killed for it."""
    lifecycle.drain()
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "not ready"
    assert response.headers["retry-after"] == "1"
    assert (await client.get("/livez")).status_code == 200


@pytest.mark.embedded
async def test_readiness_writes_for_real(client: httpx.AsyncClient, settings: Settings) -> None:
    """Ready means that a row was just written to the file."""
    await client.get("/readyz")
    with closing(sqlite3.connect(settings.sqlite_path)) as connection, connection:
        assert connection.execute("SELECT count(*) FROM readiness_probe").fetchone() == (1,)
    connection.close()


@pytest.mark.embedded
async def test_an_outdated_schema_is_not_ready(
    client_of: Clients, database: Database, lifecycle: Lifecycle, settings: Settings
) -> None:
    """A database at another migration than ours is not ready, and the detail names both."""
    with closing(sqlite3.connect(settings.sqlite_path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database))) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"]["detail"].startswith("stands at migration 0000, not ")


@pytest.mark.embedded
async def test_a_database_that_cannot_be_written_is_not_ready(
    client_of: Clients, database: Database, lifecycle: Lifecycle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody else holds the write lock the process is not ready, and afterwards it is again."""
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(health, "KEPT_SECONDS", 0)
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database))) as client:
        blocker = sqlite3.connect(settings.sqlite_path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        response = await client.get("/readyz")
        blocker.execute("ROLLBACK")
        blocker.close()
        assert response.status_code == 503
        assert response.json()["checks"]["database"]["detail"] == "wrote nothing within 0.2 seconds"
        monkeypatch.setattr(health, "PROBE_SECONDS", 5)
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.embedded
async def test_a_table_that_is_gone_is_not_ready(
    client_of: Clients, database: Database, lifecycle: Lifecycle, settings: Settings
) -> None:
    """Whatever the database answers, the check ends in a status and a sentence without its words."""
    with closing(sqlite3.connect(settings.sqlite_path)) as connection, connection:
        connection.execute("DROP TABLE readiness_probe")
    connection.close()
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database))) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"]["detail"] == "can't be written; the log says why"


@pytest.mark.parametrize(("age", "status"), [(None, 200), (0.0, 200), (15.0, 200), (15.1, 503), (3600.0, 503)])
async def test_a_worker_must_have_been_seen(
    client_of: Clients, database: Database, lifecycle: Lifecycle, age: float | None, status: int
) -> None:
    """A worker that has not been seen for 15 seconds makes its process unready; none of its own does not."""
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database), lambda: age)) as client:
        assert (await client.get("/readyz")).status_code == status


async def test_a_server_that_no_worker_helps_is_degraded(
    client_of: Clients, database: Database, lifecycle: Lifecycle, clerk: str
) -> None:
    """It takes requests, so that nothing is lost, and says to everybody that it is not well, to whom it knows why."""
    seconds = iter(range(0, 10_000, 60))
    watch = WorkerWatch(database, lambda: next(seconds))
    await watch.look()
    async with client_of(Readiness(database, lifecycle, watch)) as client:
        known = await client.get("/readyz")
        assert (known.status_code, known.json()["status"]) == (200, "degraded")
        assert known.json()["checks"]["worker"]["ok"] is False
        assert "no worker runs" in known.json()["checks"]["worker"]["detail"]
        stranger = await client.get("/readyz", headers={"Authorization": ""})
        assert (stranger.status_code, stranger.json()) == (200, {"status": "degraded"})
        lifecycle.drain()
        assert (await client.get("/readyz")).json()["status"] == "not ready"


async def test_who_holds_the_writer_is_told_without_waiting_for_it(
    client_of: Clients, database: Database, lifecycle: Lifecycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is accepted meanwhile is done; after as long as a write may take the process is not ready."""
    woken = threading.Event()

    def hold(_tx: Transaction) -> None:
        outer = database.handler_names.enter("SlowCommand")
        woken.wait()
        database.handler_names.leave(outer)

    monkeypatch.setattr(health, "HELD_SECONDS", 0.1)
    monkeypatch.setattr(health, "KEPT_SECONDS", 0)
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database))) as client:
        holding = asyncio.create_task(database.write(hold))
        try:
            held = await client.get("/readyz")
            monkeypatch.setattr(health, "PROBE_SECONDS", 0.1)
            held_for_long = await client.get("/readyz")
        finally:
            woken.set()
        await holding
        again = await client.get("/readyz")
    assert [answer.status_code for answer in (held, held_for_long, again)] == [200, 503, 200]
    for answer in (held, held_for_long):
        assert answer.json()["checks"]["database"]["detail"].startswith("SlowCommand has held the writer for ")


async def test_a_process_whose_handlers_do_not_end_needs_a_restart(
    client_of: Clients, database: Database, lifecycle: Lifecycle
) -> None:
    """It says so while as many threads as may be left behind are in a handler; one fewer is no reason."""
    woken = threading.Event()
    threads = [threading.Thread(target=woken.wait) for _ in range(MOST_ABANDONED)]
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database))) as client:
        for thread in threads:
            assert (await client.get("/livez")).status_code == 200
            thread.start()
            assert database.abandoned.add(thread)
        answers = [await client.get(path) for path in ("/livez", "/readyz")]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert answers[1].json()["checks"]["handlers"]["detail"] == "8 do not end; the log says where they are"
        woken.set()
        for thread in threads:
            thread.join()
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.embedded
async def test_asking_often_writes_once(
    client_of: Clients, database: Database, lifecycle: Lifecycle, tmp_path: Path
) -> None:
    """A hundred questions cost one write a second."""
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database))) as client:
        written, begun = set[str](), time.monotonic()
        with closing(sqlite3.connect(tmp_path / "bpm.db")) as connection, connection:
            for _ in range(100):
                assert (await client.get("/readyz")).status_code == 200
                written.add(connection.execute("SELECT written_at FROM readiness_probe").fetchone()[0])
        assert len(written) <= 1 + (time.monotonic() - begun) / KEPT_SECONDS


async def test_the_locks_of_the_sandbox_are_shown(client_of: Clients, database: Database, lifecycle: Lifecycle) -> None:
    """Whoever may see details sees what confines scripts."""
    locks = {"seccomp": True, "landlock": False, "network": "own namespace"}
    async with client_of(Readiness(database, lifecycle, WorkerWatch(database), locks=lambda: locks)) as client:
        shown = (await client.get("/readyz")).json()["checks"]["scripts"]
    assert shown == {"ok": True, "detail": "seccomp on, landlock off, network own namespace"}
