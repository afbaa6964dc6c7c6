"""Step budgets: how much work may be done on data from outside before it is refused.

A step is about the work of one operator on small values, half a microsecond. Steps are counted, not seconds: the
same data is refused on every machine, however busy it is.

    metered(limit)     one evaluation: charges its steps to the budget it runs in as well
    steps_left()       whether another evaluation fits into the budget around
    budget(limit)      everything that is evaluated while one message or request is handled
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn, Self

from bpm.errors import TooCostly

MAX_STEPS = 75_000
"""Steps of one expression, template, decision or schema check."""
MAX_REQUEST_STEPS = 200_000
"""Steps of everything that is evaluated to make one request a message, and its answer."""
MAX_MESSAGE_STEPS = 1_000_000
"""Steps of everything that is evaluated while one message is handled, with all messages that it sends."""


class OverBudget(TooCostly, ValueError):
    """The work takes more steps than its budget has."""


class Meter:
    """Counts steps against a limit; raises `OverBudget` (or `refusal`) when they are used up.

    As a context manager it charges what was used to the budget around it, also when the work failed. `depth` counts
    the calls that are open, which whoever makes calls bounds.
    """

    __slots__ = ("depth", "left", "limit", "outer", "refusal", "work")

    def __init__(
        self,
        limit: int = MAX_STEPS,
        outer: "Meter | None" = None,
        refusal: type[OverBudget] = OverBudget,
        work: str = "the expressions",
    ) -> None:
        self.limit = limit
        self.outer = outer
        self.refusal = refusal
        self.work = work
        self.depth = 0
        self.left = limit if outer is None else min(limit, outer.left)

    def charge(self, steps: int) -> None:
        """Count so many steps; raises when there are not as many left."""
        self.left -= steps
        if self.left < 0:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raise the error that names the limit which was hit."""
        if self.outer is not None and self.outer.left < self.limit:
            raise self.refusal(
                f"{self.work} of one request or message take more than {self.outer.limit} steps in all; use smaller "
                "data, fewer expressions or a script"
            )
        raise self.refusal(
            f"{self.work} take more than {self.limit} steps with this data; use smaller data or a script"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.outer is not None:
            used = min(self.limit, self.outer.left) - max(self.left, 0)
            self.outer.left -= used


_budget: ContextVar[Meter | None] = ContextVar("budget", default=None)


def metered(limit: int = MAX_STEPS, refusal: type[OverBudget] = OverBudget, work: str = "the expressions") -> Meter:
    """Return the meter of one evaluation, bounded by what is left of the budget around it."""
    return Meter(limit, _budget.get(), refusal, work)


def charge(steps: int) -> None:
    """Count work that no expression does against the budget around it, if there is one; raises `OverBudget`."""
    meter = _budget.get()
    if meter is not None:
        meter.charge(steps)


def steps_left() -> int:
    """Return how many steps the budget around has left; without one, as many as an evaluation may take."""
    outer = _budget.get()
    return MAX_STEPS if outer is None else outer.left


@contextmanager
def budget(limit: int) -> Generator[Meter]:
    """Bound the evaluations inside together; inside another budget that one counts."""
    outer = _budget.get()
    if outer is not None:
        yield outer
        return
    meter = Meter(limit)
    token = _budget.set(meter)
    try:
        yield meter
    finally:
        _budget.reset(token)
