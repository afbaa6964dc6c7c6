"""Notifications of the same payments that reach two server processes at the same moment, in any order."""

import asyncio
import random
import re
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from bpm.testing import ServerProcess, until

pytestmark = pytest.mark.anyio

RRRS = [str(number) for number in range(1, 31)]


class TwoProcesses(ServerProcess):
    """A server of two processes."""

    options = ("--processes", "2")


async def test_each_payment_is_confirmed_once(postgres_url: str, httpserver: HTTPServer) -> None:
    """Right and wrong ones in one array, each array in an order of its own: none is lost, doubled or left open."""

    def paid(request: Request) -> Response:
        rrr = request.path.split("/")[2]
        return Response(f'{{"status": "00", "RRR": "{rrr}", "amount": {rrr}, "orderId": "order-{rrr}"}}')

    httpserver.expect_request(re.compile("/2547916/.*")).respond_with_handler(paid)
    url = httpserver.url_for("")
    async with TwoProcesses(
        BPM_DATABASE_URL=postgres_url,
        BPM_REMITA__ALLOWED_IPS="127.0.0.1",
        BPM_REMITA__MERCHANT_ID="2547916",
        BPM_REMITA__API_KEY="1946",
        BPM_REMITA__BASE_URL=url,
    ) as server:
        replies = await asyncio.gather(*(server.hook("remita", array(seed)) for seed in range(40)))
        assert {reply.status for reply in replies} == {200}
        await until(
            lambda: count(server, "GetRemitaPaymentListQuery", status="confirmed"), len(RRRS).__eq__, seconds=90
        )
        assert await count(server, "GetRemitaPaymentListQuery") == len(RRRS)
        assert await count(server, "GetEventListQuery", event="remita.payment_notified") == len(RRRS)
        assert await count(server, "GetEventListQuery", event="remita.payment_confirmed") == len(RRRS)
        found = (await server.cmd("GetRemitaPaymentListQuery", pageSize=200))["items"]
        assert {one["orderId"] for one in found} == {f"order-{rrr}" for rrr in RRRS}
        await until(lambda: count(server, "GetInboundRequestListQuery", state="done"), len(replies).__eq__, seconds=90)


def array(seed: int) -> list[dict[str, Any]]:
    """Return all payments in an order of its own, every second one with somebody else's order."""
    chosen = random.Random(seed)  # noqa: S311 no secret
    orders = {rrr: f"order-{rrr}" if (int(rrr) + seed) % 2 else "another" for rrr in RRRS}
    return [{"rrr": rrr, "amount": rrr, "orderId": orders[rrr]} for rrr in chosen.sample(RRRS, len(RRRS))]


async def count(server: ServerProcess, query: str, **fields: Any) -> int:
    return (await server.cmd(query, **fields))["totalCount"]
