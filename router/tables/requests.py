"""Requests that came in, and the records that queries return of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Index, or_, text
from sqlmodel import Field

from bpm.store import ForeignText, JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.records import Records
from bpm.store.upsert import insert_new

KIND = "inbound"
"""The kind of job that executes requests."""

PENDING, RUNNING, DONE, FAILED, DEAD = "pending", "running", "done", "failed", "dead"
REJECTED, DUPLICATE, QUARANTINED = "rejected", "duplicate", "quarantined"
State = Literal["pending", "running", "done", "failed", "dead", "rejected", "duplicate", "quarantined"]
STATES: tuple[State, ...] = get_args(State)
POISONED = "poisoned"
"""The cause of a dead request that ended the process which executed it."""
PASSED = "passed"
"""The verdict on a request that was not refused."""
OPEN_STATES = (PENDING, RUNNING, FAILED)
"""States in which a request still waits for a worker (failed: between two tries)."""


def _index_where_set(column: str) -> Index:
    """Return the index of requests by a column that few of them have."""
    is_set = text(f"{column} IS NOT NULL")
    name = f"ix_inbound_request_{column}"
    columns = ("organization_id", column, "received_at", "request_id")
    return Index(name, *columns, sqlite_where=is_set, postgresql_where=is_set)


class InboundRequest(OrganizationRow, table=True):
    """A request as it came, the verdict on it, and what became of its execution.

    `answer_*` is what was (or, for duplicates, will again be) answered; `cause` says why it was refused.
    `headers` and `query` show `***` for what proves the sender, which `sealed` holds encrypted.
    `attempts_before` is the number of attempts when it was last driven again, which its policy does not count;
    `run` counts how often it was driven again although it had succeeded.
    """

    __table_args__ = (
        # each tells a filter's pages and totals without a look at the rows; those that are few have their own
        Index("ix_inbound_request_received", "organization_id", "received_at", "request_id", "cause", "address"),
        Index(
            "ix_inbound_request_state", "state", "organization_id", "received_at", "request_id", "config_id", "cause"
        ),
        Index("ix_inbound_request_config", "organization_id", "config_id", "received_at", "request_id", "cause"),
        _index_where_set("cause"),
        _index_where_set("provider"),
    )

    request_id: str = Field(primary_key=True)
    config_id: int | None = None
    config_key: str | None = None
    revision: int | None = None
    provider: str | None = None
    method: str
    path: str = Field(sa_type=ForeignText)
    query: str = Field(default="", sa_type=ForeignText)
    headers: dict[str, str] = Field(sa_type=JsonColumn)
    sealed: str | None = None
    body: bytes = b""
    body_pruned: bool = False
    address: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    cause: str | None = None
    dedupe_key: str | None = Field(default=None, sa_type=ForeignText, unique=True, nullable=True)
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
    answer_headers: list[list[str]] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    lane: str | None = None
    attempts_before: int = 0
    replay_count: int = 0
    replayed_by: str | None = None
    run: int = 0
    resent_of: str | None = None
    resent_by: str | None = None
    resent_for: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    replayed_as: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)


class RequestRow(NamedTuple):
    """A stored request as queries return it, to be looked at only; what has a default is unset when it is accepted."""

    organization_id: int
    request_id: str
    config_id: int | None
    """The configuration that it came to; None for providers' own addresses and for what nothing answered."""
    config_key: str | None
    revision: int | None
    """The configuration's revision when the request came."""
    provider: str | None
    method: str
    path: str
    """Without the prefix of all webhooks."""
    query: str
    """As it was written, `***` in the place of what proves the sender."""
    headers: dict[str, str]
    """By lower-case name, `***` in the place of what proves the sender."""
    body: bytes
    sealed: str | None
    """What is hidden in `query`, `headers` and `body`, encrypted."""
    address: str
    """The client's."""
    received_at: datetime
    state: str
    """One of `STATES`."""
    cause: str | None
    """Why it was refused or given up; None for what passed."""
    errors: list[str] | None
    dedupe_key: str | None
    """The provider's id, by which repetitions are known; None when another request may take it."""
    duplicate_of: str | None
    """The request that this one repeats."""
    attempt: int
    """How many attempts were made."""
    answer_status: int | None
    """The answer that repetitions get, with the next three."""
    answer_type: str | None
    answer_body: bytes | None
    """Encrypted."""
    answer_headers: list[list[str]] | None
    """Pairs of name and encrypted value."""
    next_attempt_at: datetime | None = None
    completed_at: datetime | None = None
    message_type: str | None = None
    """The `$type` that it became."""
    result: Any = None
    """What the message returned, as on the wire, without secrets."""
    body_pruned: bool = False
    """Whether retention has taken the body."""
    lane: str | None = None
    """Those of one lane are executed one after another."""
    attempts_before: int = 0
    """How many attempts had been made when it was last driven again, which its policy does not count."""
    replay_count: int = 0
    """How often it was driven again."""
    replayed_by: str | None = None
    run: int = 0
    """How often it was driven again although it had succeeded."""
    resent_of: str | None = None
    """The request that it was made of by hand."""
    resent_by: str | None = None
    """Who made it."""
    resent_for: dict[str, Any] | None = None
    """The authority of who made it, who is asked in what it does."""
    replayed_as: dict[str, Any] | None = None
    """The revision or draft of its rule by which it was last driven again (`router.replay.replayed_as`)."""


BODIES = ("body", "sealed", "answer_body", "result")
"""What a list of requests need not load."""
INBOUND = InboundRequest.table()
IS_OPEN = or_(*(INBOUND.c.state == state for state in OPEN_STATES))  # an IN would be expanded at every use
_INSERT = INBOUND.insert()
REQUESTS = Records(RequestRow, INBOUND)
_BY_ID = Lookup(REQUESTS, INBOUND, "request_id")


def insert(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert a request now rather than with the group's others."""
    tx.connection.execute(_INSERT, row)


def insert_unless_there(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Insert a request now; False when it is there."""
    return tx.connection.execute(insert_new(tx.connection, INBOUND), row).rowcount == 1


def find_request(tx: Transaction, organization_id: int | None, request_id: str) -> RequestRow | None:
    """Return a request of an organisation (None: of any), or None."""
    return _BY_ID.first(tx, organization_id, request_id=request_id)
