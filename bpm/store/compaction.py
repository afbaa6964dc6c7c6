"""Space given back to the disk: a little after each pruning, all of it while no server runs."""

from pathlib import Path

from bpm.store.backup.files import require_room
from bpm.store.exclusive import open_alone
from bpm.store.transaction import Transaction

INCREMENTAL = 2
"""The number of `auto_vacuum=INCREMENTAL` (https://sqlite.org/pragma.html#pragma_auto_vacuum)."""
RESERVE = 10
"""One page in so many may be free: what goes today makes room for what comes tomorrow."""
PIECE = 500
"""How many pages one unit of the writer gives back."""


def give_back(tx: Transaction) -> bool:
    """Give a piece of a SQLite file's free pages back; tell whether there is more that should go.

    PostgreSQL gives back by itself what autovacuum can.
    """
    if tx.connection.dialect.name != "sqlite":
        return False
    mode, pages, free = (
        tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("auto_vacuum", "page_count", "freelist_count")
    )
    surplus = free - pages // RESERVE
    if mode != INCREMENTAL or surplus <= 0:
        return False
    for _ in range(min(surplus, PIECE)):  # the driver takes one step of a statement without rows, which is one page
        tx.connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return surplus > PIECE


def compact(file: Path) -> tuple[int, int]:
    """Write a database file anew, without free pages; return its size in bytes before and after.

    Files of before `auto_vacuum` was set get it. Raises `Misconfigured` when somebody has the file open, or when
    there is no room for the second copy that SQLite makes.
    """
    before = file.stat().st_size
    require_room(file.parent, 2 * before)  # the new file, and a journal of the old one
    with open_alone(file) as connection:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")
    return before, file.stat().st_size
