"""What one transaction has room for; what does not fit is done by a worker in a transaction of its own.

The writer serves everybody: a piece of work that would hold it for longer than this is cut.
"""

import time

STEPS = 2_000
"""How much work, counted in elements that do nothing, is done in one transaction."""
SECONDS = 0.1
"""How much time of the processor it may take, whatever it was counted as."""
CLOCKED_STEPS = 8
"""The clock is looked at once in so many steps."""
STEPS_OF_INSTANCE = 20
"""What opening or starting another instance weighs."""


class TransactionBudget:
    """Counts what is done in one transaction; see `run.step_budget.WorkBudget`."""

    def __init__(self, steps: int = STEPS, seconds: float = SECONDS) -> None:
        """Begin with all of it; the time begins with the first work, not with reading what is worked on."""
        self._left = steps
        self._seconds = seconds
        self._deadline: float | None = None
        self._look_at = steps

    @property
    def is_spent(self) -> bool:
        """Whether the rest is to be done in another transaction."""
        return self._left <= 0

    @property
    def is_late(self) -> bool:
        """Whether its time is over: what the engine has asked for already is put off only then."""
        return self._deadline is not None and time.thread_time() > self._deadline

    @property
    def has_no_room(self) -> bool:
        """Whether another instance had better begin in another transaction: here it would have to pause at once."""
        return self.is_spent or self.is_late

    def spend(self, steps: int) -> None:
        """Count work as heavy as so many elements that do nothing."""
        self._left -= steps
        if self._left <= self._look_at:  # asking the clock takes a fifth of what an element takes
            self._look_at = self._left - CLOCKED_STEPS
            now = time.thread_time()
            if self._deadline is None:
                self._deadline = now + self._seconds
            elif now > self._deadline:
                self._left = 0
