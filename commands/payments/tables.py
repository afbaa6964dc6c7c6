"""What rows of all payment providers share; the request as it came stands in `inbound_request` by `request_id`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Dialect, Text, TypeDecorator, or_
from sqlmodel import Field

from bpm.store import OrganizationRow, Transaction, UtcDateTime
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


def insert_once(tx: Transaction, kind: type[OrganizationRow], values: Mapping[str, Any]) -> bool:
    """Insert a row unless its unique key is known; tells whether it was new."""
    return tx.connection.execute(insert_new(tx.connection, kind.table()), values).rowcount == 1


def insert(tx: Transaction, row: OrganizationRow) -> None:
    """Insert a row with the group's others, just before the commit."""
    tx.append(type(row).table(), row.model_dump(exclude={"id"}))


def change(tx: Transaction, organization_id: int, row: OrganizationRow, values: Mapping[str, Any]) -> None:
    """Change a row that was read in this transaction, or add a new one."""
    for column, value in values.items():
        setattr(row, column, value)
    session = tx.session(organization_id)
    session.add(row)
    session.flush()


class PaymentFilter(NamedTuple):
    """Which payments are wanted: of a status, a time (until is not part of it), and an amount however written."""

    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    amount: Decimal | None = None


def payment_filters(
    wanted: PaymentFilter, status: Any, moment: ColumnElement[datetime], amounts: Sequence[Any]
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of what is wanted, on the columns of a provider's payments."""
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
