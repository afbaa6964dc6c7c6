"""What is remembered of the attempts of a request: every one that failed, and the last one after failures.

A request that succeeds at its first attempt has no history, for its own row says it all.
"""

import os
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bpm.store import Transaction
from router.attempts import tables
from router.tables import requests
from router.tables.requests import RequestRow

Settled = Mapping[str, Any]
"""Columns of a request after an attempt; see `router.settlement.settled`."""

WORKER = f"{socket.gethostname()}:{os.getpid()}"
"""This process, as histories name it."""


class AttemptedRequest(NamedTuple):
    """Whose attempt it was, and how often the request had been driven again by then, the last time by whom."""

    organization_id: int
    request_id: str
    replay_count: int = 0
    replayed_by: str | None = None


def note(tx: Transaction, of: AttemptedRequest, started: datetime, ended: datetime, settled: Settled) -> None:
    """Remember an attempt in the transaction that settles it."""
    if settled["state"] == requests.DONE and settled["attempt"] == 1:
        return
    attempt = {
        "organization_id": of.organization_id,
        "request_id": of.request_id,
        "number": settled["attempt"],
        "replay": of.replay_count,
        "replayed_by": of.replayed_by,
        "started_at": started,
        "ended_at": ended,
        "outcome": settled["state"],
        "errors": settled["errors"],
        "message_type": settled["message_type"],
        "worker": WORKER,
    }
    tables.keep(tx, attempt)


def note_last(tx: Transaction, row: RequestRow) -> None:
    """Remember a request's last attempt before it is driven again, unless it is remembered."""
    if row.attempt == 0:
        return
    attempt = {
        "organization_id": row.organization_id,
        "request_id": row.request_id,
        "number": row.attempt,
        "replay": row.replay_count,
        "replayed_by": row.replayed_by,
        "started_at": row.received_at,
        "ended_at": row.completed_at or row.received_at,
        "outcome": row.state if row.state in (requests.DONE, requests.DEAD) else requests.FAILED,
        "errors": row.errors,
        "message_type": row.message_type,
        "worker": "",
    }
    tables.keep_unless_known(tx, attempt)
