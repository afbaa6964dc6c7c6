"""What the log says of requests that come to nothing: a line for each, with the id by which the rest is found.

A line names the kind of the failure and none of its sentences, which may tell what a sender wrote.
"""

import structlog

from bpm.errors import BpmError
from bpm.store import Transaction

log = structlog.get_logger("router")


def log_refused(request_id: str, rule: str | None, cause: str | None, address: str) -> None:
    """Say that a request was refused, and kept."""
    log.warning("a request was refused", request_id=request_id, rule=rule, cause=cause, address=address)


def log_failed(request_id: str, rule: str | None, error: BpmError) -> None:
    """Say that a request failed while its caller waited."""
    log.warning("a request failed", request_id=request_id, rule=rule, cause=type(error).__name__)


def log_failed_after(tx: Transaction, request_id: str, rule: str | None, error: BpmError) -> None:
    """Say so once the transaction that settles the request is committed."""
    tx.after_commit(lambda: log_failed(request_id, rule, error))


def log_dead_after(tx: Transaction, request_id: str, rule: str | None, error: BpmError, attempts: int) -> None:
    """Say that a request is given up, once the transaction that settles it is committed."""
    kind = type(error).__name__
    tx.after_commit(
        lambda: log.warning("a request is dead", request_id=request_id, rule=rule, cause=kind, attempts=attempts)
    )
