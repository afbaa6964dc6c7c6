"""How receivers are doing, written down beside their subscriptions."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlmodel import col
from sqlmodel import select as select_rows

from bpm.events.delivery_tables import DELIVERIES, PENDING
from bpm.events.subscription_tables import HEALTH, SubscriptionHealth
from bpm.store import Transaction
from bpm.store.records import Records


class FailedReceiver(NamedTuple):
    """A receiver's health after a failure."""

    failure_count: int
    failing_since: datetime | None
    openings: int
    open_until: datetime | None


class ForwardedDelivery(NamedTuple):
    """A delivery that is looked at now rather than later, and its new turn."""

    organization_id: int
    id: str
    turn: int


_FAILURES = Records(FailedReceiver, HEALTH)
_FORWARDED = Records(ForwardedDelivery, DELIVERIES)
_OWN = HEALTH.c.subscription_id == bindparam("id_")
_SUCCEEDED = (
    update(HEALTH)
    .where(_OWN)
    .values(
        last_triggered_at=bindparam("now_"),
        last_success_at=bindparam("now_"),
        failure_count=0,
        failing_since=None,
        openings=0,
        open_until=None,
    )
)
_FAILED = (
    update(HEALTH)
    .where(_OWN)
    .values(
        last_triggered_at=bindparam("now_"),
        last_failure_at=bindparam("now_"),
        failure_count=HEALTH.c.failure_count + 1,
        failing_since=func.coalesce(HEALTH.c.failing_since, bindparam("now_", type_=HEALTH.c.failing_since.type)),
    )
    .returning(*_FAILURES.columns)
)
_OPEN = update(HEALTH).where(_OWN).values(openings=bindparam("openings_"), open_until=bindparam("until_"))
_CLAIM = update(HEALTH).where(_OWN, HEALTH.c.open_until == bindparam("seen_")).values(open_until=bindparam("until_"))
_FORGIVEN = update(HEALTH).where(_OWN).values(open_until=None, failing_since=None)
_OPEN_UNTIL = select(HEALTH.c.open_until).where(_OWN).with_for_update()
_PUT_OFF = (
    select(DELIVERIES.c.number)
    .where(
        DELIVERIES.c.subscription_id == bindparam("id_"),
        DELIVERIES.c.state == PENDING,
        DELIVERIES.c.due_at >= bindparam("first_"),
        DELIVERIES.c.due_at <= bindparam("last_"),
    )
    .order_by(DELIVERIES.c.number)
    .limit(bindparam("limit_"))
)
_BRING_FORWARD = (
    update(DELIVERIES)
    .where(DELIVERIES.c.number.in_(_PUT_OFF))
    .values(due_at=bindparam("now_"), turn=DELIVERIES.c.turn + 1)
    .returning(*_FORWARDED.columns)
)


def health(tx: Transaction, organization_id: int, id_: int) -> SubscriptionHealth | None:
    """Return how a subscription's receiver is doing."""
    statement = select_rows(SubscriptionHealth).where(col(SubscriptionHealth.subscription_id) == id_)
    return tx.session(organization_id).exec(statement).first()


def health_of(tx: Transaction, organization_id: int, ids: Iterable[int]) -> dict[int, SubscriptionHealth]:
    """Return how the receivers of several subscriptions are doing, by subscription."""
    statement = select_rows(SubscriptionHealth).where(col(SubscriptionHealth.subscription_id).in_(list(ids)))
    return {row.subscription_id: row for row in tx.session(organization_id).exec(statement)}


def note_success(tx: Transaction, id_: int, now: datetime) -> None:
    """Write down that a receiver is well."""
    tx.connection.execute(_SUCCEEDED, {"id_": id_, "now_": now})


def note_failure(tx: Transaction, id_: int, now: datetime) -> FailedReceiver:
    """Count a failure and return the receiver's health."""
    return _FAILURES.one(tx.connection, _FAILED, id_=id_, now_=now)


def open_breaker(tx: Transaction, id_: int, openings: int, until: datetime) -> None:
    """Send nothing until then."""
    tx.connection.execute(_OPEN, {"id_": id_, "openings_": openings, "until_": until})


def claim_probe(tx: Transaction, id_: int, seen: datetime, until: datetime) -> bool:
    """Hold everybody else off while one delivery tries; tells False when somebody else was first."""
    return tx.connection.execute(_CLAIM, {"id_": id_, "seen_": seen, "until_": until}).rowcount == 1


def forgive(tx: Transaction, id_: int) -> None:
    """Let the next delivery go, however many have failed before it."""
    tx.connection.execute(_FORGIVEN, {"id_": id_})


def open_until(tx: Transaction, id_: int) -> datetime | None:
    """Return until when nothing is sent."""
    return tx.connection.execute(_OPEN_UNTIL, {"id_": id_}).scalar()


def bring_forward(
    tx: Transaction, id_: int, first: datetime, last: datetime, limit: int, now: datetime
) -> list[ForwardedDelivery]:
    """Let a subscription's deliveries that would be looked at between two moments be due now."""
    asked = {"id_": id_, "first_": first, "last_": last, "limit_": limit, "now_": now}
    return _FORWARDED.all(tx.connection, _BRING_FORWARD, **asked)
