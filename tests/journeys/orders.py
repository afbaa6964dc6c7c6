"""The order-taking example as a load whose effects can be counted."""

from pathlib import Path
from typing import Any

from bpm.testing import ServerClient

ENVIRONMENT = {
    "BPM_COMMAND_PACKAGES": "orders",
    "PYTHONPATH": str(Path(__file__).parents[2] / "docs" / "examples" / "orders"),
}


def order(reference: str) -> dict[str, Any]:
    """Return an order with this reference, which can be placed once."""
    return {
        "reference": reference,
        "customer": "ada@example.com",
        "lines": [{"sku": "pen", "quantity": 2, "unitPrice": 1.5}],
    }


async def placed(server: ServerClient) -> list[str]:
    """Return the references of all orders that were placed, as often as they were."""
    return [item["reference"] for item in await everything(server, "GetOrderListQuery")]


async def published(server: ServerClient) -> list[str]:
    """Return the reference of every `order.placed` event."""
    events = await everything(server, "GetEventListQuery", event="order.placed")
    return [event["data"]["reference"] for event in events]


async def everything(server: ServerClient, query: str, **filters: Any) -> list[dict[str, Any]]:
    """Return the items of every page of a list."""
    items: list[dict[str, Any]] = []
    page: dict[str, Any] = {"hasNextPage": True, "pageNumber": 0}
    while page["hasNextPage"]:
        page = await server.cmd(query, pageNumber=page["pageNumber"] + 1, pageSize=200, **filters)
        items += page["items"]
    return items
