"""Work that no longer fits into a transaction: kept in the row of its wait, and done by a worker."""

from typing import Any, NamedTuple

from bpm.bpmn.binding import LATEST, Binding
from bpm.bpmn.effects import CallProcess, Decide, Pause
from bpm.bpmn.state import Caller
from bpm.process.step import Step
from bpm.process.stored import restored_wait
from bpm.security.secrets import SecretBox

CALL, DECISION, PAUSE = "calling", "decision", "pause"
"""The kinds of the rows."""
DEFERRED = frozenset({CALL, DECISION})
"""Those that keep an effect."""


class PutOff(NamedTuple):
    """The place of a row that no effect opened."""

    wait_id: int
    element_id: str


def pause(step: Step, effect: Pause) -> None:
    """Go on with the trigger later."""
    step.waits.open(step.row, effect, PAUSE)


def defer_call(step: Step, effect: CallProcess) -> None:
    """Start the process that is called later."""
    data = {
        "process": effect.process,
        "binding": list(effect.binding),
        "variables": dict(effect.variables),
        "business_key": effect.business_key,
        "caller": list(effect.caller),
        "inherits_key": effect.inherits_key,
    }
    step.waits.open(step.row, effect, CALL, data, name=effect.process)


def defer_decision(step: Step, effect: Decide) -> None:
    """Evaluate a decision later."""
    data: dict[str, Any] = {"decision": effect.decision, "shape": effect.shape, "variables": dict(effect.variables)}
    data["binding"] = list(effect.binding)
    step.waits.open(step.row, effect, DECISION, data)


def deferred_effect(wait: Any, box: SecretBox) -> CallProcess | Decide:
    """Return what was put off, from the row of its wait."""
    data = restored_wait(wait.data, box)
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
