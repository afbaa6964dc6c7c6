"""Runs of scripts: what each took, and sealed, all that is needed to replay it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, delete, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import OrganizationRow, Transaction, UtcDateTime
from bpm.store.distinct_values import distinct_values
from bpm.store.session import ScopedSession

CLEARED_EVERY = 128
"""One recording in so many looks whether there are too many."""


class CodeRun(OrganizationRow, table=True):
    """One run; `id` sorts by time, `reason` is None when it ended well.

    `sealed` is the `Recording`, encrypted because a command's answer may be shown only once; None when it was
    larger than is kept.
    """

    __table_args__ = (
        Index("ix_code_run_created", "organization_id", "created_at", "id"),
        Index("ix_code_run_request", "organization_id", "request_id"),
        Index("ix_code_run_correlation", "organization_id", "correlation_id", "created_at"),
        Index("ix_code_run_rule", "organization_id", "rule", "created_at"),
    )

    id: str = Field(primary_key=True)
    request_id: str
    correlation_id: str
    rule: str | None = None
    sender: str
    source_hash: str
    reason: str | None = None
    message: str | None = None
    line: int | None = None
    column: int | None = None
    sends: int
    cpu_seconds: float
    peak_memory_bytes: int
    sealed: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


RUNS = CodeRun.table()


def keep_run(tx: Transaction, row: Mapping[str, Any], kept: int) -> None:
    """Insert a run, and now and then delete those beyond the number that is kept."""
    tx.append(RUNS, row)
    if int(row["id"][-4:], 16) % CLEARED_EVERY == 0:
        clear_runs(tx, row["organization_id"], kept)


def clear_runs(tx: Transaction, organization_id: int, kept: int) -> None:
    """Delete an organisation's oldest runs until so many are left."""
    own = RUNS.c.organization_id == organization_id
    oldest = select(RUNS.c.id).where(own).order_by(RUNS.c.id.desc()).offset(kept).limit(1)
    last = tx.connection.execute(oldest).scalar()
    if last is not None:
        tx.connection.execute(delete(RUNS).where(own, RUNS.c.id <= last))


def rules_with_runs(tx: Transaction, organization_id: int | None) -> list[str]:
    """Return the rules of an organisation that have runs, as `<number>:<revision>`, by one step through the index each.

    Of these there are at most as many as runs are kept.
    """
    return distinct_values(tx, RUNS.c.rule, RUNS.c.organization_id == organization_id)


def run_by_id(session: ScopedSession, id_: str) -> CodeRun | None:
    """Return a run of the session's organisation."""
    return session.exec(select_rows(CodeRun).where(col(CodeRun.id) == id_)).first()


def select_runs(*, failed: bool | None, **wanted: str | None) -> SelectOfScalar[CodeRun]:
    """Select runs whose columns equal `wanted` (None: any), and by whether they failed."""
    statement = select_rows(CodeRun)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(col(getattr(CodeRun, name)) == value)
    if failed is not None:
        is_failure = col(CodeRun.reason).is_not(None) if failed else col(CodeRun.reason).is_(None)
        statement = statement.where(is_failure)
    return statement
