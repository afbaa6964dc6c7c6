"""Webhook configurations with their revisions, and every request that came in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, UniqueConstraint, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime

DEDUPLICATION_WINDOW = timedelta(days=7)

PENDING, RUNNING, DONE, FAILED, DEAD = "pending", "running", "done", "failed", "dead"
REJECTED, DUPLICATE, QUARANTINED = "rejected", "duplicate", "quarantined"
STATES = (PENDING, RUNNING, DONE, FAILED, DEAD, REJECTED, DUPLICATE, QUARANTINED)
OPEN_STATES = (PENDING, RUNNING, FAILED)
"""States in which a request still waits for a worker (failed: between two tries)."""


class WebhookConfig(OrganizationRow, table=True):
    """A configuration; `definition` holds its fields as on the wire, secrets encrypted.

    `shape` is the path with nameless parameters. A rule runs with the permissions that `author_id` (or the
    service account `run_as_id`) had when it was saved and still has.
    """

    __table_args__ = (UniqueConstraint("shape", "action"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    description: str
    is_enabled: bool
    path: str
    shape: str
    action: str
    execution_type: int
    definition: dict[str, Any] = Field(sa_type=JsonColumn)
    labels: str = ""
    revision: int = 1
    author_id: str
    author_name: str
    permissions: list[str] = Field(sa_type=JsonColumn)
    run_as_id: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class WebhookConfigRevision(OrganizationRow, table=True):
    """What a configuration was after a change, by whom and when; stays when the configuration is deleted."""

    __table_args__ = (UniqueConstraint("config_id", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    config_id: int
    key: str
    revision: int
    change: str
    author_id: str
    author_name: str
    definition: dict[str, Any] = Field(sa_type=JsonColumn)
    created_at: datetime = Field(sa_type=UtcDateTime)


class InboundRequest(OrganizationRow, table=True):
    """A request as it came, the verdict on it, and what became of its execution.

    `answer_*` is what was (or, for duplicates, will again be) answered; `cause` says why it was refused.
    """

    __table_args__ = (
        Index("ix_inbound_request_org_received", "organization_id", "received_at"),
        Index("ix_inbound_request_state", "state", "received_at"),
        Index("ix_inbound_request_config", "config_id", "received_at"),
    )

    request_id: str = Field(primary_key=True)
    config_id: int | None = None
    config_key: str | None = None
    revision: int | None = None
    provider: str | None = None
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = Field(sa_type=JsonColumn)
    body: bytes = b""
    address: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    cause: str | None = None
    dedupe_key: str | None = Field(default=None, unique=True)
    duplicate_of: str | None = None
    attempt: int = 0
    next_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    message_type: str | None = None
    result: Any = Field(default=None, sa_type=JsonColumn, nullable=True)
    errors: list[str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    answer_status: int | None = None
    answer_type: str | None = None
    answer_body: bytes | None = None


CONFIGS = WebhookConfig.table()
INBOUND = InboundRequest.table()

_INSERT = {"sqlite": sqlite.insert(INBOUND), "postgresql": postgresql.insert(INBOUND)}
_INSERT_NEW = {name: insert.on_conflict_do_nothing(index_elements=["dedupe_key"]) for name, insert in _INSERT.items()}
_BY_DEDUPE_KEY = select(INBOUND).where(INBOUND.c.dedupe_key == bindparam("key"))
_BY_ID = select(INBOUND).where(INBOUND.c.request_id == bindparam("id"))
_OPEN = select(INBOUND.c.request_id, INBOUND.c.attempt, INBOUND.c.next_attempt_at).where(INBOUND.c.state.in_(OPEN_STATES))


def all_configs(tx: Transaction) -> Sequence[WebhookConfig]:
    """Return every configuration of every organisation, for the route table."""
    return tx.session(None).exec(select_rows(WebhookConfig)).all()


def config_by_id(tx: Transaction, organization_id: int | None, config_id: int) -> WebhookConfig | None:
    """Return one configuration."""
    return tx.session(organization_id).exec(select_rows(WebhookConfig).where(col(WebhookConfig.id) == config_id)).first()


def insert_unless_known(tx: Transaction, row: Mapping[str, Any]) -> Any:
    """Insert a request with a `dedupe_key`; return the first request's row if the key is known, else None.

    The unique index decides. A key older than the window is freed and the request counts as new.
    """
    statement = _INSERT_NEW[tx.connection.dialect.name]
    if tx.connection.execute(statement, row).rowcount:
        return None
    first = tx.connection.execute(_BY_DEDUPE_KEY, {"key": row["dedupe_key"]}).one()
    if row["received_at"] - first.received_at <= DEDUPLICATION_WINDOW:
        return first
    settle(tx, first.request_id, {"dedupe_key": None})
    tx.connection.execute(statement, row)
    return None


def inbound_by_id(tx: Transaction, request_id: str) -> Any:
    """Return a request's row, or None."""
    return tx.connection.execute(_BY_ID, {"id": request_id}).first()


def settle(tx: Transaction, request_id: str, values: Mapping[str, Any], *, attempt: int | None = None) -> bool:
    """Change a request; with `attempt`, only while it is open at that attempt. Tells whether it was."""
    statement = update(INBOUND).where(INBOUND.c.request_id == bindparam("id_"))
    parameters: dict[str, Any] = {"id_": request_id}
    if attempt is not None:
        statement = statement.where(INBOUND.c.attempt == bindparam("attempt_"), INBOUND.c.state.in_(OPEN_STATES))
        parameters["attempt_"] = attempt
    statement = statement.values({name: bindparam(name) for name in values})
    return tx.connection.execute(statement, {**parameters, **values}).rowcount == 1


def open_requests(tx: Transaction) -> Sequence[Any]:
    """Return (request_id, attempt, next_attempt_at) of all requests that wait for a worker."""
    return tx.connection.execute(_OPEN).all()


