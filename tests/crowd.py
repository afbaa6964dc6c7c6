"""Many stored requests, made fast: what lists, back-tests and retention are tried on."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import func, select

from bpm.store import Database, Transaction
from router.tables.requests import INBOUND

CHUNK = 2_000
START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=1)
PART = timedelta(hours=2)
"""How much is copied by one unit of work, which on a busy machine has no more time than on another."""
MOMENT = "%Y-%m-%d %H:%M:%S"
CONFIGS = 20
SHARES = (("dead", None, 0.02), ("rejected", "signature", 0.03), ("quarantined", "unknown", 0.01), ("done", None, 1.0))
"""Which states and causes stand for which share of the requests, each share beside the ones before it."""


async def fill(database: Database, count: int, *, start: datetime = START, **changes: Any) -> None:
    """Store `count` requests, a second apart from `start` on; `changes` are columns that all of them share."""
    rows = crowd(count, start, changes)
    while chunk := [(INBOUND, row) for row in islice(rows, CHUNK)]:
        await database.append(*chunk)


async def multiply(database: Database, times: int) -> None:
    """Store every request `times - 1` times more, each time a year earlier and under another id."""
    last = await database.read(lambda tx: tx.reading.execute(select(func.max(INBOUND.c.received_at))).scalar_one())
    for years in range(1, times):
        for part in range((last - START) // PART + 1):
            await database.write(partial(_copy, years=years, since=START + part * PART))


def _copy(tx: Transaction, *, years: int, since: datetime) -> None:
    """Copy what came in during one part of the time, within the database."""
    earlier = f"received_at - interval '{years} years'"
    if tx.connection.dialect.name == "sqlite":
        earlier = f"replace(received_at, '{START.year}', '{START.year - years}')"
    others = ", ".join(column.name for column in INBOUND.columns if column.name not in ("request_id", "received_at"))
    tx.connection.exec_driver_sql(
        f"INSERT INTO inbound_request (request_id, received_at, {others}) "  # noqa: S608 names of our own
        f"SELECT request_id || '-{years}', {earlier}, {others} FROM inbound_request "
        f"WHERE received_at >= '{since:{MOMENT}}' AND received_at < '{since + PART:{MOMENT}}'"
    )


def crowd(count: int, start: datetime, changes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows as the router stores them, the same at every run; every one has a number in its body."""
    noise = random.Random(4711)  # noqa: S311 the same at every run, not secret
    for number in range(count):
        state, cause = _fate(noise.random())
        config = None if cause == "unknown" else number % CONFIGS + 1
        at = start + STEP * number
        yield {
            "organization_id": 1,
            "request_id": f"{int(at.timestamp()):012x}-{noise.getrandbits(76):019x}",
            "config_id": config,
            "config_key": f"rule-{config}" if config else None,
            "revision": 1,
            "method": "POST",
            "path": f"orders/{number % CONFIGS}",
            "query": "",
            "headers": HEADERS,
            "body": b'{"order": %d, "note": "%s"}' % (number, NOTE),
            "address": f"10.0.{number % 8}.{number % 250}",
            "received_at": at,
            "state": state,
            "cause": cause,
            "attempt": 1,
            "completed_at": at,
            "message_type": "PublishEventCommand",
            "result": {"event": "order.placed"},
            **changes,
        }


HEADERS = {"content-type": "application/json", "user-agent": "crowd"}
NOTE = b"x" * 400


def _fate(chance: float) -> tuple[str, str | None]:
    passed = 0.0
    for state, cause, share in SHARES:
        passed += share
        if chance < passed:
            return state, cause
    raise AssertionError(chance)
