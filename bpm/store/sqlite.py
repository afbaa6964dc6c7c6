"""The embedded database: SQLite in WAL mode with `synchronous=FULL`, on a local disk."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from bpm.errors import Misconfigured
from bpm.security.private_files import FOLDER, PrivacyError, make_private_database
from bpm.settings import Settings
from bpm.store.backup.automatic import keep_before_upgrade
from bpm.store.checkpoints import Checkpoints
from bpm.store.cuttable import CuttableConnection
from bpm.store.database import Database
from bpm.store.faults import Fault, TransactionLost
from bpm.store.migrate import upgrade
from bpm.store.sync_runner import run_directly

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

READING_THREADS = 3
WRITING_CACHE_KIB = 16_000
"""Pages that the writer keeps; nobody else writes the file, so they stay true. Others come from the system's cache."""
READING_CACHE_KIB = 8_000
"""Pages that each reader keeps: SQLite drops them all when the writer has committed, so more of them bring nothing."""
BUSY_SECONDS = 5
"""How long a connection waits for others to let go of the file."""
MIGRATION_SECONDS = 60
"""How long a start waits for a process that holds the database, as one does that migrates it."""
HELD = (
    "{} is held by another process, which may be migrating it: start this one again when that has ended, "
    "and close what else has the file open"
)
BUSY_PAUSE_SECONDS = 0.01

log = structlog.get_logger("bpm.store")


class SqliteDatabase(Database):
    """One file, one writer thread, three readers."""

    def __init__(self, settings: Settings) -> None:
        """Take the file from the settings; nothing is opened yet."""
        self._path = database_file(settings)
        self._relaxed = settings.durability == "relaxed"
        self._backs_up = settings.backup_before_upgrade
        writing = self._engine("IMMEDIATE", WRITING_CACHE_KIB)
        self._reading = self._engine("DEFERRED", READING_CACHE_KIB)
        super().__init__(
            writing,
            self._reading,
            writing,
            diagnose,
            run_directly,
            reading_threads=READING_THREADS,
            optimistic=False,
            work_seconds=settings.handler_seconds,
        )
        self._checkpoints = Checkpoints(self._path, self.readers.gate)

    @property
    def name(self) -> str:
        """See `Database.name`."""
        return str(self._path)

    async def start(self) -> None:
        """See `Database.start`."""
        await super().start()
        self._checkpoints.start()

    async def stop(self) -> None:
        """See `Database.stop`."""
        await super().stop()
        await asyncio.to_thread(self._checkpoints.stop)

    def _upgrade(self) -> None:
        deadline = time.monotonic() + MIGRATION_SECONDS
        while True:
            try:
                upgrade(self.maintenance, self._back_up if self._backs_up else None)
            except OperationalError as error:
                if not _is_busy(error.orig):
                    raise
                if time.monotonic() > deadline:
                    raise Misconfigured(HELD.format(self._path)) from error
                log.info("waits for another process, which may be migrating the database", file=str(self._path))
            else:
                return

    def _back_up(self, revision: str) -> None:
        """Keep what is about to be migrated; it is the transaction of the migration that calls this."""
        folder = keep_before_upgrade(self._path, revision)
        log.info("backed up before the migration", folder=str(folder))

    async def _reach(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        except OSError as error:
            folder = self._path.parent
            raise Misconfigured(f"BPM_DATABASE_URL: the folder {folder} can't be made: {error.strerror}") from error
        try:
            make_private_database(self._path)
        except PrivacyError as error:
            raise Misconfigured(str(error)) from error

    def _engine(self, begin: str, cache_kib: int) -> Engine:
        cuttable = {"factory": CuttableConnection}
        engine = create_engine(
            f"sqlite:///{self._path}", poolclass=NullPool, hide_parameters=True, connect_args=cuttable
        )
        synchronous = "NORMAL" if self._relaxed else "FULL"

        @event.listens_for(engine, "connect")
        def _configure(connection: CuttableConnection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
            connection.isolation_level = None  # we say BEGIN ourselves, below
            connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            _give_space_back(connection)
            _use_wal(connection)
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA cache_size=-{cache_kib}")
            connection.is_guarded = True

        # an event would let SQLAlchemy look for listeners at every statement, which costs as much as most statements
        engine.dialect.do_begin = partial(_begin, f"BEGIN {begin}")
        return engine

    def _examine(self) -> Mapping[str, str]:
        with self._reading.connect() as connection:
            mode: str = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            level: int = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        if mode != "wal":
            raise Misconfigured(f"{self._path} can't use SQLite's WAL mode; put BPM_DATA_DIR on a local disk")
        if level < 2 and not self._relaxed:
            raise Misconfigured("SQLite runs below synchronous=FULL; BPM_DURABILITY=relaxed accepts that")
        return {
            "database": f"SQLite {sqlite3.sqlite_version}",
            "place": str(self._path.resolve()),
            "journal_mode": mode,
            "synchronous": SYNCHRONOUS[level],
            "durability": "relaxed" if self._relaxed else "full",
        }


def _begin(statement: str, dbapi_connection: PoolProxiedConnection) -> None:
    """Begin a transaction as the dialect is asked to; the driver would begin one at the first change only."""
    dbapi_connection.cursor().execute(statement)


def _give_space_back(connection: sqlite3.Connection) -> None:
    """Let a new file shrink by what is deleted; to say so to another one takes the lock that its writer holds."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if pages == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Write ahead; SQLite does not wait by itself while another process gives a new file this mode."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def _is_busy(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")
"""The levels by number (https://sqlite.org/pragma.html#pragma_synchronous)."""


def database_file(settings: Settings) -> Path:
    """Return the file that `database_url` names, else `bpm.db` in the data folder."""
    if settings.database_url is None:
        return settings.sqlite_path
    path = settings.database_url.removeprefix("sqlite://").removeprefix("/")
    if not path:
        raise Misconfigured("BPM_DATABASE_URL must name a file, as in sqlite:////var/lib/bpm/bpm.db")
    return Path(path)


def diagnose(error: BaseException) -> Fault | None:
    """Tell an absent or full disk, and a transaction that was lost, from a mistake in a statement."""
    if isinstance(error, TransactionLost):
        return Fault.CONTENTION  # whose statement lost it fails alone, the others are committed one by one
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", None)
    return Fault.OUTAGE if code is not None and (code & 0xFF) in OUTAGES else None
