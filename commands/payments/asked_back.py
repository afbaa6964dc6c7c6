"""What becomes of what a provider told when it is asked back: it is confirmed, asked about again, or an incident."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from bpm.bus import Context
from commands.payments import tables
from commands.payments.claims import PaymentClaims, differing, notified
from commands.payments.publication import publish
from commands.payments.rechecks import RECHECKS
from commands.payments.tables import CONFIRMED, MISMATCH, UNCONFIRMED, AskedBackRow


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


def _nothing_more(_answer: object) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class AskedBack(Generic[R, A]):
    """How the answers about rows of one kind are kept and published."""

    event: str
    """How the event begins that tells what became of a row; its status is the end."""
    event_data: Callable[[R], dict[str, Any]]
    claims: PaymentClaims
    """What other notifications say of the same row."""
    incident: Callable[[R, A], str | None]
    """Says what of a row, or of what another notification says of it, and the answer does not fit together."""
    never: str
    """The incident of a row that is not done after the last question, with the provider's `status` in it."""
    said: Callable[[A], Mapping[str, Any]] = _nothing_more
    """What else an answer says, as columns: kept of what is confirmed, where no notification says it."""

    def note(self, context: Context, told: R, find: Callable[[], R | None], ask: Callable[[], None] | None) -> bool:
        """Keep a notification; tell whether it is the first of its payment.

        A further one of a payment that is not confirmed is kept beside the first if it says something else, and has
        the provider asked again. `find` returns the payment's row; without `ask` the provider can't be asked.
        """
        is_new = tables.insert_once(context.tx, type(told), told.model_dump(exclude={"id"}))
        row = None if is_new else find()
        if row is not None and row.status != CONFIRMED:
            self.claims.keep(context, row, told)
            again = {"checks": 0, "incident": None if row.status == UNCONFIRMED else row.incident}
            tables.change(context.tx, context.organization_id, row, again)
        if ask is not None and (row is None or row.status != CONFIRMED):
            ask()
        return is_new

    def keep(self, context: Context, row: R, answer: A, ask_again: Callable[[int], None]) -> None:
        """Note an answer about a row that is not confirmed; publish how it ends, or have the provider asked again.

        `ask_again` is given how often it was asked.
        """
        is_last = row.checks == len(RECHECKS)
        before = row.status, row.incident
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
        if row.status == CONFIRMED:
            self.claims.forget(context.tx, context.organization_id, row)
        if (answer.is_done or is_last) and (row.status, row.incident) != before:
            publish(context, f"{self.event}_{row.status}", self.event_data(row))
        if not answer.is_done and row.checks <= len(RECHECKS):
            ask_again(row.checks)

    def _verdict(self, context: Context, row: R, answer: A) -> dict[str, Any]:
        meant, incident = self._meant(context, row, answer)
        said: Mapping[str, Any] = {} if incident else self.said(answer)
        return {
            **notified(meant),
            **{name: value for name, value in said.items() if value and not getattr(meant, name)},
            "status": MISMATCH if incident else CONFIRMED,
            "incident": incident,
            "confirmed_amount": answer.amount,
            "confirmed_at": None if incident else context.now(),
        }

    def _meant(self, context: Context, row: R, answer: A) -> tuple[R, str | None]:
        """Return what the notification says that the answer is about, and what does not fit.

        Of several that fit it is the one that says most. Where they contradict each other, which they can only in
        what the answer does not say, nobody knows which one is meant.
        """
        incident = self.incident(row, answer)
        told = [row, *self.claims.beside(context.tx, context.organization_id, row)]
        fitting = [one for one in told if self.incident(one, answer) is None]
        if not fitting:
            return row, incident
        for column in self.claims.compared:
            values = differing(fitting, column)
            if len(values) > 1:
                return row, f"notifications name {' and '.join(map(str, values))}, and the answer does not say which"
        return max(fitting, key=self._weight), None

    def _weight(self, row: R) -> int:
        return sum(getattr(row, column) is not None for column in self.claims.compared)
