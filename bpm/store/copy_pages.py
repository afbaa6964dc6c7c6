"""Rows on their way from one database to another: read in order of their keys, written in pages, summed up."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Column, Connection, MetaData, Select, Table, Text, TypeDecorator, select

AT_ONCE = 50
"""How many rows are fetched from a server at once."""
PAGE_ROWS = 200
PAGE_BYTES = 4 * 1024 * 1024
"""A page ends with the row that reaches either of them."""

Row = dict[str, Any]


def plain_table(table: Table) -> Table:
    """Return the table with texts as they are stored, so that what is in them arrives to the letter."""
    columns = (Column(each.name, _plain_type(each.type), primary_key=each.primary_key) for each in table.columns)
    return Table(table.name, MetaData(), *columns)


def read_rows(connection: Connection, plain: Table, *, skip: int = 0) -> Iterator[Row]:
    """Yield the rows of a plain table in the order of their keys, without the first ones."""
    statement: Select[Any] = select(plain).order_by(*plain.primary_key).execution_options(yield_per=AT_ONCE)
    if skip:
        statement = statement.offset(skip)
    for row in connection.execute(statement).mappings():
        yield {**row}


def in_pages(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows in lists that a transaction can take."""
    page: list[Row] = []
    size = 0
    for row in rows:
        page.append(row)
        size += _size(row)
        if len(page) >= PAGE_ROWS or size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def storable(row: Row, target: Connection) -> Row:
    """Replace the one character that PostgreSQL's texts can't hold."""
    if target.dialect.name != "postgresql" or not any(isinstance(v, str) and "\x00" in v for v in row.values()):
        return row
    return {name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value for name, value in row.items()}


def digest_of(rows: Iterator[Row]) -> tuple[int, str]:
    """Return how many rows these are and a sum over them, the same in whatever order they come."""
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(hashlib.sha256(_canonical(row)).digest())
    return count, f"{total % 2**256:064x}"


def _canonical(row: Mapping[str, Any]) -> bytes:
    return repr([(name, _plain_value(row[name])) for name in sorted(row)]).encode("utf-8", "surrogatepass")


def _plain_value(value: Any) -> Any:
    """Return a value in the one form that both databases give it."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return bytes(cast("Any", value)) if isinstance(value, memoryview) else value


def _size(row: Row) -> int:
    return sum(len(cast("Any", value)) for value in row.values() if isinstance(value, str | bytes))


def _plain_type(declared: Any) -> Any:
    stored = declared.impl_instance if isinstance(declared, TypeDecorator) else None
    return stored if isinstance(stored, Text) else cast("Any", declared)
