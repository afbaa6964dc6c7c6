"""What becomes of what a provider told when it is asked back: it is confirmed, asked about again, or an incident."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from bpm.bus import Context
from commands.payments import tables
from commands.payments.publication import publish
from commands.payments.rechecks import RECHECKS
from commands.payments.tables import CONFIRMED, MISMATCH, AskedBackRow


class ProviderAnswer(Protocol):
    """What a provider says when it is asked."""

    @property
    def status(self) -> str:
        """The provider's own word for it."""
        ...

    @property
    def message(self) -> str | None:
        """What else it says."""
        ...

    @property
    def amount(self) -> Decimal | None:
        """How much, if it says so."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the payment is made, the debit taken, or the mandate active."""
        ...


R = TypeVar("R", bound=AskedBackRow)
A = TypeVar("A", bound=ProviderAnswer)


@dataclass(frozen=True, slots=True)
class AskedBack(Generic[R, A]):
    """How the answers about rows of one kind are kept and published."""

    event: str
    """How the event begins that tells what became of a row; its status is the end."""
    event_data: Callable[[R], dict[str, Any]]
    incident: Callable[[R, A], str | None]
    """Says what of a row and the answer does not fit together."""
    never: str
    """The incident of a row that is not done after the last question, with the provider's `status` in it."""

    def keep(self, context: Context, row: R, answer: A, ask_again: Callable[[int], None]) -> None:
        """Note an answer about a row that is not confirmed; publish how it ends, or have the provider asked again.

        `ask_again` is given how often it was asked.
        """
        is_last = row.checks == len(RECHECKS)
        changes: dict[str, Any] = {
            "checks": row.checks + 1,
            "provider_status": answer.status,
            "provider_message": answer.message,
            "updated_at": context.now(),
        }
        if answer.is_done:
            changes |= self._verdict(context, row, answer)
        elif is_last:
            changes["incident"] = self.never.format(status=answer.status)
        tables.change(context.tx, context.organization_id, row, changes)
        if answer.is_done or is_last:
            publish(context, f"{self.event}_{row.status}", self.event_data(row))
        elif row.checks <= len(RECHECKS):
            ask_again(row.checks)

    def _verdict(self, context: Context, row: R, answer: A) -> dict[str, Any]:
        incident = self.incident(row, answer)
        return {
            "status": MISMATCH if incident else CONFIRMED,
            "incident": incident,
            "confirmed_amount": answer.amount,
            "confirmed_at": None if incident else context.now(),
        }
