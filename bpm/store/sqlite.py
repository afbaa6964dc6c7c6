"""The embedded database: SQLite in WAL mode with `synchronous=FULL`, on a local disk."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import NullPool

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store.database import Database
from bpm.store.migrate import upgrade
from bpm.store.readers import Readers
from bpm.store.transaction import Transaction
from bpm.store.writer import Append, GroupWriter

T = TypeVar("T")

OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
}
"""Primary result codes that say the file can't be written now (https://sqlite.org/rescode.html)."""


class SqliteDatabase(Database):
    """One file, one writer thread, two readers."""

    def __init__(self, settings: Settings) -> None:
        """Take the file from the settings; nothing is opened yet."""
        self._path = database_file(settings)
        self._relaxed = settings.durability == "relaxed"
        self._writing = self._engine("IMMEDIATE")
        self._reading = self._engine("DEFERRED")
        self._writer = GroupWriter(self._writing.connect, is_outage)
        self._readers = Readers(self._reading.connect)

    async def start(self) -> None:
        """Create or upgrade the file, check that it is safe, and start the threads; raises `Misconfigured`."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with self._writing.connect() as connection:
                self._check(connection)
            upgrade(self._writing)
        except DatabaseError as error:
            raise Misconfigured(f"{self._path} can't be used as the database: {error.orig}") from error
        self._writer.start()
        self._readers.start()

    async def stop(self) -> None:
        """Let the writer finish its queue, then close every connection."""
        await self._writer.stop()
        await self._readers.stop()
        self._writing.dispose()
        self._reading.dispose()

    async def write(self, work: Callable[[Transaction], T], size: int = 0) -> T:
        """See `Database.write`."""
        return await self._writer.run(work, size)

    async def append(
        self,
        *rows: tuple[Table, Mapping[str, Any]],
        size: int = 0,
        then: Callable[[], object] | None = None,
    ) -> None:
        """See `Database.append`."""
        await self._writer.run(Append(rows, then), size)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """See `Database.read`."""
        return await self._readers.run(work)

    def is_outage(self, error: BaseException) -> bool:
        """See `Database.is_outage`."""
        return is_outage(error)

    @property
    def waiting(self) -> int:
        """See `Database.waiting`."""
        return self._writer.waiting_units

    def _engine(self, begin: str) -> Engine:
        engine = create_engine(f"sqlite:///{self._path}", poolclass=NullPool)
        synchronous = "NORMAL" if self._relaxed else "FULL"

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.isolation_level = None  # we say BEGIN ourselves, below
            connection.execute("PRAGMA busy_timeout=5000")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA cache_size=-32000")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.exec_driver_sql(f"BEGIN {begin}")

        return engine

    def _check(self, connection: Connection) -> None:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if mode != "wal":
            raise Misconfigured(f"{self._path} can't use SQLite's WAL mode; put BPM_DATA_DIR on a local disk")
        if level < 2 and not self._relaxed:
            raise Misconfigured("SQLite runs below synchronous=FULL; BPM_DURABILITY=relaxed accepts that")


def database_file(settings: Settings) -> Path:
    """Return the file that `database_url` names, else `bpm.db` in the data folder."""
    if settings.database_url is None:
        return settings.sqlite_path
    path = settings.database_url.removeprefix("sqlite://").removeprefix("/")
    if not path:
        raise Misconfigured("BPM_DATABASE_URL must name a file, as in sqlite:////var/lib/bpm/bpm.db")
    return Path(path)


def is_outage(error: BaseException) -> bool:
    """Tell an absent or full disk from a mistake in a statement."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in OUTAGES
