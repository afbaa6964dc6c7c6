"""`bpm db`: upgrade, check and copy, between both databases."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.jobs.ownership import Ownership
from bpm.store.migrate import newest_revision
from bpm.testing import running_app

pytestmark = pytest.mark.embedded

EVENT = {"commandName": "PublishEventCommand", "parameters": {"event": "hook.came", "data": "{{payload}}"}}
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
    there = db("copy", "--to", empty_url, BPM_DATA_DIR=filled)
    assert there.exit_code == 0, there.output
    assert "same secret key" in there.output
    file = f"sqlite:///{tmp_path / 'bpm.db'}"
    back = db("copy", "--to", file, BPM_DATA_DIR=tmp_path, BPM_DATABASE_URL=empty_url)
    assert back.exit_code == 0, back.output
    assert content(tmp_path) == content(filled)


def test_a_copy_goes_on_where_the_source_stopped(filled: Path, empty_url: str, tmp_path: Path) -> None:
    """A server on the copy finds rules, requests and events, and gives new rows numbers that were never given."""
    assert db("copy", "--to", empty_url, BPM_DATA_DIR=filled).exit_code == 0
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
    assert db("copy", "--to", empty_url, BPM_DATA_DIR=filled).exit_code == 0
    again = db("copy", "--to", empty_url, BPM_DATA_DIR=filled)
    assert again.exit_code == 1
    assert "the target is not empty: there are rows in" in again.output
    assert "webhook_config" in again.output


def test_a_source_that_is_worked_on_is_refused(filled: Path, empty_url: str) -> None:
    """A copy taken beside a running worker would miss what it does meanwhile."""
    owner = Ownership(filled / "worker.lock")
    owner.take()
    try:
        refused = db("copy", "--to", empty_url, BPM_DATA_DIR=filled)
    finally:
        owner.release()
    assert refused.exit_code == 1
    assert "runs the jobs of" in refused.output


def test_tables_that_nothing_describes_are_not_left_behind(filled: Path, empty_url: str, tmp_path: Path) -> None:
    """A copy without the application's packages would lose their tables, so it is refused."""
    (tmp_path / "bpm.db").write_bytes((filled / "bpm.db").read_bytes())
    with closing(sqlite3.connect(tmp_path / "bpm.db")) as file:
        file.execute("CREATE TABLE invoice (id INTEGER PRIMARY KEY)")
    refused = db("copy", "--to", empty_url, BPM_DATA_DIR=tmp_path)
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


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """A wrong folder is told instead of filled."""
    for words in (("check",), ("copy", "--to", f"sqlite:///{tmp_path / 'to.db'}"), ("adopt-key",)):
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


def test_a_lost_key_can_be_given_up(filled: Path, tmp_path: Path) -> None:
    """A server with another key refuses the database until that key is adopted."""
    (tmp_path / "bpm.db").write_bytes((filled / "bpm.db").read_bytes())
    other = {"BPM_DATA_DIR": tmp_path, "BPM_SECRET_KEY": "another key of more than 32 characters"}
    assert db("adopt-key", **other).exit_code == 0

    async def start() -> None:
        async with running_app(tmp_path, secret_key=other["BPM_SECRET_KEY"]):
            pass

    asyncio.run(start())
