"""Scripts in the sandbox, beside a bare fork and the same script in plain Python."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from scripts import Limits, Sandbox
from tests.bench.benchmark import Figure, Measure
from tests.bench.stage import Stage

SCRIPT = """
total = 0
for line in payload["lines"]:
    total += line["qty"] * line["price"]
result = {"total": total, "skus": sorted({line["sku"] for line in payload["lines"]})}
"""
PAYLOAD = {"lines": [{"sku": f"A-{n}", "qty": n, "price": 1.5} for n in range(10)]}
EXPECTED = {"total": sum(n * 1.5 for n in range(10)), "skus": [f"A-{n}" for n in range(10)]}
SENDING = "for n in range(20):\n    send('Ping', {})\nresult = 'done'"
SETTLED = 0.02
"""Seconds in which new spares are forked, between two runs that are to find one."""
AT_ONCE = 8
"""Runs under way in each sandbox while throughput is measured."""

Step = Callable[[Sandbox, int], Awaitable[bool]]
"""One unit with its number; tells whether it came out right."""


def bare_fork(_stage: Stage) -> Measure:
    """Fork a process that ends at once, and wait for it: what no isolated run can be faster than."""

    def unit() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    return lambda seconds: _timed(unit, seconds)


def plain_python(_stage: Stage) -> Measure:
    """Run the same script in this process, compiled before."""
    code = compile(SCRIPT, "<plain>", "exec")

    def unit() -> None:
        scope: dict[str, Any] = {"payload": PAYLOAD}
        exec(code, scope)  # noqa: S102
        assert scope["result"] == EXPECTED

    return lambda seconds: _timed(unit, seconds)


def compiling(_stage: Stage) -> Measure:
    """Check a script that was not seen before."""

    async def step(sandbox: Sandbox, number: int) -> bool:
        return not (await sandbox.check(f"{SCRIPT}\n# {time.monotonic_ns()} {number}")).problems

    return lambda seconds: asyncio.run(_one_by_one(step, seconds, pause=SETTLED))


def warm(_stage: Stage) -> Measure:
    """Run it in a spare that is ready."""
    return lambda seconds: asyncio.run(_one_by_one(_run, seconds, pause=SETTLED))


def on_demand(_stage: Stage) -> Measure:
    """Run it in a process that is forked for it: its limits are not those of the spares."""
    limits = Limits(cpu_seconds=1.5)

    async def step(sandbox: Sandbox, _number: int) -> bool:
        return (await sandbox.run(SCRIPT, {"payload": PAYLOAD}, limits=limits)).result == EXPECTED

    return lambda seconds: asyncio.run(_one_by_one(step, seconds, pause=SETTLED))


def reused(_stage: Stage) -> Measure:
    """Run it again and again in the process of its rule."""

    async def step(sandbox: Sandbox, _number: int) -> bool:
        return (await sandbox.run(SCRIPT, {"payload": PAYLOAD}, isolation="rule")).result == EXPECTED

    return lambda seconds: asyncio.run(_one_by_one(step, seconds))


def sending(_stage: Stage) -> Measure:
    """Send a command that is answered at once; a unit is one of twenty in a reused process."""

    async def answer(_command: str, _fields: dict[str, Any]) -> int:
        return 1

    async def step(sandbox: Sandbox, _number: int) -> bool:
        return (await sandbox.run(SENDING, {}, isolation="rule", send=answer)).result == "done"

    return lambda seconds: asyncio.run(_one_by_one(step, seconds, units=20))


def recovering(_stage: Stage) -> Measure:
    """Get the next result after a script was killed; the time of a unit begins at the kill's answer."""

    async def killed(sandbox: Sandbox) -> None:
        limits = Limits(cpu_seconds=0.05)
        await sandbox.run("while True:\n    pass", {}, limits=limits)

    return lambda seconds: asyncio.run(_one_by_one(_run, seconds, before=killed))


def replacing(_stage: Stage) -> Measure:
    """Get the next result after the process that forks was lost."""

    async def lost(_sandbox: Sandbox) -> None:
        for pid in _zygotes():
            os.kill(pid, signal.SIGKILL)

    return lambda seconds: asyncio.run(_one_by_one(_run, seconds, before=lost))


def two_sandboxes(_stage: Stage) -> Measure:
    """Run it isolated, as often as two sandboxes of this machine can."""
    return lambda seconds: asyncio.run(_all_at_once(seconds))


def _zygotes() -> list[int]:
    children = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    return [pid for pid in children if Sandbox.entry.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def _run(sandbox: Sandbox, _number: int) -> bool:
    return (await sandbox.run(SCRIPT, {"payload": PAYLOAD})).result == EXPECTED


def _timed(unit: Callable[[], None], seconds: int) -> Figure:
    took: list[float] = []
    cpu, end = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        unit()
        took.append(time.perf_counter() - start)
    return _figure(took, len(took), cpu=time.process_time() - cpu)


async def _one_by_one(
    step: Step,
    seconds: int,
    *,
    pause: float = 0.0,
    units: int = 1,
    before: Callable[[Sandbox], Awaitable[None]] | None = None,
) -> Figure:
    took: list[float] = []
    wrong = 0
    async with _ready() as sandbox:
        await _run(sandbox, 0)
        cpu, end = time.process_time(), time.monotonic() + seconds
        while time.monotonic() < end:
            if before is not None:
                await before(sandbox)
            await asyncio.sleep(pause)
            start = time.perf_counter()
            wrong += not await step(sandbox, len(took))
            took.append((time.perf_counter() - start) / units)
        cpu = time.process_time() - cpu
    return _figure(took, len(took) * units, seconds=sum(took) * units, cpu=cpu, wrong=wrong)


async def _all_at_once(seconds: int) -> Figure:
    took: list[float] = []
    wrong = 0

    async def work(sandbox: Sandbox, end: float) -> None:
        nonlocal wrong
        while time.monotonic() < end:
            start = time.perf_counter()
            wrong += not await _run(sandbox, 0)
            took.append(time.perf_counter() - start)

    async with _ready() as one, _ready() as other:
        start, cpu = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for sandbox in (one, other):
                for _ in range(AT_ONCE):
                    group.create_task(work(sandbox, start + seconds))
        elapsed, cpu = time.monotonic() - start, time.process_time() - cpu
    return _figure(took, len(took), seconds=elapsed, cpu=cpu, wrong=wrong)


@asynccontextmanager
async def _ready() -> AsyncGenerator[Sandbox]:
    async with Sandbox() as sandbox:
        await asyncio.sleep(10 * SETTLED)
        yield sandbox


def _figure(took: list[float], units: int, *, cpu: float, seconds: float | None = None, wrong: int = 0) -> Figure:
    parts = quantiles(took, n=100) if len(took) > 1 else [took[0]] * 99
    total = sum(took) if seconds is None else seconds
    return Figure(units, total, cpu, p50=parts[49] * 1000, p99=parts[98] * 1000, wrong=wrong)
