"""What of deliveries and events goes when it is old: an event stays while a delivery of it does."""

from dataclasses import replace

from sqlalchemy import exists

from bpm.events.delivery_tables import CANCELLED, DEAD, DELIVERED, Delivery, DeliveryAttempt
from bpm.events.tables import EVENTS
from bpm.store.retention import Policy

DELIVERIES = Delivery.table()
ATTEMPTS = DeliveryAttempt.table()

_DELIVERIES = Policy(
    "deliveries",
    "rows_days",
    table=DELIVERIES,
    key=DELIVERIES.c.id,
    moment=DELIVERIES.c.created_at,
    ended=DELIVERIES.c.completed_at,
    conditions=(DELIVERIES.c.state.in_((DELIVERED, CANCELLED)),),
    along=(ATTEMPTS.c.delivery_id,),
)

POLICIES = (
    _DELIVERIES,
    replace(_DELIVERIES, name="dead deliveries", limit="dead_days", conditions=(DELIVERIES.c.state == DEAD,)),
    Policy(
        "events",
        "rows_days",
        table=EVENTS,
        key=EVENTS.c.id,
        moment=EVENTS.c.created_at,
        conditions=(~exists().where(DELIVERIES.c.event_id == EVENTS.c.id),),
    ),
)
