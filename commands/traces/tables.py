"""What goes back to one cause: each part by an index, the oldest first, never more than a bound."""

from collections.abc import Sequence
from typing import Any, cast

from sqlmodel import col, select

from bpm.bus.tables import AuditEntry, ScheduledMessage
from bpm.events.delivery_tables import Delivery, DeliveryAttempt
from bpm.events.tables import Event
from bpm.process.instance_tables import ProcessInstance
from bpm.process.wait_tables import ProcessWait
from bpm.store.session import ScopedSession
from router.attempts.tables import InboundAttempt, select_attempts

ATTEMPT_COLUMNS = ("id", "delivery_id", "created_at", "number", "ok", "status", "error", "duration_ms")
MESSAGE_COLUMNS = (
    "id",
    "created_at",
    "type",
    "principal",
    "principal_name",
    "ok",
    "error",
    "request_id",
    "causation_id",
)
INSTANCE_COLUMNS = (
    "id",
    "created_at",
    "process_key",
    "definition_id",
    "business_key",
    "parent_id",
    "status",
    "ended_at",
)
TOKEN_COLUMNS = ("instance_id", "wait_id", "element_id", "kind", "created_at", "due_at")


def correlation_of_message(session: ScopedSession, request_id: str) -> str | None:
    """Return what the command with an id goes back to."""
    found = select(AuditEntry.correlation_id).where(col(AuditEntry.request_id) == request_id)
    return session.exec(found.limit(1)).first()


def correlation_of_event(session: ScopedSession, id_: str) -> str | None:
    """Return what an event goes back to."""
    return session.exec(select(Event.correlation_id).where(col(Event.id) == id_)).first()


def correlation_of_delivery(session: ScopedSession, id_: str) -> str | None:
    """Return what the event of a delivery goes back to."""
    of_delivery = select(Delivery.event_id).where(col(Delivery.id) == id_)
    event_id = session.exec(of_delivery).first()
    return None if event_id is None else correlation_of_event(session, event_id)


def correlation_of_instance(session: ScopedSession, id_: int) -> str | None:
    """Return what an instance goes back to."""
    return session.exec(select(ProcessInstance.correlation_id).where(col(ProcessInstance.id) == id_)).first()


def correlation_of_scheduled(session: ScopedSession, id_: str) -> str | None:
    """Return what a message that is sent later goes back to."""
    return session.exec(select(ScheduledMessage.correlation_id).where(col(ScheduledMessage.id) == id_)).first()


def attempts(session: ScopedSession, request_id: str, limit: int) -> Sequence[InboundAttempt]:
    """Return the attempts of a request."""
    return session.exec(select_attempts(request_id).limit(limit)).all()


def messages(session: ScopedSession, correlation_id: str, limit: int) -> Sequence[Any]:
    """Return the commands that were sent, without their fields, which may be large."""
    statement = _columns(AuditEntry, *MESSAGE_COLUMNS).where(col(AuditEntry.correlation_id) == correlation_id)
    return _rows(session, statement.order_by(col(AuditEntry.id)).limit(limit))


def events(session: ScopedSession, correlation_id: str, limit: int) -> Sequence[Any]:
    """Return the events that were published, without their data."""
    statement = _columns(Event, "id", "name", "created_at").where(col(Event.correlation_id) == correlation_id)
    return _rows(session, statement.order_by(col(Event.created_at), col(Event.id)).limit(limit))


def deliveries(session: ScopedSession, event_ids: Sequence[str], limit: int) -> Sequence[Delivery]:
    """Return the deliveries of events."""
    statement = select(Delivery).where(col(Delivery.event_id).in_(event_ids))
    return session.exec(statement.order_by(col(Delivery.number)).limit(limit)).all()


def delivery_attempts(session: ScopedSession, delivery_ids: Sequence[str], limit: int) -> Sequence[Any]:
    """Return the requests that were made for deliveries, without their bodies."""
    statement = _columns(DeliveryAttempt, *ATTEMPT_COLUMNS).where(col(DeliveryAttempt.delivery_id).in_(delivery_ids))
    return _rows(session, statement.order_by(col(DeliveryAttempt.id)).limit(limit))


def instances(session: ScopedSession, correlation_id: str, limit: int) -> Sequence[Any]:
    """Return the instances that were started, without their states."""
    statement = _columns(ProcessInstance, *INSTANCE_COLUMNS)
    statement = statement.where(col(ProcessInstance.correlation_id) == correlation_id)
    return _rows(session, statement.order_by(col(ProcessInstance.id)).limit(limit))


def tokens(session: ScopedSession, instance_ids: Sequence[int], limit: int) -> Sequence[Any]:
    """Return where the tokens of instances stand."""
    statement = _columns(ProcessWait, *TOKEN_COLUMNS).where(col(ProcessWait.instance_id).in_(instance_ids))
    ordered = statement.order_by(col(ProcessWait.instance_id), col(ProcessWait.wait_id))
    return _rows(session, ordered.limit(limit))


def incident(session: ScopedSession, instance_id: int, wait_id: int) -> Any:
    """Return what an incident is about, as it is stored."""
    this = (col(ProcessWait.instance_id) == instance_id, col(ProcessWait.wait_id) == wait_id)
    return _rows(session, _columns(ProcessWait, "data").where(*this))[0]


def _columns(row_type: type[Any], *names: str) -> Any:
    return cast("Any", select)(*(getattr(row_type, name) for name in names))


def _rows(session: ScopedSession, statement: object) -> Sequence[Any]:
    return cast("Any", session).exec(statement).all()
