"""`bpm db`: upgrade, check and copy, between both databases."""

import asyncio
import gc
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.cli.storage import checked
from bpm.errors import Misconfigured
from bpm.jobs.worker_lock import WorkerLock
from bpm.settings import Settings
from bpm.store.application_migrations import application_tables
from bpm.store.copy import copy_database
from bpm.store.migrate import newest_revision
from bpm.testing import running_app

pytestmark = pytest.mark.embedded

EVENT = {"commandName": "PublishEventCommand", "parameters": {"event": "hook.came", "data": "{{payload}}"}}
KILLED = """
import asyncio, os, signal, sys
from bpm.cli.db import _of, _upgraded
from bpm.cli.storage import checked
from bpm.settings import Settings
from bpm.store import copy, copy_pages

def end_in_the_middle(what, done, total):
    if (what, done) == ("inbound_request", 1):
        os.kill(os.getpid(), signal.SIGKILL)

async def work():
    source, target = (_of(Settings(), url) for url in sys.argv[1:])
    databases = [await checked(each) for each in (source, target)]
    await _upgraded(databases[1], target)
    await copy.copy_database(*databases, end_in_the_middle)

copy_pages.PAGE_ROWS = 1
asyncio.run(work())
"""
"""A copy of a row a page that is killed when the first of the requests has arrived."""
BODIES = [{"n": n, "text": "\x00\U0001f600", "big": 2**70, "part": 0.1} for n in range(3)]


def db(*words: str, **environment: Any) -> Any:
    """Run `bpm db` in this process."""
    usual = {"BPM_DATABASE_URL": None, "BPM_COMMAND_PACKAGES": None}
    return CliRunner().invoke(main, ("db", *words), env={**usual, **{k: str(v) for k, v in environment.items()}})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with rules, one of them deleted, requests and events; nobody works on it."""
    folder = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        async with running_app(folder) as app:
            await app.rule("kept", **EVENT)
            gone = await app.rule("gone", **EVENT)
            await app.cmd("DeleteWebHookConfigCommand", id=gone["id"])
            for body in BODIES:
                assert (await app.hook("kept", body)).ok
            await app.settled()

    asyncio.run(fill())
    return folder


def file_url(folder: Path, name: str = "bpm.db") -> str:
    """Return the address of a file."""
    return f"sqlite:///{folder / name}"


@pytest.fixture
def empty_url(databases: Any) -> Iterator[str]:
    """The address of a database without a table."""
    url = databases.empty()
    yield url
    databases.drop(url)


def content(folder: Path) -> dict[str, list[Any]]:
    """Return every row of a file, tokens left out."""
    with closing(sqlite3.connect(folder / "bpm.db")) as file:
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        ours = [name for name in names if not name.startswith("pgqueuer")]
        rows = {name: file.execute(f'SELECT * FROM "{name}"').fetchall() for name in ours}  # noqa: S608 our names
        return {name: sorted(found, key=repr) for name, found in rows.items()}


def test_a_copy_there_and_back_is_the_same_to_the_letter(filled: Path, empty_url: str, tmp_path: Path) -> None:
    """From SQLite to PostgreSQL and back nothing is lost or changed, numbers given to deleted rows included."""
    there = db("copy", file_url(filled), empty_url)
    assert there.exit_code == 0, there.output
    assert "same secret key" in there.output
    back = db("copy", empty_url, file_url(tmp_path))
    assert back.exit_code == 0, back.output
    assert content(tmp_path) == content(filled)


def test_it_is_told_how_far_a_copy_is(filled: Path, tmp_path: Path) -> None:
    """Of the comparison at its end, too: it reads each row on both sides."""
    assert db("upgrade", BPM_DATA_DIR=tmp_path).exit_code == 0
    told: list[tuple[str, int, int]] = []

    def tell(what: str, done: int, total: int) -> None:
        told.append((what, done, total))

    async def copy() -> None:
        source, target = [await checked(Settings(data_dir=folder)) for folder in (filled, tmp_path)]
        await copy_database(source, target, tell)

    asyncio.run(copy())
    assert ("inbound_request", 3, 3) in told
    assert ("comparing inbound_request", 0, 6) in told
    assert ("comparing inbound_request", 6, 6) in told


def test_a_copy_goes_on_where_the_source_stopped(filled: Path, empty_url: str, tmp_path: Path) -> None:
    """A server on the copy finds rules, requests and events, and gives new rows numbers that were never given."""
    assert db("copy", file_url(filled), empty_url).exit_code == 0
    key = (filled / "secret.key").read_text().strip()

    async def go_on() -> None:
        async with running_app(tmp_path, database_url=empty_url, secret_key=key) as app:
            events = (await app.cmd("GetEventListQuery", event="hook.came"))["items"]
            assert sorted((event["data"] for event in events), key=lambda data: data["n"]) == BODIES
            assert (await app.rule("new", **EVENT))["id"] == 3
            assert (await app.hook("kept", {"n": 4})).ok
            await app.settled()
            assert (await app.cmd("GetEventListQuery", event="hook.came"))["totalCount"] == 4

    asyncio.run(go_on())


def test_a_target_with_rows_is_refused(filled: Path, empty_url: str) -> None:
    """Nothing is mixed: the second copy names the tables that have rows and changes nothing."""
    assert db("copy", file_url(filled), empty_url).exit_code == 0
    again = db("copy", file_url(filled), empty_url)
    assert again.exit_code == 1
    assert "the target is not empty: there are rows in" in again.output
    assert "webhook_config" in again.output


@pytest.fixture
def products_own(filled: Path, tmp_path: Path) -> Path:
    """The same without tables of other tests: processes of their own do not know their classes."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "bpm.db").write_bytes((filled / "bpm.db").read_bytes())
    with closing(sqlite3.connect(folder / "bpm.db")) as file:
        for table in application_tables():
            file.execute(f"DROP TABLE {table.name}")
    return folder


def apart(*words: str) -> str:
    """Run `bpm db` in a process of its own, and return what it says."""
    command = [sys.executable, "-m", "bpm.cli", "db", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def killed_copy(source: str, target: str) -> None:
    """Begin a copy that does not come to its end."""
    killed = subprocess.run([sys.executable, "-c", KILLED, source, target], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize("direction", ["to PostgreSQL", "to a file"])
def test_a_copy_that_was_killed_goes_on(direction: str, products_own: Path, empty_url: str, tmp_path: Path) -> None:
    """Killed in the middle of a table, the target lets no server start; the same command then makes it whole."""
    source, target = file_url(products_own), empty_url
    if direction == "to a file":
        assert "copied" in apart("copy", source, target)
        source, target = target, file_url(tmp_path)
    killed_copy(source, target)
    on_half = {"BPM_DATABASE_URL": target, "BPM_DATA_DIR": tmp_path}
    for words in (("upgrade",), ("check",)):
        assert "run the same `bpm db copy` again" in db(*words, **on_half).output
    other = tmp_path / "other"
    other.mkdir()
    (other / "bpm.db").write_bytes((products_own / "bpm.db").read_bytes())
    assert "the target holds an unfinished copy of" in apart("copy", file_url(other), target)
    assert "copied" in apart("copy", source, target)
    back = tmp_path / "back"
    if direction == "to PostgreSQL":
        assert "copied" in apart("copy", target, file_url(back))
    assert content(tmp_path if direction == "to a file" else back) == content(products_own)


def test_a_source_that_was_changed_between_two_runs_is_noticed(products_own: Path, tmp_path: Path) -> None:
    """What had arrived is compared with the source as it is when the copy ends."""
    addresses = file_url(products_own), file_url(tmp_path, "target.db")
    killed_copy(*addresses)
    with closing(sqlite3.connect(products_own / "bpm.db")) as file:
        file.execute("UPDATE inbound_request SET state = 'dead'")
        file.commit()
    assert "the rows of inbound_request are not those of the source" in apart("copy", *addresses)


def test_what_is_no_address_and_what_is_the_same_one_is_wrong_usage(filled: Path) -> None:
    """A path is no address; a copy of a database into itself would wait for itself."""
    assert "are written as sqlite:" in db("copy", str(filled / "bpm.db"), file_url(filled)).output
    assert "the same database" in db("copy", file_url(filled), file_url(filled)).output


def test_a_source_that_is_worked_on_is_refused(filled: Path, empty_url: str) -> None:
    """A copy taken beside a running worker would miss what it does meanwhile."""
    owner = WorkerLock(filled / "worker.lock")
    owner.take()
    try:
        refused = db("copy", file_url(filled), empty_url)
    finally:
        owner.release()
    assert refused.exit_code == 1
    assert "runs the jobs of" in refused.output


def test_tables_that_nothing_describes_are_not_left_behind(filled: Path, empty_url: str, tmp_path: Path) -> None:
    """A copy without the application's packages would lose their tables, so it is refused."""
    (tmp_path / "bpm.db").write_bytes((filled / "bpm.db").read_bytes())
    with closing(sqlite3.connect(tmp_path / "bpm.db")) as file:
        file.execute("CREATE TABLE invoice (id INTEGER PRIMARY KEY)")
    refused = db("copy", file_url(tmp_path), empty_url)
    assert refused.exit_code == 1
    assert "tables that nothing here describes: invoice" in refused.output


def test_upgrade_makes_the_tables_and_check_finds_nothing_wrong(empty_url: str, tmp_path: Path) -> None:
    """An empty database is a problem that `upgrade` mends."""
    on_postgres = {"BPM_DATABASE_URL": empty_url, "BPM_DATA_DIR": tmp_path}
    before = db("check", **on_postgres)
    assert before.exit_code == 1
    assert "it is empty; `bpm db upgrade` makes the tables" in before.output
    assert f"revision {newest_revision()}, was None" in db("upgrade", **on_postgres).output
    after = db("check", **on_postgres)
    assert after.exit_code == 0, after.output
    found = json.loads(after.output)
    assert (found["revision"], found["fsync"], found["problems"]) == (newest_revision(), "on", [])
    assert found["rows"]["user"] == 0


def test_check_shows_what_is_in_a_file(filled: Path) -> None:
    """Kind, safety and rows of the embedded database are told."""
    found = json.loads(db("check", BPM_DATA_DIR=filled).output)
    assert found["synchronous"] == "FULL"
    assert found["rows"]["inbound_request"] == len(BODIES)
    assert "inbound_request" in db("check", "--format", "text", BPM_DATA_DIR=filled).output


def test_check_finds_what_keeps_a_server_from_starting(filled: Path, tmp_path: Path) -> None:
    """A key that is missing, or another's, and a table without one of its columns are problems; nothing is made."""
    (tmp_path / "bpm.db").write_bytes((filled / "bpm.db").read_bytes())
    without = db("check", BPM_DATA_DIR=tmp_path)
    assert (without.exit_code, "secret.key is missing" in without.output) == (1, True)
    assert not (tmp_path / "secret.key").exists()
    another = db("check", BPM_DATA_DIR=tmp_path, BPM_SECRET_KEY="another key of more than 32 characters")
    assert (another.exit_code, "another BPM_SECRET_KEY" in another.output) == (1, True)
    (tmp_path / "secret.key").write_bytes((filled / "secret.key").read_bytes())
    assert db("check", BPM_DATA_DIR=tmp_path).exit_code == 0
    with closing(sqlite3.connect(tmp_path / "bpm.db")) as connection:
        connection.execute("ALTER TABLE inbound_request DROP COLUMN replayed_by")
    lacking = db("check", BPM_DATA_DIR=tmp_path)
    assert (lacking.exit_code, "the table inbound_request lacks replayed_by" in lacking.output) == (1, True)


def test_a_key_that_was_lost_beside_postgresql(empty_url: str, tmp_path: Path) -> None:
    """The check finds it, a start is refused, and neither makes another that would be taken for the lost one."""
    folder = tmp_path / "data"
    place = {"BPM_DATA_DIR": folder, "BPM_DATABASE_URL": empty_url}
    assert db("upgrade", **place).exit_code == 0
    assert db("check", **place).exit_code == 0, "the first server makes one"

    async def start() -> None:
        async with running_app(folder, database_url=empty_url):
            pass

    asyncio.run(start())
    (folder / "secret.key").unlink()
    found = db("check", **place)
    assert (found.exit_code, "secret.key is missing; restore it from a backup" in found.output) == (1, True)
    with pytest.raises(Misconfigured, match=r"secret.key is missing; restore it from a backup: .*adopt-key"):
        asyncio.run(start())
    assert not (folder / "secret.key").exists()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """A wrong folder is told instead of filled."""
    for words in (("check",), ("copy", file_url(tmp_path), file_url(tmp_path, "to.db")), ("adopt-key",)):
        told = db(*words, BPM_DATA_DIR=tmp_path)
        assert told.exit_code == 1
        assert "there is no database at" in told.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("db", "check"), ("db", "upgrade"), ("types",), ("serve",), ("worker",)])
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BPM_ACCESS_TOKEN_SECONDS", "canary-4711", "BPM_ACCESS_TOKEN_SECONDS: Input should be a valid integer"),
        ("BPM_MONO", '{"webhook_secret": "canary-4711"', "BPM_MONO: must be JSON"),
        ("BPM_MONO", '{"webhook_secret": ["canary-4711"]}', "BPM_MONO__WEBHOOK_SECRET"),
    ],
)
def test_what_is_wrong_with_a_setting_is_told_without_its_value(
    words: tuple[str, ...], name: str, value: str, sentence: str, tmp_path: Path
) -> None:
    """A secret that was put into the wrong variable, or into broken JSON, is in no output and no trace."""
    told = CliRunner().invoke(main, words, env={"BPM_DATA_DIR": str(tmp_path), name: value})
    assert told.exit_code == 1, told.output
    assert sentence in told.output
    assert "canary" not in f"{told.output}{told.exception!r}"
    assert gc.isenabled()  # what loads without collections leaves them on


def test_a_lost_key_can_be_given_up(filled: Path, tmp_path: Path) -> None:
    """A server with another key refuses the database until that key is adopted."""
    (tmp_path / "bpm.db").write_bytes((filled / "bpm.db").read_bytes())
    other = {"BPM_DATA_DIR": tmp_path, "BPM_SECRET_KEY": "another key of more than 32 characters"}
    told = db("adopt-key", **other)
    assert (told.exit_code, "API keys go on working" in told.output) == (0, True)

    async def start() -> None:
        async with running_app(tmp_path, secret_key=other["BPM_SECRET_KEY"]):
            pass

    asyncio.run(start())
