"""The order-taking service of `docs/examples/orders`, in a whole application."""

import ast
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app

pytestmark = pytest.mark.anyio

SOURCES = sorted((Path(__file__).parents[2] / "docs" / "examples" / "orders" / "orders").glob("*.py"))
ORDER = {
    "reference": "A-1",
    "customer": "ada@example.com",
    "lines": [{"sku": "pen", "quantity": 3, "unitPrice": 0.1}, {"sku": "pad", "quantity": 1, "unitPrice": "2.45"}],
}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """The application with the orders package."""
    async with running_app(tmp_path, command_packages=("orders",)) as app:
        yield app


async def test_an_order_is_placed_listed_and_cancelled(shop: RunningApp) -> None:
    """The two commands and the query work on one order, with exact money."""
    placed = await shop.cmd("PlaceOrderCommand", **ORDER)
    assert (placed["status"], placed["total"]) == ("placed", "2.75")
    assert (await shop.cmd("GetOrderListQuery", status="placed"))["items"] == [placed]
    cancelled = await shop.cmd("CancelOrderCommand", id=placed["id"], reason="changed her mind")
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "changed her mind")
    assert (await shop.cmd("GetOrderListQuery", status="placed"))["totalCount"] == 0
    assert (await shop.cmd("GetOrderListQuery", searchText="ada@"))["items"] == [cancelled]


async def test_what_happened_is_published_with_the_effect(shop: RunningApp) -> None:
    """Each effect has its event, and a refused command has none."""
    placed = await shop.cmd("PlaceOrderCommand", **ORDER)
    assert (await shop.send("PlaceOrderCommand", ORDER)).status == 409
    await shop.cmd("CancelOrderCommand", id=placed["id"], reason="sold out")
    events = await shop.cmd("GetEventListQuery", event="order.*")
    assert sorted(event["event"] for event in events["items"]) == ["order.cancelled", "order.placed"]


@pytest.mark.parametrize(
    ("name", "fields", "status", "sentence"),
    [
        ("CancelOrderCommand", {"id": 7, "reason": "x"}, 404, "no order with this id"),
        ("CancelOrderCommand", {"id": 1, "reason": "x"}, 409, "cancelled already"),
        ("PlaceOrderCommand", ORDER, 409, "the order A-1 was placed already"),
        ("PlaceOrderCommand", {**ORDER, "reference": "A-2", "lines": []}, 422, "lines: "),
        ("PlaceOrderCommand", {**ORDER, "total": 1}, 422, "total: "),
        ("GetOrderListQuery", {"status": "lost"}, 422, "status: "),
        ("GetOrderListQuery", {"sortBy": "total"}, 422, "sortBy: "),
    ],
)
async def test_refusals_say_why(
    shop: RunningApp, name: str, fields: dict[str, Any], status: int, sentence: str
) -> None:
    """What can't be done is refused with the status and a sentence that fit."""
    await shop.cmd("PlaceOrderCommand", **ORDER)
    await shop.cmd("CancelOrderCommand", id=1, reason="first")
    reply = await shop.send(name, fields)
    assert reply.status == status
    assert any(sentence in error for error in reply.errors), reply.errors


async def test_its_permissions_count(shop: RunningApp) -> None:
    """Somebody who may only read lists orders and places none."""
    await shop.cmd("CreateUserCommand", username="vera", password="Correct-horse-battery-7", roles=["viewer"])
    await shop.sign_in("vera", "Correct-horse-battery-7")
    assert (await shop.send("GetOrderListQuery", {})).status == 200
    refused = await shop.send("PlaceOrderCommand", ORDER)
    assert (refused.status, refused.errors) == (403, ["PlaceOrderCommand needs the permission orders:write"])


async def test_it_stands_in_the_catalogue(shop: RunningApp) -> None:
    """An application's messages are described like the built-in ones."""
    catalogue = await shop.cmd("GetCommandCatalogQuery", name="PlaceOrderCommand")
    (entry,) = catalogue["items"]
    assert (entry["area"], entry["permission"]) == ("orders", "orders:write")
    assert entry["request"]["required"] == ["$type", "reference", "customer", "lines"]
    openapi = (await shop.request("GET", "/openapi.json")).body
    assert "PlaceOrderCommand" in str(openapi)


async def test_an_idempotency_key_has_one_effect(shop: RunningApp) -> None:
    """The same key and body give the first answer again instead of a conflict."""
    first = await shop.send("PlaceOrderCommand", ORDER, {"idempotency-key": "k1"})
    again = await shop.send("PlaceOrderCommand", ORDER, {"idempotency-key": "k1"})
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert again.headers["idempotent-replay"] == "true"


async def test_a_webhook_places_orders(shop: RunningApp) -> None:
    """A rule sends the command with the payload's fields of the same name."""
    await shop.rule("orders", commandName="PlaceOrderCommand")
    assert (await shop.hook("orders", ORDER)).status == 200
    await shop.settled()
    listed = await shop.cmd("GetOrderListQuery")
    assert [order["reference"] for order in listed["items"]] == ["A-1"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_an_application_stands_on_three_modules(source: Path) -> None:
    """The example imports `bpm.bus`, `bpm.store` and `bpm.errors`, and nothing else of ours."""
    tree = ast.parse(source.read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    ours = {module for module in modules if module.partition(".")[0] in ("bpm", "commands", "router", "scripts")}
    assert ours <= {"bpm.bus", "bpm.store", "bpm.errors"}
