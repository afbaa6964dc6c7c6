"""What payments come to, for a comparison with a bank's statement."""

from decimal import Decimal
from typing import Protocol, Self

from pydantic import Field

from bpm.bus import View
from commands.payments.tables import CONFIRMED, MISMATCH, UNCONFIRMED


class SummedPayment(Protocol):
    """A payment as it is added up."""

    status: str
    amount: Decimal | None
    confirmed_amount: Decimal | None


class PaymentSumView(View):
    """How many payments, and how much they come to; `unknown` are those whose amount nobody said.

    Amounts of Remita are naira, those of Mono are in the currency's smallest unit (kobo).
    """

    count: int = 0
    """How many payments."""
    amount: Decimal = Decimal(0)
    """What they come to."""
    unknown: int = 0
    """How many have no amount that anybody said."""

    def add(self, amount: Decimal | None) -> None:
        """Count one more payment."""
        self.count += 1
        self.amount += amount or 0
        self.unknown += amount is None


class PaymentSumsView(View):
    """Payments by what became of them: confirmed ones by the amount that was confirmed, others as notified."""

    notified: PaymentSumView = Field(default_factory=PaymentSumView)
    """All that were notified."""
    confirmed: PaymentSumView = Field(default_factory=PaymentSumView)
    """Those that the provider confirmed."""
    mismatch: PaymentSumView = Field(default_factory=PaymentSumView)
    """Those whose amounts do not fit."""
    unconfirmed: PaymentSumView = Field(default_factory=PaymentSumView)
    """Those that are not confirmed yet."""

    def add(self, payment: SummedPayment) -> Self:
        """Count one more payment."""
        self.notified.add(payment.amount)
        found = {CONFIRMED: self.confirmed, MISMATCH: self.mismatch, UNCONFIRMED: self.unconfirmed}[payment.status]
        found.add(payment.confirmed_amount if payment.status == CONFIRMED else payment.amount)
        return self
