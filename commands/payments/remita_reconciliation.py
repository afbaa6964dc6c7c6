"""What Remita's payments of some days come to, for a comparison with the bank's statement."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from bpm.bus import Context, Query, View, handles
from bpm.bus.paging import When
from bpm.errors import Invalid
from commands.payments import tables
from commands.payments.sums import PaymentSumsView
from commands.payments.tables import PaymentFilter, RemitaPayment
from router.providers.remita.endpoints import LAGOS

MOST_PAYMENTS = 10_000
LONGEST = timedelta(days=93)


class ReconciledDayView(PaymentSumsView):
    """The payments of one day in Lagos."""

    day: date
    """The day in Lagos."""


class RemitaReconciliationView(View):
    """Every day that has payments, the first one first, and all of them together."""

    days: list[ReconciledDayView]
    """The days that have payments."""
    total: PaymentSumsView
    """All of them together."""


class GetRemitaReconciliationQuery(Query[RemitaReconciliationView]):
    """Add up Remita's payments by days in Lagos; a payment belongs to its transaction's day, else to when it came.

    Up to 93 days and 10,000 payments are added up at once. `GetRemitaPaymentListQuery` lists them, by the same times.
    """

    permission = "payments:read"
    succeeded = "Remita payments added up"
    sample = {"since": "2026-01-01", "until": "2026-02-01"}

    since: When
    until: When


@handles
def reconcile(query: GetRemitaReconciliationQuery, context: Context) -> RemitaReconciliationView:
    """Read the payments of these days and add them up exactly."""
    require_period(query.since, query.until)
    wanted = PaymentFilter(since=query.since, until=query.until)
    payments = context.session.exec(tables.select_payments(wanted).limit(MOST_PAYMENTS + 1)).all()
    require_countable(len(payments))
    return _added_up(payments)


def require_period(since: datetime, until: datetime) -> None:
    """Raise `Invalid` for a period that ends before it begins, or is too long to be added up."""
    if not timedelta() < until - since <= LONGEST:
        raise Invalid(f"until: must be after since, at most {LONGEST.days} days")


def require_countable(payments: int) -> None:
    """Raise `Invalid` for more payments than are added up at once."""
    if payments > MOST_PAYMENTS:
        raise Invalid(f"until: there are more than {MOST_PAYMENTS:,} payments before it; ask for fewer days")


def _added_up(payments: Iterable[RemitaPayment]) -> RemitaReconciliationView:
    days: dict[date, ReconciledDayView] = {}
    total = PaymentSumsView()
    for payment in payments:
        total.add(payment)
        day = day_in_lagos(payment.transaction_date or payment.created_at)
        days.setdefault(day, ReconciledDayView(day=day)).add(payment)
    return RemitaReconciliationView(days=[days[day] for day in sorted(days)], total=total)


def day_in_lagos(moment: datetime) -> date:
    """Return the day that a moment belongs to in Lagos."""
    return moment.astimezone(LAGOS).date()
