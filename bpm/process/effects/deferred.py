"""Work that no longer fits into a transaction: a row says that it is to be done, and a worker asks for it anew."""

from typing import Any, NamedTuple

from bpm.bpmn.binding import LATEST, Binding
from bpm.bpmn.effects import CallProcess, Decide, Pause
from bpm.bpmn.state import Caller
from bpm.process.rows import WaitRow
from bpm.process.sealing import restored_wait
from bpm.process.step import Step
from bpm.security.secrets import SecretBox

CALL, DECISION, PAUSE = "calling", "decision", "pause"
"""The kinds of the rows."""
DEFERRED = frozenset({CALL, DECISION})
"""Those that an element asks for."""


class PutOff(NamedTuple):
    """The place of a row that no effect opened."""

    wait_id: int
    element_id: str


def pause(step: Step, effect: Pause) -> None:
    """Go on with the trigger later."""
    step.waits.open(step.row, effect, PAUSE)


def defer_call(step: Step, effect: CallProcess) -> None:
    """Start the process that is called later, with the variables as they are then."""
    step.waits.open(step.row, effect, CALL, name=effect.process)


def defer_decision(step: Step, effect: Decide) -> None:
    """Evaluate a decision later, with the variables as they are then."""
    step.waits.open(step.row, effect, DECISION)


def kept_effect(wait: WaitRow, box: SecretBox) -> CallProcess | Decide | None:
    """Return what the row of a wait keeps, as those did that were put off before the element itself was asked anew."""
    data = restored_wait(wait.data, box)
    if not data:
        return None
    about: dict[str, Any] = {"wait_id": wait.wait_id, "attempt": wait.attempt, "element_id": wait.element_id}
    about["binding"] = _binding_of(data)
    if wait.kind == DECISION:
        return Decide(**about, **data)
    about["caller"] = Caller(*data.pop("caller"))
    return CallProcess(**about, **data)


def _binding_of(data: dict[str, Any]) -> Binding:
    """Take the binding out of a row; rows from before there were bindings tell a version, or none for the newest."""
    version = data.pop("version", None)
    if "binding" in data:
        return Binding(*data.pop("binding"))
    return LATEST if version is None else Binding("version", str(version))
