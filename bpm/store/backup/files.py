"""Copies of a SQLite file that others write to, and the proof that a copy is whole."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bpm.errors import Misconfigured
from bpm.security.private_files import make_private_file
from bpm.settings import MIB

PAGES = 1_000
"""How many pages are copied between two reports of progress."""
BUSY_SECONDS = 20.0

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how far it is, and of how much."""


def show_nothing(_what: str, _done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What stands in a SQLite file."""

    revision: str | None
    key_id: str | None
    rows: Mapping[str, int]


def copy_file(source: Path, target: Path, progress: Progress) -> FileFacts:
    """Copy a database into a new file as it stands now, whoever writes meanwhile; return what stands in it.

    One snapshot is held from the first page to the last: nobody waits for it, and a write does not begin it anew.
    Raises `Misconfigured` when there is no room, or the copy is not like the source; no file is left then.
    """
    require_room(target.parent, size_of(source))
    with new_file(target):
        with _snapshot(source) as reading:
            _copy_pages(reading, target, progress)
            facts = facts_of(reading)
        if verified_facts(target) != facts:
            raise Misconfigured(f"the copy of {source} differs from it; try again")
    return facts


@contextmanager
def new_file(path: Path) -> Generator[None]:
    """Make an empty file that only its owner may read, to be filled; it goes when that fails."""
    make_private_file(path)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def verified_facts(file: Path) -> FileFacts:
    """Return what stands in a file that nobody else has open; raises `Misconfigured` when it is damaged."""
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            found: list[str] = [row[0] for row in connection.execute("PRAGMA integrity_check(10)")]
            if found != ["ok"]:
                raise Misconfigured(f"{file} is damaged: {'; '.join(found)}")
            return facts_of(connection)
    except sqlite3.DatabaseError as error:
        raise Misconfigured(f"{file} is damaged: {error}") from error


def facts_of(connection: sqlite3.Connection) -> FileFacts:
    """Return what a connection sees."""
    of_kind = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names: list[str] = [name for (name,) in connection.execute(of_kind)]
    rows: dict[str, int] = {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 names of the file
        for name in names
    }
    revision = _value(connection, "alembic_version", "SELECT version_num FROM alembic_version", rows)
    key_id = _value(connection, "installation_mark", "SELECT value FROM installation_mark WHERE name = 'key_id'", rows)
    return FileFacts(revision, key_id, rows)


def require_room(folder: Path, needed: int) -> None:
    """Raise `Misconfigured` unless the disk of a folder has so many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Misconfigured(
            f"{folder} has {free // MIB} MB free, and {needed // MIB + 1} MB are needed; make room first"
        )


def size_of(file: Path) -> int:
    """Return the size of a database file together with its write-ahead log."""
    log = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (log.stat().st_size if log.exists() else 0)


@contextmanager
def _snapshot(source: Path) -> Generator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(source, timeout=BUSY_SECONDS, isolation_level=None)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on the snapshot is held
        yield reading


def _copy_pages(reading: sqlite3.Connection, target: Path, progress: Progress) -> None:
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as writing:
        writing.execute("PRAGMA synchronous=OFF")  # the whole file is brought to the disk before it counts
        reading.backup(writing, pages=PAGES, progress=lambda _, left, total: progress("copying", total - left, total))
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def _value(connection: sqlite3.Connection, table: str, statement: str, present: Mapping[str, int]) -> str | None:
    row = connection.execute(statement).fetchone() if table in present else None
    return None if row is None else str(row[0])
