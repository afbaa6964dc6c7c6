"""When captured requests are deleted: bodies and results first, much later the requests themselves."""

from dataclasses import replace

from sqlalchemy import or_

from bpm.store.retention import Policy
from router.attempts.tables import ATTEMPTS
from router.backtest.tables import BACK_TESTS
from router.tables.requests import DEAD, DONE, DUPLICATE, FAILED, INBOUND, QUARANTINED, REJECTED

# what failed and has no next attempt was executed while its caller waited
_IS_OVER = or_(
    INBOUND.c.state.in_((DONE, REJECTED, DUPLICATE)),
    (INBOUND.c.state == FAILED) & INBOUND.c.next_attempt_at.is_(None),
)
_REQUESTS = Policy(
    "requests",
    "rows_days",
    table=INBOUND,
    key=INBOUND.c.request_id,
    moment=INBOUND.c.received_at,
    ended=INBOUND.c.completed_at,
    conditions=(_IS_OVER,),
    along=(ATTEMPTS.c.request_id,),
    spare=2,
)

POLICIES = (
    _REQUESTS,  # first, or what is about to go would be emptied before
    replace(
        _REQUESTS,
        name="bodies of requests",
        limit="bodies_days",
        conditions=(_IS_OVER, INBOUND.c.body_pruned.is_(False)),
        values={"body": b"", "sealed": None, "body_pruned": True},
        spare=1,
    ),
    replace(
        _REQUESTS,
        name="results of requests",
        limit="results_days",
        conditions=(_IS_OVER, INBOUND.c.result.is_not(None)),
        values={"result": None},
        spare=None,
    ),
    replace(
        _REQUESTS,
        name="quarantined requests",
        limit="quarantine_days",
        conditions=(INBOUND.c.state == QUARANTINED,),
        spare=None,
    ),
    replace(_REQUESTS, name="dead requests", limit="dead_days", conditions=(INBOUND.c.state == DEAD,), spare=None),
    Policy(
        "back-tests",
        "bodies_days",
        table=BACK_TESTS,
        key=BACK_TESTS.c.id,
        moment=BACK_TESTS.c.created_at,
        conditions=(BACK_TESTS.c.completed_at.is_not(None),),
        organized=False,
        batch=10,
    ),
)
