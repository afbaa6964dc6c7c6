"""How far a run may go: first the instance's own limits, then what its transaction still has room for."""

from typing import Protocol

from bpm.bpmn.limits import Limits
from bpm.bpmn.state import Instance
from bpm.expressions import EvaluationError

BYTES_PER_STEP = 1024
"""Writing so many bytes is as much work as an element that does nothing."""
STEPS_PER_TURN = 100
"""What each turn of a repeated activity adds to the steps of its trigger."""


class LimitExceeded(EvaluationError):
    """The instance as a whole needs more than it may have; the whole instance stops."""


class WorkBudget(Protocol):
    """What a transaction has room for, shared by all that happens in it."""

    @property
    def is_spent(self) -> bool:
        """Whether the rest is to be done in another transaction."""
        ...

    def spend(self, steps: int) -> None:
        """Count work as heavy as so many elements that do nothing."""
        ...


class StepBudget:
    """Counts the elements that a run activates; `is_stopped` when it may activate no more.

    `reason` says why, if a person has to look at it; without one the run merely pauses.
    """

    __slots__ = ("_budget", "_instance", "is_stopped", "limits", "reason", "steps_left")

    def __init__(self, instance: Instance, limits: Limits, budget: WorkBudget | None) -> None:
        self._instance = instance
        self._budget = budget
        self.limits = limits
        self.steps_left = limits.max_steps
        self.is_stopped = False
        self.reason = ""

    def refill(self) -> None:
        """Something came from outside: the instance does not run by itself alone."""
        self._instance.unattended = 0

    def take_step(self) -> bool:
        """Count an element that is about to be activated; False when it must not be."""
        if self.steps_left <= 0:
            self.halt(
                f"too many steps for one trigger, more than {self.limits.max_steps} (BPM_PROCESSES__MAX_STEPS): "
                "the process goes round in circles"
            )
        elif self._instance.unattended >= self.limits.max_unattended_steps:
            self.halt(
                f"too many steps without anything from outside, more than {self.limits.max_unattended_steps} "
                "(BPM_PROCESSES__MAX_UNATTENDED_STEPS): the process goes round in circles"
            )
        elif self.goes_on():
            self.steps_left -= 1
            self._instance.unattended += 1
            self.spend(1)
        return not self.is_stopped

    def goes_on(self) -> bool:
        """Whether the run may do more; it stops when its transaction has no room left."""
        if self._budget is not None and self._budget.is_spent:
            self.is_stopped = True
        return not self.is_stopped

    def add_turn(self) -> None:
        """Grant the steps of one more turn of a repeated activity."""
        self.steps_left += STEPS_PER_TURN

    def spend(self, steps: int) -> None:
        """Count other work of the transaction, as heavy as so many elements that do nothing."""
        if self._budget is not None:
            self._budget.spend(steps)

    def write(self, size: int) -> None:
        """Count bytes of variables that are written: each KiB is an element, also of those without anything else."""
        if size >= BYTES_PER_STEP:
            self._instance.unattended += size // BYTES_PER_STEP
            self.spend(size // BYTES_PER_STEP)

    def halt(self, reason: str) -> None:
        """Stop until a person lets the instance go on."""
        self.is_stopped, self.reason = True, reason
