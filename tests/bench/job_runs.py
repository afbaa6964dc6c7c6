"""Rounds about what happens after the acknowledgement."""

import signal
import time
from collections.abc import Callable
from datetime import datetime

from tests.bench.benchmark import Figure, Measure
from tests.bench.crews import crew
from tests.bench.product import Product
from tests.bench.stage import Stage
from tests.bench.webhooks import accept_webhooks, run_webhooks

PAUSE_SECONDS = 0.02


def executed(name: str, workers: int, *, postgres: bool) -> Callable[[Stage], Measure]:
    """Requests accepted by a server and executed by it or by workers beside it, until the last one is done."""

    def prepare(stage: Stage) -> Measure:
        product = crew(stage, name, workers, postgres=postgres)
        return lambda seconds: run_webhooks(product, stage.connections, seconds)[1]

    return prepare


def worked_off(name: str, workers: int) -> Callable[[Stage], Measure]:
    """A backlog on PostgreSQL that so many workers execute, paused until everything is accepted."""

    def prepare(stage: Stage) -> Measure:
        product = crew(stage, name, workers, postgres=True)
        return lambda seconds: _work_off(product, stage.connections, seconds)

    return prepare


def _work_off(product: Product, connections: int, seconds: int) -> Figure:
    before = product.done()
    product.server.signal_workers(signal.SIGSTOP)
    try:
        accepted = accept_webhooks(product, connections, seconds)
    finally:
        product.server.signal_workers(signal.SIGCONT)
    cpu, start = product.server.cpu_seconds(), time.monotonic()
    done = product.wait_until_done(before + accepted.units) - before
    elapsed, spent = time.monotonic() - start, product.server.cpu_seconds() - cpu
    return Figure(units=done, seconds=elapsed, cpu=spent, lost=max(accepted.units - done, 0))


def accepted(name: str) -> Callable[[Stage], Measure]:
    """Requests on PostgreSQL's disk and answered; the worker takes its turn after the round."""

    def prepare(stage: Stage) -> Measure:
        product = crew(stage, name, 1, postgres=True)
        return lambda seconds: run_webhooks(product, stage.connections, seconds)[0]

    return prepare


def latency(name: str, workers: int, *, postgres: bool) -> Callable[[Stage], Measure]:
    """Single requests, one after the other: from the acknowledged request to its settled execution."""

    def prepare(stage: Stage) -> Measure:
        product = crew(stage, name, workers, postgres=postgres)
        return lambda seconds: _one_by_one(product, seconds)

    return prepare


def _one_by_one(product: Product, seconds: int) -> Figure:
    before, cpu, start = product.done(), product.server.cpu_seconds(), time.monotonic()
    count = 0
    while time.monotonic() - start < seconds:
        product.post()
        count += 1
        time.sleep(PAUSE_SECONDS)
    done = product.wait_until_done(before + count) - before
    waits = sorted(_milliseconds(item) for item in product.newest(min(count, 200)))
    return Figure(
        units=done,
        seconds=time.monotonic() - start,
        cpu=product.server.cpu_seconds() - cpu,
        p50=waits[len(waits) // 2],
        p99=waits[-1 - len(waits) // 100],
        lost=count - done,
    )


def _milliseconds(item: dict[str, str]) -> float:
    received, completed = (datetime.fromisoformat(item[name]) for name in ("receivedAt", "completedAt"))
    return (completed - received).total_seconds() * 1_000
