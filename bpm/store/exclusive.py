"""A SQLite file that nobody else has open, for what can't be done beside a server."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from bpm.errors import Misconfigured


@contextmanager
def open_alone(file: Path) -> Generator[sqlite3.Connection]:
    """Open a database file without its write-ahead log, which SQLite allows only to the one who has it open.

    Raises `Misconfigured` when somebody else has, or the file is no database.
    """
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise Misconfigured(f"another process has {file} open ({error}); stop the servers and workers") from error
        except sqlite3.DatabaseError as error:
            raise Misconfigured(f"{file} can't be used as the database: {error}") from error
        yield connection
