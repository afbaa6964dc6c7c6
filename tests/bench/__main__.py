"""Run from the project's root as `python -m tests.bench [NAME...]`."""

import logging
import os
import signal
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console

from tests.bench import load, report, writes
from tests.bench.benchmark import Figure, Measure
from tests.bench.catalogue import BENCHMARKS
from tests.bench.report import Row
from tests.bench.stage import RESULTS, Stage

WARM_UP_SECONDS = 1
console = Console(width=max(120, Console().width))


def known(names: list[str] | None) -> list[str]:
    """The names asked for, or all, in the catalogue's order and with those they are compared with."""
    unknown = set(names or ()) - set(BENCHMARKS)
    if unknown:
        raise typer.BadParameter(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    wanted = set(names or (name for name, benchmark in BENCHMARKS.items() if not benchmark.optional))
    wanted |= {BENCHMARKS[name].against for name in wanted}
    return [name for name in BENCHMARKS if name in wanted]


def prepared(row: Row, stage: Stage) -> Measure | None:
    """Start what the benchmark needs and warm it up; None, with the row's error set, if it does not work."""
    console.print(f"preparing {row.benchmark.name}", style="dim")
    try:
        measure = row.benchmark.prepare(stage)
        measure(WARM_UP_SECONDS)
    except Exception as error:  # whatever it is, it must not cost the other benchmarks their figures
        row.error = repr(error)
        return None
    return measure


def run_round(row: Row, measure: Measure, seconds: int) -> None:
    """Add a figure to the row, or say why there is none."""
    try:
        figure: Figure = measure(seconds)
    except Exception as error:
        row.error = repr(error)
        return
    row.figures.append(figure)
    console.print(f"  {row.benchmark.name}: {figure.rate:,.0f}/s, {figure.cost:,.0f} us", style="dim")


def end(_signal: int, _frame: object) -> None:
    """Leave by an exception, so that the servers started are stopped on the way out."""
    sys.exit(143)


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(BENCHMARKS)}")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the table gives their medians")] = 3,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of load a round")] = 3,
    connections: Annotated[int, typer.Option(min=1, help="Connections of the load generator")] = 32,
) -> None:
    """Measure requests a second beside the limits of this machine, and write the figures as JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = {name: Row(BENCHMARKS[name]) for name in known(names)}
    if "echo" in rows and not load.is_installed():
        raise typer.BadParameter(load.INSTALL)
    if os.getloadavg()[0] > 0.5:
        console.print("Other work runs on this machine: the figures will be rough.", style="yellow")
    with Stage(connections) as stage:
        measures = {name: prepared(row, stage) for name, row in rows.items()}
        for number in range(1, rounds + 1):
            console.print(f"round {number} of {rounds}", style="dim")
            for name, measure in measures.items():
                if measure and not rows[name].error:
                    run_round(rows[name], measure, seconds)
    report.show(rows, console)
    if not names:
        writes.show(console)
    plan = {"rounds": rounds, "seconds": seconds, "connections": connections}
    console.print(f"written: {report.write(rows, plan, RESULTS)}", style="dim")
    if any(row.error or row.failures for row in rows.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    typer.run(main)
