"""Backups: taken beside writers, verified, put back; refused when they do not fit or are not whole."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from bpm.accounts.installation import Installation, installation_key_id
from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import Database, open_database
from bpm.store.backup import Manifest, read_manifest, restore_backup, take_backup
from bpm.store.backup.files import show_nothing
from bpm.store.migrate import newest_revision
from tests.contracts.database import insert, words
from tests.postgres import PSQL

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an installation that has written nothing yet."""
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path / "data")
    else:
        monkeypatch.setenv("PATH", str(PSQL.parent), prepend=":")  # its tools are as new as the server
        databases = request.getfixturevalue("databases")
        url = databases.migrated()
        yield Settings(data_dir=tmp_path / "data", database_url=url)
        databases.drop(url)


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty place of the same kind."""
    if settings.database_url is None:
        yield Settings(data_dir=tmp_path / "elsewhere")
    else:
        databases = request.getfixturevalue("databases")
        url = databases.empty()
        yield Settings(data_dir=tmp_path / "elsewhere", database_url=url)
        databases.drop(url)


async def stored_words(settings: Settings) -> list[str]:
    """Start a database, return its words and stop it."""
    database = open_database(settings)
    await database.start()
    try:
        return await database.read(words)
    finally:
        await database.stop()


async def back_up(settings: Settings, folder: Path) -> Manifest:
    """Take a backup as another process does, which the loop of this one does not wait for."""

    async def take() -> Manifest:
        database = open_database(settings)
        await database.check()
        return await take_backup(database, folder, show_nothing)

    return await asyncio.to_thread(asyncio.run, take())


@asynccontextmanager
async def writing(database: Database) -> AsyncGenerator[list[str]]:
    """Write one word after the other while the block runs; gives those that are acknowledged."""
    done: list[str] = []

    async def write() -> None:
        while True:
            done.append(await database.write(insert(f"word {len(done)}")))

    writer = asyncio.create_task(write())
    try:
        yield done
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def test_what_was_acknowledged_before_is_in_a_backup_taken_beside_a_writer(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """Writes go on meanwhile; what had returned before it began is found elsewhere, row by row as was counted."""
    async with writing(database) as done:
        while len(done) < 50:
            await asyncio.sleep(0)
        before = set(done)
        manifest = await back_up(settings, tmp_path / "backup")
    assert len(done) > len(before)
    restored = await restore_backup(tmp_path / "backup", open_database(elsewhere), show_nothing)
    assert (restored, restored.revision, restored.version) == (manifest, newest_revision(), version("bpm-bus"))
    found = await stored_words(elsewhere)
    assert before <= set(found)
    assert len(found) == manifest.rows["writer_sample"]


async def test_a_backup_is_for_its_owner_and_names_its_key_only(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Nobody else may read the folder; the manifest tells which key is needed, and neither file holds it."""
    key = b"a secret key of more than 32 characters"
    await Installation(database, key).check()
    manifest = await back_up(settings, tmp_path / "backup")
    assert manifest.key_id == installation_key_id(key)
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    assert all(key not in file.read_bytes() for file in (tmp_path / "backup").iterdir())


async def test_a_database_with_tables_is_not_overwritten(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Whatever is where the backup would go stays, with a sentence that says how to go on."""
    await back_up(settings, tmp_path / "backup")
    await database.write(insert("later"))
    with pytest.raises(Misconfigured, match=r"is there already|has tables already"):
        await restore_backup(tmp_path / "backup", open_database(settings), show_nothing)
    assert await database.read(words) == ["later"]


async def test_a_folder_with_something_in_it_takes_no_backup(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """A second backup into the same folder leaves the first one whole."""
    first = await back_up(settings, tmp_path / "backup")
    with pytest.raises(Misconfigured, match="is not empty"):
        await back_up(settings, tmp_path / "backup")
    assert read_manifest(tmp_path / "backup") == first


def cut_short(folder: Path) -> None:
    file = folder / read_manifest(folder).file
    os.truncate(file, file.stat().st_size - 1)


def changed(folder: Path) -> None:
    file = folder / read_manifest(folder).file
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def unfinished(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def of_a_newer_version(folder: Path) -> None:
    rewrite(folder, revision="9999", version="9.9.9")


def of_another_format(folder: Path) -> None:
    rewrite(folder, format=2)


def of_the_other_kind(folder: Path) -> None:
    kind = read_manifest(folder).database
    rewrite(folder, database="sqlite" if kind == "postgresql" else "postgresql")


def with_other_rows(folder: Path) -> None:
    rewrite(folder, rows={**read_manifest(folder).rows, "writer_sample": 7})


def rewrite(folder: Path, **facts: Any) -> None:
    """Change what the manifest says."""
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


DAMAGES: dict[Callable[[Path], None], str] = {
    cut_short: "its size or checksum differs",
    changed: "its size or checksum differs",
    unfinished: "is no backup: it has no manifest.json",
    of_a_newer_version: "restore it with version 9.9.9 or a newer one",
    of_another_format: "can't be read by this version",
    of_the_other_kind: "move it with `bpm db copy`",
    with_other_rows: "has other rows than",
}


async def test_a_backup_that_is_not_what_it_says_is_refused(
    database: Database, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """With a sentence that says what is wrong; no file that could be started is left behind."""
    await back_up(settings, tmp_path / "backup")
    for damage, sentence in DAMAGES.items():
        folder = tmp_path / damage.__name__
        shutil.copytree(tmp_path / "backup", folder)
        damage(folder)
        with pytest.raises(Misconfigured, match=sentence):
            await restore_backup(folder, open_database(elsewhere), show_nothing)
        assert not elsewhere.data_dir.exists() or list(elsewhere.data_dir.iterdir()) == []
