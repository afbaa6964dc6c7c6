"""What providers told, normalised; the request as it came stands in `inbound_request` under `request_id`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, UniqueConstraint, func, or_
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.upsert import insert_new

UNCONFIRMED, CONFIRMED, MISMATCH = "unconfirmed", "confirmed", "mismatch"
MAX_REFERENCE = 200
"""How many characters the reference of a payment may have that is asked back about."""
MOST_PLACES = 6
"""Digits after the point of an amount."""


class AmountColumn(TypeDecorator[Decimal]):
    """An amount of money as text, so that neither database rounds it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Write the digits."""
        return format(value, "f") if value is not None else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Read the digits."""
        return Decimal(value) if value is not None else None


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


class AskedBackRow(OrganizationRow):
    """What a provider told of: unconfirmed until the provider, asked back, says so.

    `checks` counts how often it was asked; `incident` says what does not fit together.
    """

    status: str = UNCONFIRMED
    amount: Decimal | None = Field(default=None, sa_type=AmountColumn, nullable=True)
    checks: int = 0
    provider_status: str | None = None
    provider_message: str | None = None
    confirmed_amount: Decimal | None = Field(default=None, sa_type=AmountColumn, nullable=True)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    incident: str | None = None
    request_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


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


def insert_once(tx: Transaction, kind: type[OrganizationRow], values: Mapping[str, Any]) -> bool:
    """Insert a row unless its unique key is known; tells whether it was new."""
    return tx.connection.execute(insert_new(tx.connection, kind.table()), values).rowcount == 1


def insert(tx: Transaction, row: OrganizationRow) -> None:
    """Insert a row with the group's others, just before the commit."""
    tx.append(type(row).table(), row.model_dump(exclude={"id"}))


def mono_account(tx: Transaction, organization_id: int, account_id: str) -> MonoAccount | None:
    """Return the account with Mono's id."""
    statement = select_rows(MonoAccount).where(col(MonoAccount.account_id) == account_id)
    return tx.session(organization_id).exec(statement).first()


def mono_payment(tx: Transaction, organization_id: int, reference: str) -> MonoPayment | None:
    """Return the payment with a reference."""
    statement = select_rows(MonoPayment).where(col(MonoPayment.reference) == reference)
    return tx.session(organization_id).exec(statement).first()


def remita_payment(tx: Transaction, organization_id: int, rrr: str) -> RemitaPayment | None:
    """Return the payment with an RRR."""
    statement = select_rows(RemitaPayment).where(col(RemitaPayment.rrr) == rrr)
    return tx.session(organization_id).exec(statement).first()


def remita_collection(tx: Transaction, organization_id: int, key: CollectionKey) -> RemitaCollection | None:
    """Return what was collected under a key."""
    statement = select_rows(RemitaCollection).where(
        col(RemitaCollection.type) == key.type,
        col(RemitaCollection.mandate_id) == key.mandate_id,
        col(RemitaCollection.mandate_request_id) == key.request_id,
        col(RemitaCollection.date) == key.date,
    )
    return tx.session(organization_id).exec(statement).first()


def change(tx: Transaction, organization_id: int, row: OrganizationRow, values: Mapping[str, Any]) -> None:
    """Change a row that was read in this transaction, or add a new one."""
    for column, value in values.items():
        setattr(row, column, value)
    session = tx.session(organization_id)
    session.add(row)
    session.flush()


def select_accounts(status: str | None) -> SelectOfScalar[MonoAccount]:
    """Select accounts, all or those of a status."""
    statement = select_rows(MonoAccount)
    return statement if status is None else statement.where(col(MonoAccount.status) == status)


class PaymentFilter(NamedTuple):
    """Which payments are wanted: of a status, a time (until is not part of it), and an amount however written."""

    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    amount: Decimal | None = None


def select_payments(wanted: PaymentFilter) -> SelectOfScalar[RemitaPayment]:
    """Select payments of Remita's by when they were made, or else notified, and what was notified or confirmed."""
    moment = func.coalesce(col(RemitaPayment.transaction_date), col(RemitaPayment.created_at))
    amounts = col(RemitaPayment.amount), col(RemitaPayment.confirmed_amount)
    return select_rows(RemitaPayment).where(*_filters(wanted, col(RemitaPayment.status), moment, amounts))


def select_mono_payments(wanted: PaymentFilter, currency: str | None = None) -> SelectOfScalar[MonoPayment]:
    """Select payments of Mono's by when they happened, or else came, and what was told of or confirmed."""
    moment = func.coalesce(col(MonoPayment.occurred_at), col(MonoPayment.created_at))
    amounts = col(MonoPayment.amount), col(MonoPayment.confirmed_amount)
    statement = select_rows(MonoPayment).where(*_filters(wanted, col(MonoPayment.status), moment, amounts))
    return statement if currency is None else statement.where(col(MonoPayment.currency) == currency)


def _filters(
    wanted: PaymentFilter, status: Any, moment: ColumnElement[datetime], amounts: Sequence[Any]
) -> Iterator[ColumnElement[bool]]:
    if wanted.status is not None:
        yield status == wanted.status
    if wanted.since is not None:
        yield moment >= wanted.since
    if wanted.until is not None:
        yield moment < wanted.until
    if wanted.amount is not None:
        written = _spellings(wanted.amount)
        yield or_(*(column.in_(written) for column in amounts))


def _spellings(amount: Decimal) -> list[Decimal]:
    """Return an amount with each number of zeros at its end with which it may have been stored."""
    fewest = max(0, -cast("int", amount.normalize().as_tuple().exponent))
    return [amount.quantize(Decimal(1).scaleb(-places)) for places in range(fewest, MOST_PLACES + 1)]


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
