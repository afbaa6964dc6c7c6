"""When captured requests are deleted: bodies and results first, much later the requests themselves.

A rule may have its requests deleted sooner. None goes before the time is over in which its repetitions are known.
"""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import and_, case, not_, null, or_

from bpm.store.retention import Policy
from router.attempts.tables import ATTEMPTS
from router.backtest.tables import BACK_TESTS
from router.rule_policy import RulePolicy
from router.tables.deduplication import DEDUPLICATION_WINDOW
from router.tables.requests import DEAD, DONE, DUPLICATE, FAILED, INBOUND, QUARANTINED, REJECTED
from router.tables.rule_retention import forget_gone_rules

# what failed and has no next attempt was executed while its caller waited
_IS_OVER = or_(
    INBOUND.c.state.in_((DONE, REJECTED, DUPLICATE)),
    (INBOUND.c.state == FAILED) & INBOUND.c.next_attempt_at.is_(None),
)
_IS_SETTLED = or_(_IS_OVER, INBOUND.c.state.in_((QUARANTINED, DEAD)))
# what failed at every attempt has had no effect: the provider's next try is executed, whether it is known or not
_IS_GIVEN_UP = and_(INBOUND.c.state == DEAD, INBOUND.c.cause.is_(None))
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
    needed=and_(INBOUND.c.dedupe_key.is_not(None), not_(_IS_GIVEN_UP)),
    needed_for=DEDUPLICATION_WINDOW,
)
_REQUESTS_OF_RULES = RulePolicy(
    "requests by their rule",
    DEDUPLICATION_WINDOW,
    table=INBOUND,
    key=INBOUND.c.request_id,
    moment=INBOUND.c.received_at,
    ended=INBOUND.c.completed_at,
    conditions=(_IS_SETTLED,),
    along=(ATTEMPTS.c.request_id,),
    rule=INBOUND.c.config_id,
    prepare=forget_gone_rules,
)

POLICIES = (
    _REQUESTS_OF_RULES,
    replace(
        _REQUESTS_OF_RULES,
        name="contents of requests by their rule",
        limit=timedelta(0),
        conditions=(_IS_SETTLED, or_(INBOUND.c.body_pruned.is_(False), INBOUND.c.result.is_not(None))),
        values={
            "body": b"",
            "sealed": None,
            "body_pruned": True,
            "result": None,
            "dedupe_key": case((_IS_GIVEN_UP, null()), else_=INBOUND.c.dedupe_key),
        },
        prepare=None,
    ),
    _REQUESTS,  # first, or what is about to go would be emptied before
    replace(
        _REQUESTS,
        name="bodies of requests",
        limit="bodies_days",
        conditions=(_IS_OVER, INBOUND.c.body_pruned.is_(False)),
        values={"body": b"", "sealed": None, "body_pruned": True},
        spare=1,
        needed=None,
    ),
    replace(
        _REQUESTS,
        name="results of requests",
        limit="results_days",
        conditions=(_IS_OVER, INBOUND.c.result.is_not(None)),
        values={"result": None},
        spare=None,
        needed=None,
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
