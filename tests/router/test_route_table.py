"""The route table: what answers an address, live changes, and many rules."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bpm.bus import Registry
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database
from bpm.testing import until
from router.paths import shape
from router.route_table import POLL_SECONDS, RouteTable
from router.rule_compiler import RuleCompiler
from router.tables import configs, revisions
from tests.effort import Effort

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def config(number: int, path: str, **changes: Any) -> dict[str, Any]:
    definition = {"description": "d", "isEnabled": True, "path": path, "action": "POST", "executionType": 0}
    row: dict[str, Any] = {
        "organization_id": 1,
        "id": number,
        "key": f"key-{number}",
        "description": "d",
        "is_enabled": True,
        "path": path,
        "shape": shape(path),
        "action": "POST",
        "execution_type": 0,
        "definition": definition,
        "labels": "",
        "revision": 1,
        "author_id": "user:1",
        "author_name": "admin",
        "permissions": [],
        "created_at": NOW,
    }
    return {**row, **changes}


def revision(number: int, of: int) -> dict[str, Any]:
    return {
        "organization_id": 1,
        "config_id": number,
        "key": f"key-{number}",
        "revision": of,
        "change": "updated",
        "author_id": "user:1",
        "author_name": "admin",
        "definition": {},
        "created_at": NOW,
    }


async def save(database: Database, rows: Iterable[dict[str, Any]], of: int = 1) -> None:
    """Store configurations as the commands do: the rows, and a revision of each."""
    rows = list(rows)

    def work(tx: Transaction) -> None:
        tx.connection.execute(configs.CONFIGS.delete().where(configs.CONFIGS.c.id.in_([row["id"] for row in rows])))
        tx.connection.execute(configs.CONFIGS.insert(), rows)
        tx.connection.execute(revisions.REVISIONS.insert(), [revision(row["id"], of) for row in rows])

    await database.write(work)


async def drop(database: Database, number: int, of: int) -> None:
    def work(tx: Transaction) -> None:
        tx.connection.execute(configs.CONFIGS.delete().where(configs.CONFIGS.c.id == number))
        revisions.insert_revision(tx, revision(number, of))

    await database.write(work)


def table_of(database: Database, settings: Settings) -> RouteTable:
    return RouteTable(database, RuleCompiler(Registry(), SecretBox(b"k" * 32), settings))


@pytest.fixture
async def table(database: Database, settings: Settings) -> AsyncIterator[RouteTable]:
    table = table_of(database, settings)
    await table.start()
    yield table
    await table.stop()


def found(table: RouteTable, path: str, method: str = "POST") -> int | None:
    """Return the id of the rule that answers."""
    node = table.find(path)
    slots = node.slots if node is not None else []
    return next((slot.row.id for slot in slots if slot.row.action == method), None)


async def test_it_catches_up_with_what_others_committed(database: Database, table: RouteTable) -> None:
    """Whoever asks after a commit learns of it at once, and however many ask, one look serves all."""
    assert not await table.catch_up()
    await save(database, [config(1, path="orders")])
    looks = await asyncio.gather(*(table.catch_up() for _ in range(100)))
    assert all(looks)
    assert found(table, "orders") == 1


PATHS = {
    1: "orders",
    2: "orders/paid",
    3: "orders/{id}",
    4: "orders/{id}/lines",
    5: "orders/paid/{line}/x",
    6: "shops/{shop}/orders/{id}",
    7: "shops/north/{what}/last",
    8: "key-1/sub",
}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("orders", 1),
        ("orders/paid", 2),
        ("orders/other", 3),
        ("orders/paid/lines", 4),
        ("orders/paid/7/x", 5),
        ("orders/paid/7/y", None),
        ("shops/north/orders/7", 6),
        ("shops/north/orders/last", 7),
        ("shops/south/orders/last", 6),
        ("key-3", 3),
        ("key-8", 8),
        ("key-1/sub", 8),
        ("key-1/other", None),
        ("Orders", None),
        ("", None),
        ("orders/", None),
        ("orders//lines", None),
        ("/orders", None),
        ("{id}", None),
        ("orders/{id}", 3),
        ("x/" * 5_000, None),
    ],
)
async def test_what_answers_an_address(database: Database, table: RouteTable, path: str, number: int | None) -> None:
    """Literal beats parameter, also where that means going back; a key answers where no path does."""
    await save(database, [config(number, path) for number, path in PATHS.items()])
    await table.refresh()
    assert found(table, path) == number


async def test_methods_of_one_path_are_found_together(database: Database, table: RouteTable) -> None:
    """Rules that differ in their method only share an address."""
    await save(database, [config(1, "a/{x}"), config(2, "a/{y}", action="PUT")])
    await table.refresh()
    assert [found(table, "a/1", method) for method in ("POST", "PUT", "GET")] == [1, 2, None]


async def test_a_path_beats_a_key(database: Database, table: RouteTable) -> None:
    """A key that is also another rule's path gives way to the path."""
    await save(database, [config(1, "key-2"), config(2, "elsewhere")])
    await table.refresh()
    assert found(table, "key-2") == 1


async def test_changes_are_brought_in(database: Database, table: RouteTable) -> None:
    """A renamed, switched, moved or deleted rule is found where it is now, and nowhere else."""
    await save(database, [config(1, "a"), config(2, "b/{x}"), config(3, "b/c")])
    await table.refresh()
    before = table.by_id(1)
    assert before is not None
    await save(database, [config(1, "moved"), config(2, "b/{x}", is_enabled=False), config(3, "b/c", action="GET")], 2)
    await table.refresh()
    assert [found(table, path) for path in ("a", "moved", "b/1", "b/c")] == [None, 1, 2, None]
    assert found(table, "b/c", "GET") == 3
    after, switched = table.by_id(1), table.by_id(2)
    assert after is not None
    assert (after.path, before.path) == ("moved", "a")
    assert switched is not None
    assert not switched.enabled
    await drop(database, 3, 3)
    await drop(database, 1, 3)
    await table.refresh()
    assert [found(table, path) for path in ("moved", "key-1", "b/c")] == [None, None, 2]
    assert (len(table), table.by_id(3)) == (1, None)


async def test_two_rules_may_change_places(database: Database, table: RouteTable) -> None:
    """When two rules take each other's address in one step, both are found."""
    await save(database, [config(1, "a"), config(2, "b")])
    await table.refresh()
    await save(database, [config(1, "b"), config(2, "a")], 2)
    await table.refresh()
    assert (found(table, "a"), found(table, "b"), found(table, "key-1")) == (2, 1, 1)


async def test_another_processs_change_is_live_within_a_second(
    database: Database, table: RouteTable, settings: Settings
) -> None:
    """What another process committed to the same file is found without being told, and soon."""
    assert POLL_SECONDS < 1
    other = open_database(settings)
    await other.start()
    try:
        await save(other, [config(1, "a")])
        await until(lambda: found(table, "a") == 1)
        await save(other, [config(1, "b")], 2)
        await until(lambda: found(table, "b") == 1 and found(table, "a") is None)
        await drop(other, 1, 3)
        await until(lambda: found(table, "b") is None)
    finally:
        await other.stop()


def cost(table: RouteTable, paths: list[str]) -> float:
    """Return the least processor time of several rounds of looking all paths up."""

    def round_of() -> float:
        effort = Effort()
        for _ in range(200):
            for path in paths:
                table.find(path)
        return effort.seconds

    return min(round_of() for _ in range(5))


async def test_ten_thousand_rules_cost_as_much_as_ten(database: Database, settings: Settings) -> None:
    """Looking an address up, literal, with parameters, by key or unknown, does not depend on how many there are."""
    paths = ["literal/3/x", "with/4/parameter/z", "key-1", "unknown/of/all", "literal/3/unknown"]

    def many(count: int, start: int = 1) -> list[dict[str, Any]]:
        return [config(n, f"literal/{n}/x" if n % 2 else f"with/{n}/parameter/{{y}}") for n in range(start, count)]

    table = table_of(database, settings)
    await save(database, many(11))
    await table.refresh()
    few = cost(table, paths)
    await save(database, many(10_001, 11), 2)
    await table.refresh()
    assert len(table) == 10_000
    assert [found(table, path) for path in paths] == [3, 4, 1, None, None]
    assert cost(table, paths) < 4 * few


async def test_a_contested_rule_answers_nothing(database: Database, table: RouteTable) -> None:
    """Of two that overlapped before that was refused, the younger is found neither by path nor by key."""
    older = config(1, "shop/{id}", is_contested=False)
    younger = config(2, "shop/7", is_contested=True, organization_id=2)
    await save(database, [older, younger])
    await table.refresh()
    assert (found(table, "shop/7"), found(table, "key-2"), found(table, "key-1")) == (1, None, 1)
    assert table.by_id(2) is not None
    await save(database, [config(2, "shop/7", is_contested=False, organization_id=2)], 2)
    await table.refresh()
    assert found(table, "shop/7") == 2


ROWS = [
    (1, 2, "shop", "shop/{}"),
    (2, 3, "trap", "shop/7"),
    (3, 2, "own", "shop/8"),
    (4, 3, "by-key", "own"),
    (5, 3, "wide", "{}/{}"),
    (6, 3, "free", "shop/7/x"),
    (7, 2, "late", "trap"),
    (8, 2, "same", "shop/7/x"),
]


def test_of_addresses_that_overlap_the_older_stays() -> None:
    """The upgrade marks the younger of two organisations' rules, by path and by key, and none for one it marked."""
    upgrade = importlib.import_module("bpm.store.migrations.versions.0014_addresses")
    named = [SimpleNamespace(id=i, organization_id=o, key=key, shape=shape_) for i, o, key, shape_ in ROWS]
    assert upgrade.contested(named) == [2, 4, 5, 8]
