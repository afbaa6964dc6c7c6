"""What Remita's payments of some days come to, for a comparison with the bank's statement."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Self

from pydantic import Field

from bpm.bus import Context, Query, View, handles
from bpm.bus.paging import When
from bpm.errors import Invalid
from commands.payments import tables
from commands.payments.tables import CONFIRMED, MISMATCH, UNCONFIRMED, RemitaPayment
from router.providers.remita.endpoints import LAGOS

MOST_PAYMENTS = 10_000
LONGEST = timedelta(days=93)


class PaymentSumView(View):
    """How many payments, and how much they come to in naira; `unknown` are those whose amount nobody said."""

    count: int = 0
    """How many payments."""
    amount: Decimal = Decimal(0)
    """What they come to, in naira."""
    unknown: int = 0
    """How many have no amount that anybody said."""

    def add(self, amount: Decimal | None) -> None:
        """Count one more payment."""
        self.count += 1
        self.amount += amount or 0
        self.unknown += amount is None


class PaymentSumsView(View):
    """Payments by what became of them: confirmed ones by the amount that Remita confirmed, others as notified."""

    notified: PaymentSumView = Field(default_factory=PaymentSumView)
    """All that were notified."""
    confirmed: PaymentSumView = Field(default_factory=PaymentSumView)
    """Those that Remita confirmed."""
    mismatch: PaymentSumView = Field(default_factory=PaymentSumView)
    """Those whose amounts do not fit."""
    unconfirmed: PaymentSumView = Field(default_factory=PaymentSumView)
    """Those that are not confirmed yet."""

    def add(self, payment: RemitaPayment) -> Self:
        """Count one more payment."""
        self.notified.add(payment.amount)
        found = {CONFIRMED: self.confirmed, MISMATCH: self.mismatch, UNCONFIRMED: self.unconfirmed}[payment.status]
        found.add(payment.confirmed_amount if payment.status == CONFIRMED else payment.amount)
        return self


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
    if not query.since < query.until <= query.since + LONGEST:
        raise Invalid(f"until: must be after since, at most {LONGEST.days} days")
    statement = tables.select_payments(since=query.since, until=query.until).limit(MOST_PAYMENTS + 1)
    payments = context.session.exec(statement).all()
    if len(payments) > MOST_PAYMENTS:
        raise Invalid(f"until: there are more than {MOST_PAYMENTS:,} payments before it; ask for fewer days")
    return _added_up(payments)


def _added_up(payments: Iterable[RemitaPayment]) -> RemitaReconciliationView:
    days: dict[date, ReconciledDayView] = {}
    total = PaymentSumsView()
    for payment in payments:
        total.add(payment)
        day = _day_of(payment.transaction_date or payment.created_at)
        days.setdefault(day, ReconciledDayView(day=day)).add(payment)
    return RemitaReconciliationView(days=[days[day] for day in sorted(days)], total=total)


def _day_of(moment: datetime) -> date:
    return moment.astimezone(LAGOS).date()
