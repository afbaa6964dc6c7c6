"""A small shop behind the web edge: real registry, bus and database file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from pydantic import Field
from sqlalchemy import func, insert, select
from sqlmodel import Field as Column
from sqlmodel import select as select_rows
from starlette.applications import Starlette
from starlette.routing import Route

from bpm.accounts import Accounts
from bpm.accounts.keys import generate_key
from bpm.accounts.tables import ApiKey, User
from bpm.app.components import build_bus
from bpm.app.foundation import Foundation, build_foundation
from bpm.bus import Command, Context, EffectContext, Id, Integer, Page, PagedQuery, Query, Registry, View, handles
from bpm.clock import system_clock
from bpm.edge.lifecycle import Lifecycle
from bpm.errors import Conflict, NotFound, Overloaded, RateLimited
from bpm.security.permissions import SYSTEM
from bpm.security.secrets import load_secret_key
from bpm.settings import Settings
from bpm.store import Database, OrganizationRow, Transaction, utc_now
from bpm.web.command import PATH, CommandEndpoint
from bpm.web.exception_handlers import EXCEPTION_HANDLERS
from bpm.web.health import Readiness, health_routes


class WebOrder(OrganizationRow, table=True):
    """An order."""

    id: int | None = Column(default=None, primary_key=True)
    number: str = Column(unique=True)


class OrderView(View):
    """An order as clients see it."""

    id: int
    order_number: str
    lines: int


class Line(View):
    """One line of an order."""

    item: str
    quantity: Integer


class PlaceOrderCommand(Command[OrderView]):
    """Place an order; its `orderNumber` must be new."""

    permission = "orders:write"
    succeeded = "Order placed successfully"
    failed = "Order failed"
    aliases = ("SubmitOrderCommand",)

    order_number: Annotated[str, Field(min_length=1, max_length=50)]
    lines: tuple[Line, ...] = ()


@handles
def place_order(command: PlaceOrderCommand, context: Context) -> OrderView:
    """Write it down."""
    table = WebOrder.table()
    known = context.tx.connection.execute(select(table.c.id).where(table.c.number == command.order_number)).first()
    if known is not None:
        raise Conflict("An order with this number already exists")
    row = {"number": command.order_number, "organization_id": context.organization_id}
    key = context.tx.connection.execute(insert(table).values(row)).inserted_primary_key
    assert key is not None
    return OrderView(id=key[0], order_number=command.order_number, lines=len(command.lines))


class GetOrderQuery(Query[OrderView]):
    """Show an order."""

    permission = "orders:read"
    failed = "Order not found"

    id: Id


@handles
def get_order(query: GetOrderQuery, context: Context) -> OrderView:
    """Look it up."""
    table = WebOrder.table()
    row = context.tx.connection.execute(select(table).where(table.c.id == query.id)).first()
    if row is None:
        raise NotFound("No order found with the specified ID")
    return OrderView(id=row.id, order_number=row.number, lines=0)


class GetOrderListQuery(PagedQuery[Page[OrderView]]):
    """List the orders."""

    permission = "orders:read"


@handles
def list_orders(query: GetOrderListQuery, context: Context) -> Page[OrderView]:
    """List them."""
    return query.page(
        context,
        select_rows(WebOrder),
        WebOrder,
        lambda row: OrderView(id=row.id, order_number=row.number, lines=0),
        sortable={"id": "id"},
        created="id",
    )


class FailCommand(Command[int]):
    """Fail in the way that is asked for."""

    permission = None

    how: str


@handles
def fail(command: FailCommand, context: Context) -> int:
    """Fail."""
    match command.how:
        case "rate":
            raise RateLimited("too many orders", retry_after=7)
        case "overload":
            raise Overloaded(retry_after=3)
        case _:
            return 1 // 0


BEGUN: list[str] = []
"""The orders whose slow commands have begun."""


class SlowCommand(Command[str]):
    """Work for a moment outside the database, then write an order."""

    permission = None

    order_number: str


@handles
async def work_slowly(command: SlowCommand, context: EffectContext) -> str:
    """Wait, then write."""
    BEGUN.append(command.order_number)
    await asyncio.sleep(0.2)
    await context.send(PlaceOrderCommand(order_number=command.order_number), SYSTEM)
    return "done"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation of its own."""
    return Settings(data_dir=tmp_path)


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    for handler in (place_order, get_order, list_orders, fail, work_slowly):
        registry.add(handler, area="orders")
    return registry


@pytest.fixture
def lifecycle() -> Lifecycle:
    return Lifecycle()


@pytest.fixture
def foundation(settings: Settings, registry: Registry, tables: None) -> Foundation:
    """What the shop stands on."""
    load_secret_key(settings)
    return build_foundation(settings, system_clock, registry)


@pytest.fixture
async def database(foundation: Foundation) -> AsyncIterator[Database]:
    await foundation.database.start()
    yield foundation.database
    await foundation.database.stop()


@pytest.fixture
async def accounts(database: Database, foundation: Foundation) -> AsyncIterator[Accounts]:
    accounts = Accounts(database, foundation.settings, foundation.key)
    yield accounts
    await accounts.stop()


@pytest.fixture
async def clerk(database: Database) -> str:
    return await add_caller(database, 1, "clerk", "orders:read", "orders:write")


@pytest.fixture
async def viewer(database: Database) -> str:
    return await add_caller(database, 2, "viewer", "*:read")


async def add_caller(database: Database, number: int, name: str, *permissions: str) -> str:
    """Create a service account with an API key, and return the `Authorization` header that it sends."""
    key, now = generate_key(), utc_now()

    def add(tx: Transaction) -> None:
        session = tx.session(None)
        session.add(User(id=number, username=name, kind="service", permissions=list(permissions), created_at=now))
        session.flush()
        session.add(
            ApiKey(id=key.id, user_id=number, name=name, hash=key.hash, scopes=["*:read", "*:write"], created_at=now)
        )

    await database.write(add)
    return f"Bearer {key}"


@pytest.fixture
def app(foundation: Foundation, accounts: Accounts, lifecycle: Lifecycle) -> Starlette:
    settings = foundation.settings
    routes = [
        Route(PATH, CommandEndpoint(build_bus(foundation, accounts), accounts, settings, lifecycle)),
        *health_routes(Readiness(foundation.database, lifecycle, foundation.worker_watch), accounts, settings),
    ]
    return Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)


@pytest.fixture
async def client(app: Starlette, clerk: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 40000))
    headers = {"Authorization": clerk, "Content-Type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm", headers=headers) as client:
        yield client


@pytest.fixture
def count_orders(database: Database):
    async def count() -> int:
        return await database.read(
            lambda tx: tx.connection.execute(select(func.count()).select_from(WebOrder.table())).scalar_one()
        )

    return count
