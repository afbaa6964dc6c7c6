"""`bpm db backup`, `restore` and `compact`: what they say, and what they refuse."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.jobs.worker_lock import WorkerLock
from bpm.settings import Settings
from bpm.store import Transaction, open_database
from bpm.store.migrate import revision_of
from bpm.testing import running_app

pytestmark = pytest.mark.embedded

OTHER_KEY = "another key of more than 32 characters"


def db(*words: str | Path, **environment: Any) -> Any:
    """Run `bpm db` in this process."""
    usual = {"BPM_DATABASE_URL": None, "BPM_COMMAND_PACKAGES": None, "BPM_SECRET_KEY": None}
    variables = {**usual, **{name: str(value) for name, value in environment.items()}}
    return CliRunner().invoke(main, ("db", *map(str, words)), env=variables)


def revision(tx: Transaction) -> str | None:
    return revision_of(tx.connection)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation that was used; nobody works on it."""
    folder = tmp_path_factory.mktemp("installation")

    async def use() -> None:
        async with running_app(folder) as app:
            await app.rule("kept", commandName="PingQuery")

    asyncio.run(use())
    return folder


@pytest.fixture(scope="module")
def backup(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    folder = tmp_path_factory.mktemp("backups") / "first"
    assert db("backup", folder, BPM_DATA_DIR=data).exit_code == 0
    return folder


def test_a_backup_says_what_it_holds(data: Path, tmp_path: Path) -> None:
    """In words and, for programs, as its manifest."""
    told = db("backup", tmp_path / "a", "--format", "text", BPM_DATA_DIR=data)
    assert "rows of" in told.output
    assert "needs the secret key" in told.output
    shown = db("backup", tmp_path / "b", BPM_DATA_DIR=data)
    manifest = json.loads(shown.output)
    assert manifest == json.loads((tmp_path / "b" / "manifest.json").read_text())
    assert (manifest["database"], manifest["rows"]["webhook_config"]) == ("sqlite", 1)


def test_a_backup_is_restored_with_its_key_and_works(data: Path, backup: Path, tmp_path: Path) -> None:
    """Elsewhere the key is asked for; with it, a server goes on."""
    told = db("restore", backup, BPM_DATA_DIR=tmp_path)
    assert told.exit_code == 0, told.output
    assert "there is no key here" in told.output
    (tmp_path / "secret.key").write_text((data / "secret.key").read_text())

    async def look() -> None:
        async with running_app(tmp_path) as app:
            assert (await app.cmd("GetWebHookConfigListQuery"))["totalCount"] == 1

    asyncio.run(look())


def test_a_key_that_does_not_fit_is_told(backup: Path, tmp_path: Path) -> None:
    """When it is restored, not when the first rule fails."""
    told = db("restore", backup, BPM_DATA_DIR=tmp_path, BPM_SECRET_KEY=OTHER_KEY)
    assert told.exit_code == 0, told.output
    assert "the data was sealed with" in told.output
    assert "bpm db adopt-key" in told.output


def test_a_key_that_is_none_is_a_sentence(backup: Path, tmp_path: Path) -> None:
    """Not a trace."""
    told = db("restore", backup, BPM_DATA_DIR=tmp_path, BPM_SECRET_KEY="short")
    assert told.exit_code == 1
    assert "BPM_SECRET_KEY must hold at least 32 characters" in told.output


def test_what_is_there_is_replaced_on_demand_and_kept(data: Path, backup: Path, tmp_path: Path) -> None:
    """Without `--replace` nothing changes; with it the former file lies beside the new one."""
    former = (data / "bpm.db").read_bytes()
    (tmp_path / "bpm.db").write_bytes(former)
    refused = db("restore", backup, BPM_DATA_DIR=tmp_path)
    assert (refused.exit_code, (tmp_path / "bpm.db").read_bytes()) == (1, former)
    assert "add --replace" in refused.output
    assert db("restore", backup, "--replace", BPM_DATA_DIR=tmp_path).exit_code == 0
    assert len(list(tmp_path.glob("bpm-*Z.db"))) == 1


def test_a_store_that_is_worked_on_is_left_alone(data: Path, backup: Path) -> None:
    """A worker is known by its lock, a server without one by the file that it has open."""
    owner = WorkerLock(data / "worker.lock")
    owner.take()
    try:
        for words in (("restore", backup, "--replace"), ("compact",)):
            refused = db(*words, BPM_DATA_DIR=data)
            assert refused.exit_code == 1
            assert "runs the jobs of" in refused.output
    finally:
        owner.release()

    async def refuse_beside_a_server() -> list[Any]:
        database = open_database(Settings(data_dir=data))
        await database.start()
        await database.read(revision)  # as a server does when it starts
        try:
            commands = (("restore", backup, "--replace"), ("compact",))
            return [await asyncio.to_thread(db, *words, BPM_DATA_DIR=data) for words in commands]
        finally:
            await database.stop()

    for refused in asyncio.run(refuse_beside_a_server()):
        assert refused.exit_code == 1
        assert "another process has" in refused.output


def test_compact_is_for_sqlite(tmp_path: Path) -> None:
    """PostgreSQL has its own way, which the sentence names; a file that is missing is not made."""
    told = db("compact", BPM_DATA_DIR=tmp_path, BPM_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert "VACUUM FULL" in told.output
    for words in (("compact",), ("backup", tmp_path / "to")):
        missing = db(*words, BPM_DATA_DIR=tmp_path / "nowhere")
        assert (missing.exit_code, "there is no database at" in missing.output) == (1, True)
    assert list(tmp_path.iterdir()) == []
