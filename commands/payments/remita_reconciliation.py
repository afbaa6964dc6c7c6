"""What Remita's payments of some days come to, for a comparison with the bank's statement."""

from collections.abc import Iterable
from datetime import date

from bpm.bus import Context, Query, View, handles
from bpm.bus.paging import When
from commands.payments import remita_tables
from commands.payments.reconciled_period import day_in_lagos, payments_between
from commands.payments.remita_tables import RemitaPayment
from commands.payments.sums import PaymentSumsView


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
    return _added_up(payments_between(context, query.since, query.until, remita_tables.select_payments))


def _added_up(payments: Iterable[RemitaPayment]) -> RemitaReconciliationView:
    days: dict[date, ReconciledDayView] = {}
    total = PaymentSumsView()
    for payment in payments:
        total.add(payment)
        day = day_in_lagos(payment.transaction_date or payment.created_at)
        days.setdefault(day, ReconciledDayView(day=day)).add(payment)
    return RemitaReconciliationView(days=[days[day] for day in sorted(days)], total=total)
