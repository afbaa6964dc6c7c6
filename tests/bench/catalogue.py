"""Every benchmark: first the limits of the machine, then our server."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.benchmark import Benchmark, Figure, Measure
from tests.bench.delivery_catalogue import DELIVERIES
from tests.bench.job_catalogue import JOBS
from tests.bench.load import Request, send
from tests.bench.process_catalogue import PROCESSES
from tests.bench.product import COMMAND, EVENT, Product
from tests.bench.script_catalogue import SCRIPTS
from tests.bench.stage import Stage
from tests.bench.webhooks import accept_webhooks, run_webhooks

Prepare = Callable[[Stage], Measure]


def limit(module: str, expected: str = '"order.placed"') -> Prepare:
    """Requests answered by a program of `limits/`."""

    def prepare(stage: Stage) -> Measure:
        server = stage.limit(module)
        return lambda seconds: send(server, Request("/", expected), stage.connections, seconds)

    return prepare


def raw_commits(stage: Stage) -> Measure:
    """Rows committed by one writer that does nothing else."""

    def measure(seconds: int) -> Figure:
        file = stage.folder / f"raw-{time.monotonic_ns()}.db"
        command = [sys.executable, "-m", "tests.bench.limits.sqlite_commits", str(file), str(seconds)]
        return Figure(**json.loads(subprocess.run(command, capture_output=True, check=True).stdout))

    return measure


def accepted(rules: int = 0, connections: int | None = None, stored: int = 0) -> Prepare:
    """Requests on disk and answered, by a process that leaves their execution to others."""

    def prepare(stage: Stage) -> Measure:
        product = stage.product(rules, worker=False, stored=stored)
        return lambda seconds: accept_webhooks(product, connections or stage.connections, seconds)

    return prepare


def accepted_beside(stage: Stage) -> Measure:
    """Requests on disk and answered, while the same process executes them."""
    product = stage.product()
    return lambda seconds: run_webhooks(product, stage.connections, seconds)[0]


def executed(stage: Stage) -> Measure:
    """Requests accepted and executed, from the first one sent until the last one is done."""
    product = stage.product()
    return lambda seconds: run_webhooks(product, stage.connections, seconds)[1]


def executed_first(stage: Stage) -> Measure:
    """Requests executed before the answer."""
    server = stage.product().server
    request = Request("/api/webhooks/bench-sync", f'"{EVENT}"')
    return lambda seconds: send(server, request, stage.connections, seconds)


def bus(
    type_: str,
    expected: str,
    fields: Callable[[Product], dict[str, Any]],
    stored: int = 0,
    connections: int | None = None,
) -> Prepare:
    """Messages sent by a client to `POST /api/bpm/cmd`."""

    def prepare(stage: Stage) -> Measure:
        product = stage.product(worker=False, stored=stored) if stored else stage.product()
        body = json.dumps({"$type": type_, **fields(product)}).encode()

        def measure(seconds: int) -> Figure:
            request = Request("/api/bpm/cmd", expected, body, product.authorization())
            return send(product.server, request, connections or stage.connections, seconds)

        return measure

    return prepare


ping = bus("PingQuery", '"success"', lambda _: {})


def id_of_rule(product: Product) -> dict[str, Any]:
    """The fields that ask for the benchmark's own rule."""
    return {"id": product.send("LookupWebHookByKeyCommand", key="bench")["id"]}


MILLION = 1_000_000


def listed(stored: int) -> Prepare:
    """First pages, each with its total, of so many stored requests, one after the other."""
    return bus("GetInboundRequestListQuery", '"totalCount"', lambda _: {}, stored, connections=1)


query = bus("GetWebHookConfigByIdQuery", '"bench"', id_of_rule)
command = bus(COMMAND, f'"{EVENT}"', lambda _: {"event": EVENT, "data": {"order": 4711}})

LIMITS = (
    Benchmark("bare-asgi", "bare ASGI echo", limit("bare_asgi")),
    Benchmark("echo", "Starlette echo", limit("starlette_echo")),
    Benchmark("hmac", "Starlette echo, HMAC checked", limit("hmac_echo")),
    Benchmark("raw-commits", "raw grouped SQLite rows", raw_commits),
    Benchmark("hand-rolled", "hand-rolled endpoint", limit("hand_rolled", '"requestId"')),
)

SUBJECTS = (
    Benchmark("async", "inbound async, on disk", accepted(), 0.8),
    Benchmark("async-64", "inbound async, 64 connections", accepted(connections=64), 0.8),
    Benchmark("async-10k", "inbound async, 10,000 rules", accepted(rules=10_000), 0.95, "async"),
    Benchmark("async-busy", "inbound async, executing too", accepted_beside),
    Benchmark("executed", "accepted and executed", executed, 0.4),
    Benchmark("sync", "inbound sync, native command", executed_first, 0.4),
    Benchmark("ping", "bus: PingQuery", ping, 0.6),
    Benchmark("query", "bus: GetWebHookConfigByIdQuery", query, 0.6),
    Benchmark("command", f"bus: {COMMAND}", command, 0.4),
    Benchmark("list", "a page of requests", listed(0), optional=True),
    Benchmark("growth", "inbound async, beside a million", accepted(stored=MILLION), 0.9, "async", optional=True),
    Benchmark("growth-list", "a page of requests of a million", listed(MILLION), None, "list", optional=True),
)

BENCHMARKS = {benchmark.name: benchmark for benchmark in (*LIMITS, *SUBJECTS, *JOBS, *SCRIPTS, *PROCESSES, *DELIVERIES)}
