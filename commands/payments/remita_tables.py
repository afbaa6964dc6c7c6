"""What Remita told, normalised."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, func
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.row_lock import all_to_change, first_to_change
from commands.payments.tables import AmountColumn, AskedBackRow, PaymentFilter, payment_filters


class RemitaPayment(AskedBackRow, table=True):
    """A payment that Remita notified."""

    __table_args__ = (UniqueConstraint("organization_id", "rrr"),)

    id: int | None = Field(default=None, primary_key=True)
    rrr: str
    charge_fee: Decimal | None = Field(default=None, sa_type=AmountColumn, nullable=True)
    transaction_date: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    debit_date: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    channel: str | None = None
    biller_name: str | None = None
    bank: str | None = None
    branch: str | None = None
    service_type_id: str | None = None
    order_ref: str | None = None
    order_id: str | None = None
    payer_name: str | None = None
    payer_phone_number: str | None = None
    payer_email: str | None = None
    type: str | None = None
    payment_description: str | None = None
    custom_fields: list[dict[str, Any]] = Field(sa_type=JsonColumn)
    parent_rrr_details: Any = Field(default=None, sa_type=JsonColumn, nullable=True)


class RemitaCollection(AskedBackRow, table=True):
    """A mandate's activation, a debit under it, or a repayment; dates are ISO 8601, with a time if one came."""

    __table_args__ = (UniqueConstraint("organization_id", "mandate_id", "mandate_request_id", "type", "date"),)

    id: int | None = Field(default=None, primary_key=True)
    type: str
    mandate_id: str
    mandate_request_id: str
    date: str
    start_date: str | None = None
    end_date: str | None = None
    payment_status: str | None = None
    provider_reference: str | None = None


class CollectionKey(NamedTuple):
    """What tells one collection from another; `request_id` is Remita's."""

    type: str
    mandate_id: str
    request_id: str
    date: str


class RemitaRejection(OrganizationRow, table=True):
    """One element of a notification that was not valid, by its position (from 0) in the request's body."""

    __table_args__ = (UniqueConstraint("organization_id", "request_id", "kind", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    position: int
    cause: str
    request_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


def remita_payment(tx: Transaction, organization_id: int, rrr: str) -> RemitaPayment | None:
    """Return the payment with an RRR, to be confirmed by nobody else meanwhile."""
    statement = select_rows(RemitaPayment).where(col(RemitaPayment.rrr) == rrr)
    return first_to_change(tx, organization_id, statement)


def remita_collection(tx: Transaction, organization_id: int, key: CollectionKey) -> RemitaCollection | None:
    """Return what was collected under a key, to be confirmed by nobody else meanwhile."""
    statement = select_rows(RemitaCollection).where(
        col(RemitaCollection.type) == key.type,
        col(RemitaCollection.mandate_id) == key.mandate_id,
        col(RemitaCollection.mandate_request_id) == key.request_id,
        col(RemitaCollection.date) == key.date,
    )
    return first_to_change(tx, organization_id, statement)


def collections_of_all_days(tx: Transaction, organization_id: int, key: CollectionKey) -> Sequence[RemitaCollection]:
    """Return what was collected of a type, mandate and request, to be confirmed by nobody else meanwhile."""
    statement = select_rows(RemitaCollection).where(
        col(RemitaCollection.type) == key.type,
        col(RemitaCollection.mandate_id) == key.mandate_id,
        col(RemitaCollection.mandate_request_id) == key.request_id,
    )
    return all_to_change(tx, organization_id, statement.order_by(col(RemitaCollection.id)))


def select_payments(wanted: PaymentFilter) -> SelectOfScalar[RemitaPayment]:
    """Select payments of Remita's by when they were made, or else notified, and what was notified or confirmed."""
    moment = func.coalesce(col(RemitaPayment.transaction_date), col(RemitaPayment.created_at))
    amounts = col(RemitaPayment.amount), col(RemitaPayment.confirmed_amount)
    return select_rows(RemitaPayment).where(*payment_filters(wanted, col(RemitaPayment.status), moment, amounts))


def select_collections(kind: str | None, status: str | None) -> SelectOfScalar[RemitaCollection]:
    """Select collections, all or those of a type and a status."""
    statement = select_rows(RemitaCollection)
    if kind is not None:
        statement = statement.where(col(RemitaCollection.type) == kind)
    return statement if status is None else statement.where(col(RemitaCollection.status) == status)


def select_rejections(kind: str | None) -> SelectOfScalar[RemitaRejection]:
    """Select rejected elements, all or those of payments or collections."""
    statement = select_rows(RemitaRejection)
    return statement if kind is None else statement.where(col(RemitaRejection.kind) == kind)
