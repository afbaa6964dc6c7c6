"""Medians and ratios of a run: a table for people, JSON for later comparisons."""

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.benchmark import Benchmark, Figure

HEADINGS = ("per s", "x echo", "x hand", "CPU us", "p50 ms", "p99 ms", "failures", "goal")


@dataclass
class Row:
    """A benchmark with the figures of its rounds so far, and the reason why there are no more."""

    benchmark: Benchmark
    figures: list[Figure] = field(default_factory=list[Figure])
    error: str = ""

    @property
    def failures(self) -> int:
        """How many units of all rounds did not end as they should."""
        return sum(figure.failures for figure in self.figures)

    def median(self, of: Callable[[Figure], float | None]) -> float | None:
        """The median over the rounds of one number of their figures."""
        numbers = [number for figure in self.figures if (number := of(figure)) is not None]
        return statistics.median(numbers) if numbers else None


Rows = Mapping[str, Row]


def ratio(rows: Rows, name: str, other: str) -> float | None:
    """The median of the rounds' ratios: rates of one round were measured close together."""
    if other not in rows:
        return None
    pairs = zip(rows[name].figures, rows[other].figures, strict=False)
    ratios = [mine.rate / its.rate for mine, its in pairs if its.rate]
    return statistics.median(ratios) if ratios else None


def show(rows: Rows, console: Console) -> None:
    """Print a line for each benchmark, then one for everything that went wrong."""
    table = Table(
        title="Medians of the rounds; x echo, x hand: against the Starlette echo, the hand-rolled endpoint",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("benchmark", no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for name in rows:
        table.add_row(*_cells(rows, name))
    console.print(table)
    for name, row in rows.items():
        sample = next((figure.sample for figure in row.figures if figure.sample), "")
        if row.error or sample:
            console.print(f"{name}: {row.error or sample}", style="red", markup=False)


def _cells(rows: Rows, name: str) -> list[str]:
    row = rows[name]
    return [
        row.benchmark.title,
        _number(row.median(lambda figure: figure.rate), ",.0f"),
        _number(ratio(rows, name, "echo"), ".2f"),
        _number(ratio(rows, name, "hand-rolled"), ".1f"),
        _number(row.median(lambda figure: figure.cost), ",.0f"),
        _number(row.median(lambda figure: figure.p50), ".2f"),
        _number(row.median(lambda figure: figure.p99), ".2f"),
        f"[red]{row.failures:,}" if row.failures else "0",
        _goal(rows, name),
    ]


def _goal(rows: Rows, name: str) -> str:
    benchmark = rows[name].benchmark
    reached = ratio(rows, name, benchmark.against)
    if benchmark.goal is None or reached is None:
        return ""
    colour = "green" if reached >= benchmark.goal else "yellow"
    other = "" if benchmark.against == "echo" else f" {benchmark.against}"
    return f"[{colour}]{reached:.2f} of {benchmark.goal}{other}"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def write(rows: Rows, plan: Mapping[str, int], folder: Path) -> Path:
    """Write the run as JSON and return the file."""
    now = datetime.now(UTC)
    benchmarks = {name: _record(rows, name) for name in rows}
    document = {"time": now.isoformat(), "machine": machine(), "plan": plan, "benchmarks": benchmarks}
    file = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps(document, indent=2) + "\n")
    return file


def _record(rows: Rows, name: str) -> dict[str, object]:
    row = rows[name]
    return {
        "title": row.benchmark.title,
        "rate": row.median(lambda figure: figure.rate),
        "ratios": {other: ratio(rows, name, other) for other in ("echo", "hand-rolled", row.benchmark.against)},
        "goal": row.benchmark.goal,
        "against": row.benchmark.against,
        "error": row.error,
        "rounds": [asdict(figure) for figure in row.figures],
    }


def machine() -> dict[str, object]:
    """What the figures depend on besides our code; `load` is the run queue's average over the last minute."""
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return {**versions, "system": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
