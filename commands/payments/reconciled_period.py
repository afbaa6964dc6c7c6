"""The payments of some days, of which not more are added up at once than a query may cost."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlmodel.sql.expression import SelectOfScalar

from bpm.bus import Context
from bpm.errors import Invalid
from commands.payments.tables import PaymentFilter
from router.providers.remita.endpoints import LAGOS

MOST_PAYMENTS = 10_000
LONGEST = timedelta(days=93)

P = TypeVar("P")


def payments_between(
    context: Context, since: datetime, until: datetime, select: Callable[[PaymentFilter], SelectOfScalar[P]]
) -> Sequence[P]:
    """Return all payments from `since` on and before `until`.

    Raises `Invalid` for a period that ends before it begins or is too long, and for too many payments.
    """
    if not timedelta() < until - since <= LONGEST:
        raise Invalid(f"until: must be after since, at most {LONGEST.days} days")
    payments = context.session.exec(select(PaymentFilter(since=since, until=until)).limit(MOST_PAYMENTS + 1)).all()
    if len(payments) > MOST_PAYMENTS:
        raise Invalid(f"until: there are more than {MOST_PAYMENTS:,} payments before it; ask for fewer days")
    return payments


def day_in_lagos(moment: datetime) -> date:
    """Return the day that a moment belongs to in Lagos."""
    return moment.astimezone(LAGOS).date()
