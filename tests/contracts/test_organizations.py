"""Nothing crosses from one organisation to another: every list of the catalogue, beside rows in every table."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Boolean, DateTime, Float, Integer, LargeBinary, Numeric, Table
from sqlmodel import SQLModel

from bpm.bus import Envelope, PagedQuery
from bpm.errors import Forbidden, NotFound
from bpm.security.permissions import SYSTEM, Principal
from bpm.store import JsonColumn, OrganizationRow, Transaction
from bpm.testing import RunningApp, running_app
from commands.payments.tables import AmountColumn

pytestmark = pytest.mark.anyio

COMMON = {"GetEventTypeListQuery"}
"""Lists of what belongs to everybody: the built-in types of events."""

OURS = replace(SYSTEM, id="user:1", kind="user")
THEIRS = replace(OURS, id="user:2", organization_id=2)


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    """A server with a row of organisation 1 in every table that has organisations."""
    async with running_app(worker=False) as running:
        owned = {row_type.table() for row_type in subclasses(OrganizationRow) if is_ours(row_type)}
        for table in filter(owned.__contains__, SQLModel.metadata.sorted_tables):
            await running.app.database.write(lambda tx, table=table: insert(tx, table))
        yield running


def is_ours(row_type: type[Any]) -> bool:
    """Tell our tables from those of another test's application."""
    return row_type.__module__.partition(".")[0] in ("bpm", "commands", "router")


def subclasses(kind: type[Any]) -> list[type[Any]]:
    """Return every class with a table below `kind`."""
    below = [found for child in kind.__subclasses__() for found in (child, *subclasses(child))]
    return [child for child in below if hasattr(child, "__table__")]


def insert(tx: Transaction, table: Table) -> None:
    """Insert a row of organisation 1, with something of the right type in every column."""
    row = {column.name: value_for(column.type) for column in table.columns}
    tx.connection.execute(table.insert(), {**row, "organization_id": 1})


def value_for(kind: Any) -> Any:
    """Return a value that a column of this type takes."""
    if isinstance(kind, JsonColumn):
        return {}
    stored = getattr(kind, "impl", kind)
    if isinstance(stored, Boolean):
        return True
    if isinstance(stored, LargeBinary):
        return b"x"
    if isinstance(stored, DateTime):
        return datetime(2026, 1, 1, tzinfo=UTC)
    is_amount = isinstance(kind, AmountColumn)
    return 987 if is_amount or isinstance(stored, Integer | Numeric | Float) else "x987"


async def total(app: RunningApp, name: str, principal: Principal) -> int:
    """Return how many items a list has for somebody."""
    bus = app.app.bus
    message = bus.registry.decode(name, needed(bus.registry.find(name).message_type))
    outcome = await bus.execute(Envelope(message, principal))
    return outcome.unwrap().total_count


def needed(query: type[Any]) -> dict[str, Any]:
    """Return the fields that a list can't do without, as on the wire: ids of what is not there."""
    required = {field.alias or name: field for name, field in query.model_fields.items() if field.is_required()}
    return {name: 987 if field.annotation is int else "987" for name, field in required.items()}


async def test_no_list_shows_another_organisations_rows(app: RunningApp) -> None:
    """Whoever belongs to another organisation gets nothing from any list, or is told so."""
    registry = app.app.bus.registry
    lists = [one.name for one in registry if issubclass(one.message_type, PagedQuery)]
    seen: dict[str, int] = {}
    shown = 0
    for name in sorted(set(lists) - COMMON):
        with contextlib.suppress(NotFound, Forbidden):
            seen[name] = await total(app, name, THEIRS)
        try:
            shown += await total(app, name, OURS) > 0
        except NotFound:
            continue
        except Exception:  # a row of nonsense can't be shown to its owner either, but it was found
            shown += 1
    assert len(lists) > 15
    assert {name: count for name, count in seen.items() if count} == {}
    assert shown > len(lists) // 2
