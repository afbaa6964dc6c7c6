"""What Mono's payments of some days come to, for a comparison with the bank's statement."""

from collections.abc import Iterable
from datetime import date

from bpm.bus import Context, Query, View, handles
from bpm.bus.paging import When
from commands.payments import mono_tables
from commands.payments.mono_tables import MonoPayment
from commands.payments.reconciled_period import day_in_lagos, payments_between
from commands.payments.sums import PaymentSumsView


class CurrencySumsView(PaymentSumsView):
    """The payments in one currency."""

    currency: str | None
    """The currency, as in `NGN`; null where nobody said it."""


class MonoReconciledDayView(CurrencySumsView):
    """The payments of one day in Lagos in one currency."""

    day: date
    """The day in Lagos."""


class MonoReconciliationView(View):
    """Every day that has payments, the first one first, and all of them together; each currency by itself."""

    days: list[MonoReconciledDayView]
    """The days that have payments."""
    totals: list[CurrencySumsView]
    """All of them together, one for each currency."""


class GetMonoReconciliationQuery(Query[MonoReconciliationView]):
    """Add up Mono's payments and debits by days in Lagos and currencies, in the smallest unit (kobo).

    A payment belongs to the day on which it happened, else to when it came. Up to 93 days and 10,000 payments are
    added up at once. `GetMonoPaymentListQuery` lists them, by the same times.
    """

    permission = "payments:read"
    succeeded = "Mono payments added up"
    sample = {"since": "2026-01-01", "until": "2026-02-01"}

    since: When
    until: When


@handles
def reconcile(query: GetMonoReconciliationQuery, context: Context) -> MonoReconciliationView:
    """Read the payments of these days and add them up exactly."""
    return _added_up(payments_between(context, query.since, query.until, mono_tables.select_mono_payments))


def _added_up(payments: Iterable[MonoPayment]) -> MonoReconciliationView:
    days: dict[tuple[date, str], MonoReconciledDayView] = {}
    totals: dict[str, CurrencySumsView] = {}
    for payment in payments:
        day, currency = day_in_lagos(payment.occurred_at or payment.created_at), payment.currency
        name = currency or ""
        days.setdefault((day, name), MonoReconciledDayView(day=day, currency=currency)).add(payment)
        totals.setdefault(name, CurrencySumsView(currency=currency)).add(payment)
    return MonoReconciliationView(
        days=[days[key] for key in sorted(days)], totals=[totals[name] for name in sorted(totals)]
    )
