"""The application's own table, and the SQL on it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime


class ShopOrder(OrganizationRow, table=True):
    """An order; `reference` is the shop's own number for it, `total` decimal digits."""

    __table_args__ = (UniqueConstraint("organization_id", "reference"),)

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    customer: str
    lines: list[dict[str, Any]] = Field(sa_type=JsonColumn)
    total: str
    status: str = "placed"
    reason: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


def insert_order(tx: Transaction, values: Mapping[str, Any]) -> int | None:
    """Insert an order and return its id, or None when its reference is taken: the unique index decides."""
    try:
        with tx.savepoint():
            key = tx.connection.execute(ShopOrder.table().insert(), values).inserted_primary_key
    except IntegrityError:
        return None
    return key[0] if key else None


def select_orders(status: str | None, customer: str | None) -> SelectOfScalar[ShopOrder]:
    """Select orders, narrowed by what is not None."""
    statement = select(ShopOrder)
    if status is not None:
        statement = statement.where(col(ShopOrder.status) == status)
    if customer is not None:
        statement = statement.where(col(ShopOrder.customer) == customer)
    return statement
