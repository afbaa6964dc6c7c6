"""Takes a backup of a database that servers work on."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from bpm.errors import Misconfigured
from bpm.security.durable_files import sync
from bpm.security.private_files import make_private_folder
from bpm.store.backup.dumps import dump
from bpm.store.backup.files import FileFacts, Progress, copy_file, show_nothing
from bpm.store.backup.manifest import Manifest
from bpm.store.database import Database
from bpm.store.rows import utc_now

FILE = "bpm.db"
DUMP = "bpm.dump"


async def take_backup(database: Database, folder: Path, progress: Progress) -> Manifest:
    """Write a verified backup of a database that was checked into a new or empty folder, which is closed to others.

    Raises `Misconfigured`; the folder then holds no manifest.
    """
    _require_new(folder)
    if database.dsn is None:
        return take_file_backup(Path(database.name), folder, progress)
    make_private_folder(folder)
    taken_at = utc_now()
    facts = await dump(database, folder / DUMP, progress)
    return _described(folder / DUMP, facts, taken_at, "postgresql")


def take_file_backup(source: Path, folder: Path, progress: Progress = show_nothing) -> Manifest:
    """Write a verified backup of a SQLite file into a folder; raises `Misconfigured`."""
    make_private_folder(folder)
    taken_at = utc_now()
    facts = copy_file(source, folder / FILE, progress)
    return _described(folder / FILE, facts, taken_at, "sqlite")


def _require_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misconfigured(f"{folder} is not empty; name a new folder for each backup")


def _described(file: Path, facts: FileFacts, taken_at: datetime, kind: Literal["sqlite", "postgresql"]) -> Manifest:
    if facts.revision is None:
        file.unlink()
        raise Misconfigured("the database has no tables of ours; there is nothing to back up")
    sync(file)
    manifest = Manifest.of(
        file, taken_at=taken_at, database=kind, revision=facts.revision, key_id=facts.key_id, rows=dict(facts.rows)
    )
    manifest.write(file.parent)
    return manifest
