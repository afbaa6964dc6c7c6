"""Tables of applications: created when they are missing, never altered."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from orders.tables import ShopOrder

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import open_database
from bpm.store.application_migrations import ApplicationMigrations, application_tables, own_tables, told_apart
from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

ORDERS = Path(__file__).parents[2] / "docs" / "examples" / "orders"
ORDER = {"reference": "A-1", "customer": "ada@example.com", "lines": [{"sku": "x", "quantity": 1, "unitPrice": 1}]}


async def started_and_stopped(folder: Path) -> None:
    """Open and close the database of a data folder."""
    database = open_database(Settings(data_dir=folder))
    await database.start()
    await database.stop()


def run_sql(folder: Path, statement: str) -> list[tuple[str]]:
    """Look into the file, or change it, behind the product's back."""
    with closing(sqlite3.connect(folder / "bpm.db")) as connection, connection:
        return connection.execute(statement).fetchall()


def test_tables_are_told_apart() -> None:
    """The migrations make our tables, and an application's table is none of them."""
    assert ShopOrder.table() in application_tables()
    assert ShopOrder.table() not in own_tables()
    assert not set(own_tables()) & set(application_tables())


def test_packages_whose_versions_would_be_taken_for_one_another() -> None:
    """The migrations of the second one would never be made."""
    both = [ApplicationMigrations(package, ORDERS) for package in ("shop.orders", "shop_orders")]
    assert told_apart(both[:1]) == both[:1]
    with pytest.raises(
        Misconfigured, match=r"shop\.orders and shop_orders would both keep in alembic_version_shop_orders"
    ):
        told_apart(both)


@pytest.mark.embedded
async def test_a_missing_table_is_created_in_an_existing_database(tmp_path: Path) -> None:
    """A database that is up to date gets the table of an application added later."""
    await started_and_stopped(tmp_path)
    run_sql(tmp_path, "DROP TABLE shop_order")
    await started_and_stopped(tmp_path)
    assert run_sql(tmp_path, "SELECT * FROM shop_order") == []


@pytest.mark.embedded
async def test_an_existing_table_keeps_its_rows(tmp_path: Path) -> None:
    """Starting again changes nothing."""
    await started_and_stopped(tmp_path)
    columns = "organization_id, reference, customer, lines, total, status, created_at"
    run_sql(tmp_path, f"INSERT INTO shop_order ({columns}) VALUES (1, 'A', 'b', '[]', '0', 'placed', '2026-01-01')")  # noqa: S608
    await started_and_stopped(tmp_path)
    assert run_sql(tmp_path, "SELECT reference FROM shop_order") == [("A",)]


@pytest.mark.embedded
async def test_a_table_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    """The start ends with the names of table and columns instead of failing at the first command."""
    await started_and_stopped(tmp_path)
    run_sql(tmp_path, "ALTER TABLE shop_order DROP COLUMN reason")
    with pytest.raises(Misconfigured, match=r"shop_order lacks reason;.*ALTER TABLE"):
        await started_and_stopped(tmp_path)


async def test_an_application_joins_a_server_in_use() -> None:
    """A server that ran without the package takes orders after a restart with it."""
    async with ServerProcess() as server:
        assert (await server.send("PlaceOrderCommand", ORDER)).status == 404
        assert await server.stop() == 0
        server.environment |= {"BPM_COMMAND_PACKAGES": "orders", "PYTHONPATH": str(ORDERS)}
        await server.start()
        assert (await server.cmd("PlaceOrderCommand", **ORDER))["status"] == "placed"
