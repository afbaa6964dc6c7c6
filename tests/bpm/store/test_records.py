"""Typed records agree with the columns that they are read from."""

import pkgutil
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, TypeDecorator, create_engine

import bpm
import commands
import router
from bpm.store.records import Records
from bpm.store.rows import JsonColumn

ORDERS = Table(
    "records_order",
    MetaData(),
    Column("note", String),
    Column("id", Integer, primary_key=True),
    Column("paid", Integer),
)


class OrderRow(NamedTuple):
    id: int
    note: str | None


def test_a_result_becomes_records() -> None:
    """Only the record's columns are selected, in its order, whatever the table's is."""
    orders = Records(OrderRow, ORDERS)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        ORDERS.metadata.create_all(connection)
        connection.execute(ORDERS.insert(), [{"id": 1, "note": "first"}, {"id": 2, "note": None}])
        assert orders.all(connection, orders.select.order_by(ORDERS.c.id)) == [OrderRow(1, "first"), OrderRow(2, None)]
        assert orders.first(connection, orders.select.where(ORDERS.c.id == 2)) == OrderRow(2, None)
        assert orders.first(connection, orders.select.where(ORDERS.c.id == 3)) is None
    engine.dispose()


def test_a_field_that_is_no_column_is_an_error_at_once() -> None:
    class Misspelled(NamedTuple):
        id: int
        notes: str

    with pytest.raises(KeyError, match="notes"):
        Records(Misspelled, ORDERS)


def test_each_field_has_the_type_of_its_column() -> None:
    """A column that may be NULL is an optional field and no other one is, and both hold the same type of value."""
    records = list(all_records())
    assert len(records) > 5
    wrong = [
        f"{each.record.__name__}.{name}: {kind} is not what {column} holds"
        for each in records
        for (name, kind), column in zip(get_type_hints(each.record).items(), each.columns, strict=True)
        if not agrees(kind, column)
    ]
    assert wrong == []


def is_column(shown: Any) -> bool:
    return isinstance(shown, Column)


def agrees(kind: Any, shown: Any) -> bool:
    # of an expression its type alone may be told
    column = shown if is_column(shown) else Column("expression", shown.type, nullable=NoneType in get_args(kind))
    is_union = get_origin(kind) in (Union, UnionType)
    kinds = set(get_args(kind)) if is_union else {kind}
    if kind is Any:
        return isinstance(column.type, JsonColumn)
    if (NoneType in kinds) != column.nullable:
        return False
    if isinstance(column.type, JsonColumn):
        return True
    stored: Any = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return kinds - {NoneType} == {stored.python_type}


def _records(values: Iterable[object]) -> list[Records[Any]]:
    return [cast("Records[Any]", value) for value in values if isinstance(value, Records)]


def all_records() -> Iterator[Records[Any]]:
    """Yield the records of every module that reads tables."""
    seen: set[int] = set()
    for package in (bpm, commands, router):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "tables" in module.name or module.name in sys.modules:
                for value in _records(vars(import_module(module.name)).values()):
                    if id(value) not in seen:
                        seen.add(id(value))
                        yield value
