"""What Mono told, normalised."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import UniqueConstraint, func
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.row_lock import first_to_change
from commands.payments.tables import AmountColumn, AskedBackRow, PaymentFilter, payment_filters


class MonoAccount(OrganizationRow, table=True):
    """A bank account connected through Mono; `balance` is in the currency's smallest unit (kobo).

    `event_at` is when Mono knew what the row says: an older event that arrives late only fills gaps.
    """

    __table_args__ = (UniqueConstraint("organization_id", "account_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: str
    status: str
    data_status: str | None = None
    customer: str | None = None
    reference: str | None = None
    name: str | None = None
    account_number: str | None = None
    bvn: str | None = None
    currency: str | None = None
    balance: Decimal | None = Field(default=None, sa_type=AmountColumn, nullable=True)
    account_type: str | None = None
    institution_name: str | None = None
    institution_type: str | None = None
    bank_code: str | None = None
    event_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    request_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class MonoEvent(OrganizationRow, table=True):
    """An event of Mono's; `name` is the one it was published under, `data` has its secrets redacted."""

    __table_args__ = (UniqueConstraint("organization_id", "event_id"),)

    id: int | None = Field(default=None, primary_key=True)
    event_id: str
    event: str
    name: str
    account_id: str | None = None
    data: dict[str, Any] = Field(sa_type=JsonColumn)
    occurred_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    request_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class MonoPayment(AskedBackRow, table=True):
    """A payment, or a debit under a mandate, that Mono says was made.

    Amounts are in the currency's smallest unit (kobo). `event` is the name of the event that told of it.
    """

    __table_args__ = (UniqueConstraint("organization_id", "reference"),)

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    event: str
    account_id: str | None = None
    mandate_id: str | None = None
    currency: str | None = None
    fee: Decimal | None = Field(default=None, sa_type=AmountColumn, nullable=True)
    occurred_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class MonoConnection(OrganizationRow, table=True):
    """A browser's return from Mono Connect: connected, failed (Mono refused the code) or closed (no code)."""

    id: int | None = Field(default=None, primary_key=True)
    status: str
    account_id: str | None = None
    reference: str | None = None
    reason: str | None = None
    query: dict[str, str] = Field(sa_type=JsonColumn)
    request_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


def mono_account(tx: Transaction, organization_id: int, account_id: str) -> MonoAccount | None:
    """Return the account with Mono's id, to be changed by nobody else meanwhile."""
    statement = select_rows(MonoAccount).where(col(MonoAccount.account_id) == account_id)
    return first_to_change(tx, organization_id, statement)


def mono_payment(tx: Transaction, organization_id: int, reference: str) -> MonoPayment | None:
    """Return the payment with a reference, to be confirmed by nobody else meanwhile."""
    statement = select_rows(MonoPayment).where(col(MonoPayment.reference) == reference)
    return first_to_change(tx, organization_id, statement)


def select_accounts(status: str | None) -> SelectOfScalar[MonoAccount]:
    """Select accounts, all or those of a status."""
    statement = select_rows(MonoAccount)
    return statement if status is None else statement.where(col(MonoAccount.status) == status)


def select_mono_payments(wanted: PaymentFilter, currency: str | None = None) -> SelectOfScalar[MonoPayment]:
    """Select payments of Mono's by when they happened, or else came, and what was told of or confirmed."""
    moment = func.coalesce(col(MonoPayment.occurred_at), col(MonoPayment.created_at))
    amounts = col(MonoPayment.amount), col(MonoPayment.confirmed_amount)
    statement = select_rows(MonoPayment).where(*payment_filters(wanted, col(MonoPayment.status), moment, amounts))
    return statement if currency is None else statement.where(col(MonoPayment.currency) == currency)


def select_mono_events(
    name: str | None, account_id: str | None, since: datetime | None, until: datetime | None
) -> SelectOfScalar[MonoEvent]:
    """Select Mono's events, all or those of a published name, an account and a time of arrival."""
    statement = select_rows(MonoEvent)
    if name is not None:
        statement = statement.where(col(MonoEvent.name) == name)
    if account_id is not None:
        statement = statement.where(col(MonoEvent.account_id) == account_id)
    if since is not None:
        statement = statement.where(col(MonoEvent.created_at) >= since)
    return statement if until is None else statement.where(col(MonoEvent.created_at) < until)
