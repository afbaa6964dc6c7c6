"""Raw grouped commits of inbox rows: WAL, synchronous=FULL, one executemany and one COMMIT a group.

Run as `python -m tests.bench.limits.sqlite_commits FILE SECONDS`; prints rows and seconds as JSON.
"""

import json
import sqlite3
import sys
import time
import uuid
from contextlib import closing

from sqlalchemy.schema import CreateIndex, CreateTable

from tests.bench.limits.inbox_row import InboxRow, values
from tests.bench.payload import BODY, SIGNATURE_HEADER, sign

GROUP = 256
HEADERS = json.dumps({SIGNATURE_HEADER: sign(BODY), "content-type": "application/json"})
COLUMNS = list(values("", "", b""))
INSERT = f"INSERT INTO inbox ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})"  # noqa: S608 - our names


def opened(file: str) -> sqlite3.Connection:
    """A durable database with an empty inbox."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    inbox = InboxRow.metadata.tables["inbox"]
    for statement in (CreateTable(inbox), *map(CreateIndex, inbox.indexes)):
        connection.execute(str(statement))
    return connection


def commit_group(connection: sqlite3.Connection) -> None:
    """Insert one group of rows and wait for the disk."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, [values(uuid.uuid4().hex, HEADERS, BODY) for _ in range(GROUP)])
    connection.execute("COMMIT")


def main(file: str, seconds: float) -> None:
    """Commit groups for so many seconds and print what was done."""
    with closing(opened(file)) as connection:
        rows, cpu, start = 0, time.process_time(), time.monotonic()
        while time.monotonic() - start < seconds:
            commit_group(connection)
            rows += GROUP
        spent = {"seconds": time.monotonic() - start, "cpu": time.process_time() - cpu}
    print(json.dumps({"units": rows, **spent}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
