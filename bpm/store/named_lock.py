"""Transactions that must not overlap with others of their name, whichever process they come from."""

import zlib

from sqlalchemy import bindparam, func, select

from bpm.store.transaction import Transaction

_LOCK = select(func.pg_advisory_xact_lock(bindparam("family"), bindparam("name")))
_SHARE = select(func.pg_advisory_xact_lock_shared(bindparam("family"), bindparam("name")))
_FAMILY = 0x62706D
"""Ours, so that the names do not meet other programs' locks in the same database."""


def take_named_lock(tx: Transaction, name: str, *, is_shared: bool = False) -> None:
    """Wait until no other open transaction has said the same name; those that share it do not wait for one another.

    SQLite has one writer anyway, and a snapshot, which only reads, waits for nobody.

    Rows numbered after this become visible in the order of their numbers.
    """
    if not tx.is_snapshot and tx.connection.dialect.name == "postgresql":
        lock = _SHARE if is_shared else _LOCK
        tx.connection.execute(lock, {"family": _FAMILY, "name": zlib.crc32(name.encode()) & 0x7FFFFFFF})
