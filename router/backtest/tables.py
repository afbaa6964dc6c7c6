"""Back-tests that run in the background, and the requests that back-tests look at."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Index, and_, func, literal, or_, select, tuple_, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.jobs import lacks_token
from bpm.security.permissions import Principal
from bpm.security.stored_principal import StoredPrincipal
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.organizations import is_switched_off
from bpm.store.records import Records
from router.tables.requests import INBOUND

KIND = "backtest"
"""The kind of job that runs them."""

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
State = Literal["waiting", "running", "done", "failed"]


class BackTest(OrganizationRow, table=True):
    """A back-test: what is compared (`plan`, secrets sealed), how far it is, and what it found."""

    __table_args__ = (Index("ix_back_test_state", "state", "created_at"),)

    id: str = Field(primary_key=True)
    state: str
    plan: dict[str, Any] = Field(sa_type=JsonColumn)
    total: int | None = None
    compared: int = 0
    counts: dict[str, int] = Field(sa_type=JsonColumn)
    unchecked: dict[str, int] = Field(sa_type=JsonColumn)
    changed: list[dict[str, Any]] = Field(sa_type=JsonColumn)
    error: str | None = None
    author_id: str
    author_name: str | None = None
    permissions: list[str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


BACK_TESTS = BackTest.table()

_HAS_NOT_ENDED = or_(BACK_TESTS.c.state == WAITING, BACK_TESTS.c.state == RUNNING)
_IS_OPEN = and_(_HAS_NOT_ENDED, ~is_switched_off(BACK_TESTS.c.organization_id))


class CapturedRequest(NamedTuple):
    """A request as far as it is chosen by."""

    request_id: str
    received_at: datetime
    state: str
    path: str


class ExaminedRequest(NamedTuple):
    """A request as far as it is compared: without its result and its answer, which may be large."""

    request_id: str
    received_at: datetime
    state: str
    path: str
    method: str
    query: str
    headers: dict[str, str]
    sealed: str | None
    body: bytes
    address: str
    cause: str | None
    message_type: str | None
    errors: list[str] | None


class OpenBackTest(NamedTuple):
    """A back-test that has not ended, of an organisation that is switched on."""

    id: str
    created_at: datetime
    organization_id: int


class AskedBackTest(NamedTuple):
    """What is compared by a back-test that has not ended, and for whom."""

    plan: dict[str, Any]
    organization_id: int
    author_id: str
    author_name: str | None
    permissions: list[str] | None
    authority: dict[str, Any] | None

    @property
    def author(self) -> Principal:
        """Who asked for it; of one from before there were the columns it is not known what they may do."""
        name = self.author_name or self.author_id
        stored = StoredPrincipal(self.author_id, name, self.organization_id, self.permissions or [], self.authority)
        return stored.acting("system")


_OPEN = Records(OpenBackTest, BACK_TESTS)
_ASKED = Records(AskedBackTest, BACK_TESTS)
_CAPTURED = Records(CapturedRequest, INBOUND)
_EXAMINED = Records(ExaminedRequest, INBOUND)


def insert_back_test(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Store a new back-test."""
    tx.connection.execute(BACK_TESTS.insert(), row)


def count_open(tx: Transaction, organization_id: int) -> int:
    """Return how many back-tests of an organisation have not ended."""
    counted = select(func.count()).select_from(BACK_TESTS)
    is_its = BACK_TESTS.c.organization_id == organization_id
    return tx.connection.execute(counted.where(is_its, _HAS_NOT_ENDED)).scalar_one()


def find_back_test(tx: Transaction, organization_id: int, back_test_id: str) -> BackTest | None:
    """Return one back-test of an organisation."""
    statement = select_rows(BackTest).where(col(BackTest.id) == back_test_id)
    return tx.session(organization_id).exec(statement).first()


def asked_back_test(tx: Transaction, back_test_id: str) -> AskedBackTest | None:
    """Return a back-test that has not ended, or None."""
    return _ASKED.first(tx.connection, _ASKED.select.where(BACK_TESTS.c.id == back_test_id, _IS_OPEN))


def open_back_tests(tx: Transaction, limit: int) -> list[OpenBackTest]:
    """Return back-tests that have not ended and lack a job, the oldest first."""
    lacking = lacks_token(KIND, BACK_TESTS.c.id, literal(0))
    statement = _OPEN.select.where(_IS_OPEN, lacking).order_by(BACK_TESTS.c.created_at)
    return _OPEN.all(tx.connection, statement.limit(limit))


def note(tx: Transaction, back_test_id: str, values: Mapping[str, Any]) -> None:
    """Write how far a back-test is, unless it has ended."""
    tx.connection.execute(update(BACK_TESTS).where(BACK_TESTS.c.id == back_test_id, _IS_OPEN).values(**values))


def captured_for(config_id: int) -> ColumnElement[bool]:
    """Return the condition that a request was captured for a configuration."""
    return INBOUND.c.config_id == config_id


def captured_for_nobody() -> ColumnElement[bool]:
    """Return the condition that no configuration answered when a request came."""
    return INBOUND.c.cause == "unknown"


def newest(
    tx: Transaction,
    organization_id: int,
    which: ColumnElement[bool],
    since: datetime | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[CapturedRequest]:
    """Return requests before a place in time, the newest first."""
    place = (INBOUND.c.received_at, INBOUND.c.request_id)
    statement = _CAPTURED.select.where(INBOUND.c.organization_id == organization_id, which)
    if since is not None:
        statement = statement.where(INBOUND.c.received_at >= since)
    if before is not None:
        statement = statement.where(INBOUND.c.received_at <= before[0], tuple_(*place) < tuple_(*before))
    return _CAPTURED.all(tx.connection, statement.order_by(*(c.desc() for c in place)).limit(limit))


def whole_requests(tx: Transaction, request_ids: Sequence[str]) -> list[ExaminedRequest]:
    """Return whole requests in the order they came; those deleted meanwhile are missing."""
    rows = _EXAMINED.all(tx.connection, _EXAMINED.select.where(INBOUND.c.request_id.in_(request_ids)))
    return sorted(rows, key=lambda row: (row.received_at, row.request_id))
