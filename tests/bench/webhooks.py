"""What benchmarks do with the webhook `bench`: accept, and execute what was accepted."""

import dataclasses
import time

from tests.bench.benchmark import Figure
from tests.bench.load import Request, send
from tests.bench.product import Product


def accept_webhooks(product: Product, connections: int, seconds: int) -> Figure:
    """Send signed requests to an asynchronous rule, and wait for none to be executed."""
    return send(product.server, Request("/api/webhooks/bench", '"requestId"'), connections, seconds)


def run_webhooks(product: Product, connections: int, seconds: int) -> tuple[Figure, Figure]:
    """Send signed requests to an asynchronous rule: the figures as accepted, and as accepted and executed.

    Returns when everything accepted is done, so that no round works off another's backlog.
    """
    before, cpu, start = product.done(), product.server.cpu_seconds(), time.monotonic()
    accepted = accept_webhooks(product, connections, seconds)
    done = product.wait_until_done(before + accepted.units) - before
    elapsed, spent = time.monotonic() - start, product.server.cpu_seconds() - cpu
    lost = max(accepted.units - done, 0)
    executed = dataclasses.replace(accepted, units=done, seconds=elapsed, cpu=spent, p50=None, p99=None, lost=lost)
    return accepted, executed
