"""Requests by their provider's id, by which repetitions are known."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, update

from bpm.store import Transaction
from bpm.store.lookup import Lookup
from bpm.store.upsert import insert_new
from router.tables.requests import DEAD, INBOUND, REQUESTS, RequestRow

DEDUPLICATION_WINDOW = timedelta(days=7)
_BY_DEDUPE_KEY = Lookup(REQUESTS, INBOUND, "dedupe_key")
_FREE_KEY = update(INBOUND).where(INBOUND.c.request_id == bindparam("id_")).values(dedupe_key=None)
_TAKE_KEY = _FREE_KEY.where(INBOUND.c.state == DEAD, INBOUND.c.cause.is_(None))


def insert_unless_known(tx: Transaction, row: Mapping[str, Any]) -> RequestRow | None:
    """Insert a request with a `dedupe_key`; return the first request if the key is known, else None.

    The unique index decides. A key older than the window is freed and the request counts as new.
    """
    statement, key, now = insert_new(tx.connection, INBOUND), row["dedupe_key"], row["received_at"]
    if tx.connection.execute(statement, row).rowcount:
        return None
    first = first_with_key(tx, key, now)
    if first is None and not tx.connection.execute(statement, row).rowcount:
        return first_with_key(tx, key, now)  # another process has taken the freed key meanwhile
    return first


def is_given_up(row: RequestRow) -> bool:
    """Tell whether a request is dead because it failed, so that the provider's next try may take it up again.

    One that was discarded, or that ended its process, stays dead.
    """
    return row.state == DEAD and row.cause is None


def take_key(tx: Transaction, row: RequestRow) -> bool:
    """Let another request take over the provider's id of one that is given up; False when it is that no more."""
    return tx.connection.execute(_TAKE_KEY, {"id_": row.request_id}).rowcount == 1


def first_with_key(tx: Transaction, key: str, now: datetime) -> RequestRow | None:
    """Return the request that has a `dedupe_key`, or None; a key older than the window is freed."""
    first = _BY_DEDUPE_KEY.first(tx, None, dedupe_key=key)
    if first is None or _is_remembered(first, now):
        return first
    tx.connection.execute(_FREE_KEY, {"id_": first.request_id})
    return None


def known_request(tx: Transaction, dedupe_key: str, now: datetime) -> RequestRow | None:
    """Return the request that has a `dedupe_key`, or None; one older than the window is known no more."""
    first = _BY_DEDUPE_KEY.first(tx, None, dedupe_key=dedupe_key)
    return first if first is not None and _is_remembered(first, now) else None


def _is_remembered(row: RequestRow, now: datetime) -> bool:
    return now - row.received_at <= DEDUPLICATION_WINDOW
