"""Cuts connections of SQLite beneath the statements of their threads: `python -m tests.bpm.store.cutting FILE`.

Ends with status 0 when nothing of a cut connection was stored; a driver that is misused ends it by a signal.
"""

import sqlite3
import sys
import threading
from functools import partial

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from bpm.store.cuttable import CuttableConnection
from bpm.store.thread_connection import ThreadConnection

TURNS = 300
ROWS = 200


def work(link: ThreadConnection, has_begun: threading.Event) -> None:
    """Write and read until the connection refuses, then close it as its own thread does."""
    driver = link.connection().connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.isolation_level = None
    try:
        driver.execute("BEGIN IMMEDIATE")
        has_begun.set()
        while True:
            driver.execute("SAVEPOINT s")
            driver.executemany("INSERT INTO kept VALUES (?)", [(number,) for number in range(ROWS)])
            driver.execute("SELECT count(*) FROM kept AS a, kept AS b").fetchall()
            driver.execute("RELEASE s")
    except sqlite3.Error:
        link.drop()


def main(file: str) -> int:
    """Return how many rows were stored."""
    cuttable = {"factory": CuttableConnection}
    connect = create_engine(f"sqlite:///{file}", poolclass=NullPool, connect_args=cuttable).connect
    with sqlite3.connect(file) as own:
        own.execute("CREATE TABLE kept (number INTEGER)")
    for turn in range(TURNS):
        link, has_begun = ThreadConnection(connect), threading.Event()
        thread = threading.Thread(target=partial(work, link, has_begun))
        thread.start()
        has_begun.wait()
        thread.join(turn % 20 / 10_000)  # now this statement runs, now that
        link.cut()
        thread.join()
    return own.execute("SELECT count(*) FROM kept").fetchone()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) > 0)
