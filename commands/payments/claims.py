"""What several notifications say of one payment that is not confirmed yet: the provider's answer decides between them.

The first notification makes the payment's row. One that says something else is kept beside it, so that neither the
wrong one that came first nor the wrong one that came last keeps the right one from being confirmed.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, UniqueConstraint, delete, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.bus import Context
from bpm.exact_json import write_json
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from commands.payments import tables
from commands.payments.tables import AskedBackRow

MOST_CLAIMS = 100
"""How many notifications of a payment are kept beside the first; after that the oldest goes."""

R = TypeVar("R", bound=AskedBackRow)

_BOOKKEEPING = frozenset({"id", *AskedBackRow.model_fields} - {"amount", "request_id"})
"""Columns of a payment that no notification says."""


class PaymentClaim(OrganizationRow, table=True):
    """A notification that says something else of a payment than its row does.

    `kind` and `subject` name the payment; `fields` are the columns of its row as this notification has them.
    """

    __table_args__ = (UniqueConstraint("organization_id", "kind", "subject", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    subject: str
    digest: str
    fields: dict[str, Any] = Field(sa_type=JsonColumn)
    created_at: datetime = Field(sa_type=UtcDateTime)


class PaymentClaims:
    """The notifications of payments of one kind, told apart by the columns that an answer is compared with."""

    def __init__(self, kind: str, subject: Sequence[str], compared: Sequence[str]) -> None:
        """Take the columns that name a payment, and those of which notifications may say different things."""
        self._kind = kind
        self._subject = subject
        self.compared = compared

    def keep(self, context: Context, row: AskedBackRow, told: AskedBackRow) -> None:
        """Keep a notification of a payment beside its row, unless it says the same."""
        if self._said(row) == self._said(told):
            return
        values = {
            "organization_id": context.organization_id,
            "kind": self._kind,
            "subject": self._name(row),
            "digest": hashlib.sha256(write_json(self._said(told))).hexdigest(),
            "fields": notified(told),
            "created_at": context.now(),
        }
        if tables.insert_once(context.tx, PaymentClaim, values):
            self._forget_oldest(context.tx, context.organization_id, row)

    def beside(self, tx: Transaction, organization_id: int, row: R) -> list[R]:
        """Return what other notifications say of a payment, each as a row that is not stored."""
        statement = select_rows(PaymentClaim).where(*self._of(organization_id, row)).order_by(col(PaymentClaim.id))
        found = tx.session(organization_id).exec(statement).all()
        return [type(row).model_validate({**row.model_dump(), **claim.fields}) for claim in found]

    def forget(self, tx: Transaction, organization_id: int, row: AskedBackRow) -> None:
        """Delete what was kept beside a payment."""
        tx.connection.execute(delete(PaymentClaim.table()).where(*self._of(organization_id, row)))

    def _forget_oldest(self, tx: Transaction, organization_id: int, row: AskedBackRow) -> None:
        kept = select(col(PaymentClaim.id)).where(*self._of(organization_id, row))
        oldest = kept.order_by(col(PaymentClaim.id).desc()).offset(MOST_CLAIMS)
        tx.connection.execute(delete(PaymentClaim.table()).where(col(PaymentClaim.id).in_(oldest)))

    def _of(self, organization_id: int, row: AskedBackRow) -> tuple[ColumnElement[bool], ...]:
        return (
            col(PaymentClaim.organization_id) == organization_id,
            col(PaymentClaim.kind) == self._kind,
            col(PaymentClaim.subject) == self._name(row),
        )

    def _name(self, row: AskedBackRow) -> str:
        return write_json([getattr(row, column) for column in self._subject]).decode()

    def _said(self, row: AskedBackRow) -> list[Any]:
        return [_plain(getattr(row, column)) for column in self.compared]


def notified(row: AskedBackRow) -> dict[str, Any]:
    """Return the columns of a payment that its notification says."""
    return {name: value for name, value in row.model_dump().items() if name not in _BOOKKEEPING}


def differing(rows: Sequence[AskedBackRow], column: str) -> list[Any]:
    """Return the different values that rows have in a column, without those that say nothing."""
    values = (_plain(getattr(row, column)) for row in rows)
    return list(dict.fromkeys(value for value in values if value is not None))


def _plain(value: Any) -> Any:
    """One writing for equal amounts, and for names with blanks around them."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return (value.strip() or None) if isinstance(value, str) else value
