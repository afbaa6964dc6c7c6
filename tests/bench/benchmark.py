"""What a benchmark is, and the figure that each of its rounds gives."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.stage import Stage


@dataclass(frozen=True)
class Figure:
    """One round: units done right, in seconds, at CPU seconds of the server.

    `p50` and `p99` are milliseconds (None where nothing is answered). `refused` counts answers that are not
    2xx, `wrong` 2xx without the expected text, `broken` socket errors and time-outs, `lost` units accepted
    but not done; `sample` is one of the bad answers.
    """

    units: int
    seconds: float
    cpu: float
    p50: float | None = None
    p99: float | None = None
    refused: int = 0
    wrong: int = 0
    broken: int = 0
    lost: int = 0
    sample: str = ""

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.units / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds of CPU per unit."""
        return self.cpu * 1e6 / max(self.units, 1)

    @property
    def failures(self) -> int:
        """How many units did not end as they should."""
        return self.refused + self.wrong + self.broken + self.lost


Measure = Callable[[int], Figure]
"""Runs one round of so many seconds."""


@dataclass(frozen=True)
class Benchmark:
    """A named measurement: `prepare` starts what it needs on the stage and returns the round to run.

    `goal` is the share of the rate of the benchmark named `against` that is to be reached. One that is
    `optional` is run only when it is named.
    """

    name: str
    title: str
    prepare: Callable[[Stage], Measure]
    goal: float | None = None
    against: str = "echo"
    optional: bool = False
