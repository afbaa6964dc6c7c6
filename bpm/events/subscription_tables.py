"""Subscriptions, the patterns by which events find them, and how their receivers are doing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Index, Select, bindparam, delete, func, insert, select, text, true, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.events.names import asks_for_audit
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.records import Records
from bpm.store.row_lock import first_to_change


class Subscription(OrganizationRow, table=True):
    """Somebody's wish to be sent events.

    `secrets` and `headers` are sealed JSON; `url` is without credentials, and where it has some `sealed_url` is the
    whole one. Secrets in the template of a `transform`, and its script, are sealed. `version` counts changes of what
    is sent and where; switching on and off is none. While `is_resuming`, new events queue up behind the ones that
    waited. A deleted one is kept for its log.
    `signature` says how deliveries are signed, Standard Webhooks without it; then `secrets` are shared ones, or the
    private keys of key pairs. `script_authority` names who wrote the transform's script, if there is one;
    `audit_authority` who subscribed to events of the audit log, if it is subscribed to any.
    """

    __table_args__ = (
        Index("ix_subscription_org", "organization_id", "deleted_at"),
        # those who read an audit log are looked for every second
        Index(
            "ix_subscription_audit",
            "organization_id",
            sqlite_where=text("audit_authority IS NOT NULL"),
            postgresql_where=text("audit_authority IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = ""
    description: str = ""
    url: str
    sealed_url: str | None = None
    events: list[str] = Field(sa_type=JsonColumn)
    dialect: str = "standard"
    format: str = "standard"
    headers: str | None = None
    secrets: str
    signature: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    filter: str | None = None
    transform: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    script_authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    audit_authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    ordering_key: str | None = None
    max_in_flight: int | None = None
    rate_per_second: float | None = None
    retry_count: int | None = None
    timeout_seconds: int = 30
    is_active: bool = True
    is_resuming: bool = False
    disabled_reason: str | None = None
    version: int = 1
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class SubscriptionPattern(OrganizationRow, table=True):
    """A name, or a beginning of names as in `order.*`, under which a subscription is found."""

    __table_args__ = (Index("ix_subscription_pattern_name", "organization_id", "pattern"),)

    subscription_id: int = Field(primary_key=True)
    pattern: str = Field(primary_key=True)


class SubscriptionHealth(OrganizationRow, table=True):
    """How a receiver is doing: its last moments, failures since the last success, and the breaker's state."""

    subscription_id: int = Field(primary_key=True)
    last_triggered_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    last_success_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    last_failure_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    failure_count: int = 0
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    openings: int = 0
    open_until: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class SubscriptionRow(NamedTuple):
    """A subscription as deliveries are made for it; see `Subscription`."""

    id: int
    version: int
    organization_id: int
    name: str
    url: str
    sealed_url: str | None
    dialect: str
    format: str
    headers: str | None
    secrets: str
    signature: dict[str, Any] | None
    filter: str | None
    transform: dict[str, Any] | None
    script_authority: dict[str, Any] | None
    audit_authority: dict[str, Any] | None
    ordering_key: str | None
    max_in_flight: int | None
    rate_per_second: float | None
    retry_count: int | None
    timeout_seconds: int
    is_active: bool
    is_resuming: bool
    deleted_at: datetime | None


class Subscriber(NamedTuple):
    """A subscription that wants an event, and whether deliveries go out at once."""

    id: int
    version: int
    is_active: bool
    is_resuming: bool


SUBSCRIPTIONS = Subscription.table()
PATTERNS = SubscriptionPattern.table()
HEALTH = SubscriptionHealth.table()

_ROWS = Records(SubscriptionRow, SUBSCRIPTIONS)
_SUBSCRIBERS = Records(Subscriber, SUBSCRIPTIONS)
_BY_ID = _ROWS.select.where(SUBSCRIPTIONS.c.id == bindparam("id_"))
_DISABLE = (
    update(SUBSCRIPTIONS)
    .where(SUBSCRIPTIONS.c.id == bindparam("id_"), SUBSCRIPTIONS.c.is_active == true())
    .values(is_active=False, is_resuming=False, disabled_reason=bindparam("reason_"), updated_at=bindparam("now_"))
)


def patterns_for(name: str) -> list[str]:
    """Return the patterns that a name is found under: itself, `*`, and `a.*` and `a.b.*` for `a.b.c`.

    Events of the audit log are not found under `*`.
    """
    words = name.split(".")
    everything = () if asks_for_audit(name) else ("*",)
    return [name, *everything, *(".".join(words[:count]) + ".*" for count in range(1, len(words)))]


def subscribed_to(tx: Transaction, organization_id: int, name: str) -> list[Subscriber]:
    """Return the subscriptions that want events of this name, those of the audit log only by who might read it."""
    patterns = patterns_for(name)
    wanted = {f"pattern_{number}": pattern for number, pattern in enumerate(patterns)}
    statement = _subscribed_to(len(patterns))
    if asks_for_audit(name):
        statement = statement.where(SUBSCRIPTIONS.c.audit_authority.is_not(None))
    return _SUBSCRIBERS.all(tx.reading, statement, organization_id_=organization_id, **wanted)


@cache
def _subscribed_to(count: int) -> Select[Any]:
    """Return the statement for so many patterns: a list of any length would be written out at every use."""
    patterns: list[Any] = [bindparam(f"pattern_{number}") for number in range(count)]
    return (
        _SUBSCRIBERS.select.join(PATTERNS, PATTERNS.c.subscription_id == SUBSCRIPTIONS.c.id)
        .where(PATTERNS.c.organization_id == bindparam("organization_id_"), PATTERNS.c.pattern.in_(patterns))
        .distinct()
        .order_by(SUBSCRIPTIONS.c.id)
    )


def patterns_of(row: Subscription) -> list[str]:
    """Return the patterns by which a subscription finds events."""
    may_read = row.audit_authority is not None
    return [pattern for pattern in row.events if may_read or not asks_for_audit(pattern)]


def subscription_row(tx: Transaction, id_: int) -> SubscriptionRow | None:
    """Return any organisation's subscription, deleted ones too, to be looked at only; None when there is none."""
    return _ROWS.first(tx.reading, _BY_ID, id_=id_)


def subscription(tx: Transaction, organization_id: int, id_: int) -> Subscription | None:
    """Return a subscription of the organisation that was not deleted, to be changed by nobody else meanwhile."""
    statement = _not_deleted().where(col(Subscription.id) == id_)
    return first_to_change(tx, organization_id, statement)


def select_subscriptions(
    *, is_active: bool | None = None, event: str | None = None, dialect: str | None = None
) -> SelectOfScalar[Subscription]:
    """Select subscriptions that were not deleted; `event` is a name that they want."""
    statement = _not_deleted()
    if is_active is not None:
        statement = statement.where(col(Subscription.is_active) == is_active)
    if dialect is not None:
        statement = statement.where(col(Subscription.dialect) == dialect)
    if event is not None:
        wanting = select(PATTERNS.c.subscription_id).where(PATTERNS.c.pattern.in_(patterns_for(event)))
        statement = statement.where(col(Subscription.id).in_(wanting))
    return statement


def count_subscriptions(tx: Transaction, organization_id: int) -> int:
    """Count an organisation's subscriptions."""
    own = (SUBSCRIPTIONS.c.organization_id == organization_id) & SUBSCRIPTIONS.c.deleted_at.is_(None)
    return tx.connection.execute(select(func.count()).select_from(SUBSCRIPTIONS).where(own)).scalar_one()


def insert_subscription(tx: Transaction, values: Mapping[str, Any]) -> int:
    """Insert a subscription with its patterns and a clean bill of health; return its id."""
    tx.forget()
    statement = insert(SUBSCRIPTIONS).values(**values).returning(SUBSCRIPTIONS.c.id)
    id_ = tx.connection.execute(statement).scalar_one()
    tx.connection.execute(insert(HEALTH), {"subscription_id": id_, "organization_id": values["organization_id"]})
    _keep_patterns(tx, values["organization_id"], id_, values["events"])
    return id_


def update_subscription(tx: Transaction, row: Subscription, values: Mapping[str, Any]) -> None:
    """Change columns of a subscription that was read, and its patterns when `events` is among them."""
    tx.forget()
    tx.connection.execute(update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == row.id).values(**values))
    if "events" in values:
        tx.connection.execute(delete(PATTERNS).where(PATTERNS.c.subscription_id == row.id))
        _keep_patterns(tx, row.organization_id, row.id or 0, values["events"])
    tx.session(row.organization_id).refresh(row)


def delete_subscription(tx: Transaction, id_: int, now: datetime) -> None:
    """Let no event find a subscription any more; the row stays, for its log."""
    tx.forget()
    tx.connection.execute(delete(PATTERNS).where(PATTERNS.c.subscription_id == id_))
    gone = {"deleted_at": now, "is_active": False, "is_resuming": False}
    tx.connection.execute(update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id == id_).values(**gone))


def disable(tx: Transaction, id_: int, reason: str, now: datetime) -> bool:
    """Switch a subscription off; tells whether it was on."""
    tx.forget()
    return tx.connection.execute(_DISABLE, {"id_": id_, "reason_": reason, "now_": now}).rowcount == 1


def _not_deleted() -> SelectOfScalar[Subscription]:
    return select_rows(Subscription).where(col(Subscription.deleted_at).is_(None))


def _keep_patterns(tx: Transaction, organization_id: int, id_: int, patterns: Iterable[str]) -> None:
    rows = [
        {"organization_id": organization_id, "subscription_id": id_, "pattern": pattern}
        for pattern in dict.fromkeys(patterns)
    ]
    tx.connection.execute(insert(PATTERNS), rows)
