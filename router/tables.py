"""Webhook configurations with their revisions, and every request that came in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, UniqueConstraint, bindparam, delete, exists, func, or_, select, text, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.jobs import lacks_token, waits_in_lane
from bpm.store import ForeignText, JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.ordering import one_at_a_time
from bpm.store.organizations import is_switched_off
from bpm.store.patterns import bytes_contain, pattern
from bpm.store.session import ScopedSession
from bpm.store.upsert import insert_new

KIND = "inbound"
"""The kind of job that executes requests."""

DEDUPLICATION_WINDOW = timedelta(days=7)
MAX_SEARCHED = 25_000
"""How many requests, the newest of those that the other filters leave, are looked through for words."""
MAX_SEARCHED_BYTES = 32 * 1024 * 1024
"""How many bytes of bodies are, at most."""

PENDING, RUNNING, DONE, FAILED, DEAD = "pending", "running", "done", "failed", "dead"
REJECTED, DUPLICATE, QUARANTINED = "rejected", "duplicate", "quarantined"
STATES = (PENDING, RUNNING, DONE, FAILED, DEAD, REJECTED, DUPLICATE, QUARANTINED)
POISONED = "poisoned"
"""The cause of a dead request that ended the process which executed it."""
PASSED = "passed"
"""The verdict on a request that was not refused."""
OPEN_STATES = (PENDING, RUNNING, FAILED)
"""States in which a request still waits for a worker (failed: between two tries)."""


class WebhookConfig(OrganizationRow, table=True):
    """A configuration; `definition` holds its fields as on the wire, secrets encrypted.

    `shape` is the path with nameless parameters. A rule runs with the permissions that `author_id` (or the service
    account `run_as_id`) had when it was saved and still has; `authority` names the accounts that are asked. One that
    `is_contested` overlapped an older one of another organisation before that was refused; it answers nothing until
    it is saved anew. While `paused_at` is set, what is accepted waits.
    """

    __table_args__ = (
        UniqueConstraint("shape", "action"),
        # tells which addresses are taken without a look at the rows
        Index("ix_webhook_config_address", "organization_id", "shape", "key", "is_contested", "id"),
        {"sqlite_autoincrement": True},
    )

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
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    run_as_id: str | None = None
    is_contested: bool = False
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
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


BODIES = ("body", "sealed", "answer_body", "result")
"""What a list of requests need not load."""

CONFIGS = WebhookConfig.table()
INBOUND = InboundRequest.table()

_CONFIG_BY_ID = Lookup(WebhookConfig, "id")
_CONFIG_BY_KEY = Lookup(WebhookConfig, "key")
_IS_OPEN = or_(*(INBOUND.c.state == state for state in OPEN_STATES))  # an IN would be expanded at every use
_INSERT = INBOUND.insert()
_BY_DEDUPE_KEY = select(INBOUND).where(INBOUND.c.dedupe_key == bindparam("key"))
_BY_ID = select(INBOUND).where(INBOUND.c.request_id == bindparam("id"))
_OPEN = (
    select(INBOUND.c.request_id, INBOUND.c.attempt, INBOUND.c.next_attempt_at, INBOUND.c.received_at)
    .where(
        _IS_OPEN,
        or_(INBOUND.c.state != FAILED, INBOUND.c.next_attempt_at.is_not(None)),
        lacks_token(KIND, INBOUND.c.request_id, INBOUND.c.attempt),
        ~waits_in_lane(KIND, INBOUND.c.request_id),
        ~is_switched_off(INBOUND.c.organization_id),
        ~exists().where(CONFIGS.c.id == INBOUND.c.config_id, CONFIGS.c.paused_at.is_not(None)),
    )
    .order_by(INBOUND.c.received_at)
)
_FREE_KEY = update(INBOUND).where(INBOUND.c.request_id == bindparam("id_")).values(dedupe_key=None)
_OPEN_AT = select(INBOUND.c.request_id).where(
    INBOUND.c.request_id == bindparam("id"), INBOUND.c.attempt == bindparam("at_attempt"), _IS_OPEN
)
_SETTLED = ("state", "attempt", "next_attempt_at", "completed_at", "message_type", "result", "errors")
_SETTLE = (
    update(INBOUND)
    .where(INBOUND.c.request_id == bindparam("id_"), INBOUND.c.attempt == bindparam("at_attempt"), _IS_OPEN)
    .values({name: bindparam(f"{name}_") for name in _SETTLED})
)
_REOPEN = (
    update(INBOUND)
    .where(
        INBOUND.c.request_id == bindparam("id_"),
        INBOUND.c.attempt == bindparam("at_attempt"),
        INBOUND.c.state == DEAD,
    )
    .values(
        state=PENDING,
        errors=None,
        next_attempt_at=bindparam("now"),
        completed_at=None,
        attempts_before=bindparam("at_attempt"),
        replay_count=INBOUND.c.replay_count + 1,
        replayed_by=bindparam("by"),
        lane=bindparam("lane_"),
    )
)
_FINISHED = (*_SETTLED, "dedupe_key", "answer_status", "answer_type", "answer_body", "answer_headers")
_FINISH = (
    update(INBOUND)
    .where(INBOUND.c.request_id == bindparam("id_"))
    .values({name: bindparam(f"{name}_") for name in _FINISHED})
)
REVISIONS = WebhookConfigRevision.table()
_NEWEST = select(func.max(REVISIONS.c.id))
_CHANGED = select(REVISIONS.c.config_id).where(REVISIONS.c.id > bindparam("seen"))


def config_by_id(tx: Transaction, organization_id: int | None, config_id: int) -> WebhookConfig | None:
    """Return one configuration."""
    return (
        tx.session(organization_id).exec(select_rows(WebhookConfig).where(col(WebhookConfig.id) == config_id)).first()
    )


def insert_unless_known(tx: Transaction, row: Mapping[str, Any]) -> Any:
    """Insert a request with a `dedupe_key`; return the first request's row if the key is known, else None.

    The unique index decides. A key older than the window is freed and the request counts as new.
    """
    statement = insert_new(tx.connection, INBOUND)
    if tx.connection.execute(statement, row).rowcount:
        return None
    first = first_with_key(tx, row["dedupe_key"], row["received_at"])
    if first is None:
        tx.connection.execute(statement, row)
    return first


def note_cause(tx: Transaction, request_id: str, cause: str) -> None:
    """Write why a request is dead, other than that it failed."""
    tx.connection.execute(update(INBOUND).where(INBOUND.c.request_id == request_id).values(cause=cause))


def is_given_up(row: Any) -> bool:
    """Tell whether a request is dead because it failed, so that the provider's next try may take it up again.

    One that was discarded, or that ended its process, stays dead.
    """
    return row.state == DEAD and row.cause is None


def free_key(tx: Transaction, row: Any) -> None:
    """Let another request take over the provider's id of this one."""
    tx.connection.execute(_FREE_KEY, {"id_": row.request_id})


def reopen(tx: Transaction, row: Any, by: str, now: datetime, lane: str | None) -> bool:
    """Open a dead request again; False when it is not dead any more."""
    values = {"id_": row.request_id, "at_attempt": row.attempt, "now": now, "by": by, "lane_": lane}
    return tx.connection.execute(_REOPEN, values).rowcount == 1


def first_with_key(tx: Transaction, key: str, now: datetime) -> Any:
    """Return the request that has a `dedupe_key`, or None; a key older than the window is freed."""
    first = tx.reading.execute(_BY_DEDUPE_KEY, {"key": key}).first()
    if first is None or _is_remembered(first, now):
        return first
    free_key(tx, first)
    return None


def insert(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert a request now rather than with the group's others."""
    tx.connection.execute(_INSERT, row)


def finish(tx: Transaction, request_id: str, values: Mapping[str, Any]) -> None:
    """Write the outcome of a request that was executed at once."""
    tx.connection.execute(_FINISH, {"id_": request_id, **_bound(values)})


def inbound_by_id(tx: Transaction, request_id: str) -> Any:
    """Return a request's row, or None."""
    return tx.reading.execute(_BY_ID, {"id": request_id}).first()


def is_open(tx: Transaction, request_id: str, attempt: int) -> bool:
    """Tell whether a request still waits for this attempt."""
    return tx.reading.execute(_OPEN_AT, {"id": request_id, "at_attempt": attempt}).first() is not None


def settle(tx: Transaction, request_id: str, attempt: int, values: Mapping[str, Any]) -> None:
    """Write the outcome of an attempt; the unit fails with `Fenced` unless the request is open at it."""
    tx.change(_SETTLE, {"id_": request_id, "at_attempt": attempt, **_bound(values)})


def open_requests(tx: Transaction, limit: int) -> Sequence[Any]:
    """Return (request_id, attempt, next_attempt_at, received_at) of requests that wait for a worker and lack a job."""
    return tx.connection.execute(_OPEN.limit(limit)).all()


def changed_configs(tx: Transaction, seen: int) -> tuple[set[int], Sequence[Any], int]:
    """Return the ids of configurations changed after revision row `seen`, their rows, and the newest revision row.

    A deleted configuration has no row any more. At first (`seen` 0) every configuration counts as changed.
    """
    newest = tx.connection.execute(_NEWEST).scalar() or 0
    if seen == 0:
        return set(), tx.connection.execute(select(CONFIGS)).all(), newest
    if newest == seen:
        return set(), (), newest
    changed = set(tx.connection.execute(_CHANGED, {"seen": seen}).scalars())
    rows = tx.connection.execute(select(CONFIGS).where(CONFIGS.c.id.in_(_CHANGED)), {"seen": seen}).all()
    return changed, rows, newest


def config_row_by_id(tx: Transaction, organization_id: int, config_id: int) -> Any:
    """Return one configuration to be looked at only, or None."""
    return _CONFIG_BY_ID.first(tx, organization_id, id=config_id)


def config_with_key(tx: Transaction, organization_id: int | None, key: str) -> Any:
    """Return the configuration with a key to be looked at only; keys are unique over all organisations."""
    return _CONFIG_BY_KEY.first(tx, organization_id, key=key)


def lock_configs(tx: Transaction) -> None:
    """Wait until nobody else changes configurations: what is free now stays free until the transaction is over."""
    one_at_a_time(tx, "webhook revisions")


def config_answering(tx: Transaction, organization_id: int, path_shape: str, action: str) -> Any:
    """Return (id, key) of an organisation's configuration that answers paths of this shape for a method, or None."""
    own = (CONFIGS.c.organization_id == organization_id, CONFIGS.c.shape == path_shape, CONFIGS.c.action == action)
    return tx.connection.execute(select(CONFIGS.c.id, CONFIGS.c.key).where(*own)).first()


def foreign_configs_near(tx: Transaction, organization_id: int, path_shape: str) -> Sequence[Any]:
    """Return (id, key, shape) of other organisations' configurations that may answer addresses of a shape.

    They are those with as many segments and the same first one, and, where there is one segment only, those whose
    key it is.
    """
    columns, first = CONFIGS.c, path_shape.partition("/")[0].lower()
    slashes = func.length(columns.shape) - func.length(func.replace(columns.shape, "/", ""))
    places = [columns.shape.startswith("{}/")]
    if "/" in path_shape:
        places.append(func.lower(columns.shape).startswith(f"{first}/", autoescape=True))
    near = (slashes == path_shape.count("/")) & (or_(*places) if first != "{}" else true())
    if "/" not in path_shape:
        near = or_(func.lower(columns.shape) == first, func.lower(columns.key) == first)
    foreign = (columns.organization_id != organization_id, columns.is_contested.is_(False), near)
    return tx.connection.execute(select(columns.id, columns.key, columns.shape).where(*foreign)).all()


def count_held(tx: Transaction, config_id: int, most: int) -> tuple[int, int]:
    """Return how many requests wait that a paused configuration accepted since, at most `most`, and their bytes."""
    since = select(CONFIGS.c.organization_id, CONFIGS.c.paused_at).where(CONFIGS.c.id == config_id)
    config = tx.connection.execute(since).first()
    if config is None or config.paused_at is None:
        return 0, 0
    columns = INBOUND.c
    own = (columns.organization_id == config.organization_id, columns.config_id == config_id)
    waits = (columns.received_at >= config.paused_at, columns.cause.is_(None), columns.state == PENDING)
    found = select(func.length(columns.body).label("size")).where(*own, *waits).limit(most).subquery()
    counted = select(func.count(), func.coalesce(func.sum(found.c.size), 0)).select_from(found)
    row = tx.connection.execute(counted).one()
    return row[0], int(row[1])


def count_configs(tx: Transaction, organization_id: int) -> int:
    """Count an organisation's configurations."""
    own = CONFIGS.c.organization_id == organization_id
    return tx.connection.execute(select(func.count()).select_from(CONFIGS).where(own)).scalar_one()


def insert_config(tx: Transaction, values: Mapping[str, Any]) -> WebhookConfig | None:
    """Insert a configuration and return it, or None when its key or address is taken."""
    try:
        with tx.savepoint():
            key = tx.connection.execute(CONFIGS.insert(), values).inserted_primary_key
    except IntegrityError:
        return None
    return config_by_id(tx, values["organization_id"], key[0]) if key else None


def update_config(tx: Transaction, row: WebhookConfig, values: Mapping[str, Any]) -> bool:
    """Change a configuration, the row included; tells False when its new address is taken."""
    try:
        with tx.savepoint():
            tx.connection.execute(update(CONFIGS).where(CONFIGS.c.id == row.id).values(**values))
    except IntegrityError:
        return False
    tx.session(row.organization_id).refresh(row)
    return True


def delete_config(tx: Transaction, row: WebhookConfig) -> None:
    """Delete a configuration; its revisions and requests stay."""
    tx.connection.execute(delete(CONFIGS).where(CONFIGS.c.id == row.id))


def insert_revision(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Insert a revision: what every server process learns of a change by, so they must appear in their order."""
    lock_configs(tx)
    tx.connection.execute(REVISIONS.insert(), values)


def select_configs(
    is_enabled: bool | None, execution_type: int | None, label: str | None
) -> SelectOfScalar[WebhookConfig]:
    """Select configurations, narrowed by what is not None."""
    statement = select_rows(WebhookConfig)
    if is_enabled is not None:
        statement = statement.where(col(WebhookConfig.is_enabled) == is_enabled)
    if execution_type is not None:
        statement = statement.where(col(WebhookConfig.execution_type) == execution_type)
    if label is not None:
        statement = statement.where(col(WebhookConfig.labels).contains(f"\n{label}\n", autoescape=True))
    return statement


def labels_text(labels: Sequence[str]) -> str:
    """Return labels as they are stored, so that `select_configs` finds each of them whole."""
    return "".join(f"\n{label}\n" for label in labels)


def select_revisions(config_id: int) -> SelectOfScalar[WebhookConfigRevision]:
    """Select the revisions of one configuration, which may be deleted."""
    return select_rows(WebhookConfigRevision).where(col(WebhookConfigRevision.config_id) == config_id)


def has_revisions(tx: Transaction, organization_id: int, config_id: int) -> bool:
    """Tell whether there is, or was, a configuration with this id."""
    return tx.session(organization_id).exec(select_revisions(config_id).limit(1)).first() is not None


def select_inbound(**wanted: Any) -> SelectOfScalar[InboundRequest]:
    """Select captured requests whose columns equal `wanted` (None: any); the cause `passed` stands for none."""
    statement = select_rows(InboundRequest)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(_column(name) == (None if (name, value) == ("cause", PASSED) else value))
    return statement


def with_config_key(statement: SelectOfScalar[InboundRequest], config_key: str) -> SelectOfScalar[InboundRequest]:
    """Narrow to requests for a configuration's key; the revisions know which ids had it."""
    ids = select(REVISIONS.c.config_id).where(REVISIONS.c.key == config_key)
    return statement.where(col(InboundRequest.config_id).in_(ids))


def between(
    statement: SelectOfScalar[InboundRequest], start: datetime | None, end: datetime | None
) -> SelectOfScalar[InboundRequest]:
    """Narrow to requests received from `start` on and until `end`."""
    if start is not None:
        statement = statement.where(col(InboundRequest.received_at) >= start)
    return statement if end is None else statement.where(col(InboundRequest.received_at) <= end)


def searched_since(session: ScopedSession, statement: SelectOfScalar[InboundRequest]) -> datetime | None:
    """Return when the oldest request came in that is looked through for words, or None if that is all of them."""
    newest = statement.with_only_columns(col(InboundRequest.received_at), func.length(col(InboundRequest.body)))
    newest = newest.order_by(col(InboundRequest.received_at).desc()).limit(MAX_SEARCHED)
    size = 0
    for count, (received_at, length) in enumerate(Session.execute(session, newest), start=1):
        size += length
        if size > MAX_SEARCHED_BYTES or count == MAX_SEARCHED:
            return received_at
    return None


def with_words(
    session: ScopedSession, statement: SelectOfScalar[InboundRequest], words: str, since: datetime | None
) -> SelectOfScalar[InboundRequest]:
    """Narrow to requests that have words in the body, the path or the key of the configuration."""
    dialect = session.connection().dialect.name
    places = (col(InboundRequest.path), col(InboundRequest.config_key))
    found = or_(bytes_contain(dialect, col(InboundRequest.body), words), *(p.ilike(pattern(words)) for p in places))
    statement = statement.where(found)
    return statement if since is None else statement.where(col(InboundRequest.received_at) >= since)


def inbound_request(tx: Transaction, organization_id: int, request_id: str) -> InboundRequest | None:
    """Return one captured request of an organisation, whole."""
    statement = select_rows(InboundRequest).where(col(InboundRequest.request_id) == request_id)
    return tx.session(organization_id).exec(statement).first()


def known_request(tx: Transaction, dedupe_key: str, now: datetime) -> Any:
    """Return the request that has a `dedupe_key`, or None; one older than the window is known no more."""
    first = tx.reading.execute(_BY_DEDUPE_KEY, {"key": dedupe_key}).first()
    return first if first is not None and _is_remembered(first, now) else None


def _is_remembered(row: Any, now: datetime) -> bool:
    return now - row.received_at <= DEDUPLICATION_WINDOW


def _bound(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}_": value for name, value in values.items()}


def _column(name: str) -> Any:
    return getattr(InboundRequest, name)
