"""What others are told: messages and signals, the calling instance, the history, and published events."""

from typing import Any

import structlog

from bpm.bpmn.effects import Cancelled, Completed, EmitMessage, EmitSignal, History, Ignored, Thrown
from bpm.bpmn.json_size import json_size
from bpm.bpmn.run.step_budget import BYTES_PER_STEP
from bpm.bpmn.triggers import CompleteTask, Escalated, FailTask
from bpm.bus.own_events import PUBLISH
from bpm.errors import Exhausted
from bpm.process import start_tables
from bpm.process.actors import engine_of
from bpm.process.broadcasts import signal_messages
from bpm.process.effects.fields import fields_of
from bpm.process.rows import HistoryEntry
from bpm.process.step import Step
from bpm.security.permissions import PUBLISH_OWN, stored_authority
from bpm.security.redaction import without_credentials

log = structlog.get_logger("bpm.process")

THROWN_SECONDS = 3600
"""How long a message that an instance throws waits for somebody to wait for it."""


def emit_message(step: Step, effect: EmitMessage) -> None:
    """Send a message to whoever waits for it, now or within its time to live."""
    fields: dict[str, Any] = {"messageName": effect.name, "correlationKey": effect.key}
    fields |= {"variables": dict(effect.payload), "timeToLiveSeconds": THROWN_SECONDS}
    step.context.later("CorrelateMessageCommand", fields, principal=step.starter())


def emit_signal(step: Step, effect: EmitSignal) -> None:
    """Send a signal to whoever listens at this moment: what comes to listen later in the same step does not hear it."""
    for fields in signal_messages(effect.name, effect.payload, step.unit.listeners(effect.name), begins=True):
        step.context.later("BroadcastSignalCommand", fields, principal=step.starter())


def tell_thrown(step: Step, effect: Thrown) -> None:
    """Hand an error or escalation to the calling instance."""
    wait, attempt = _call_of(step)
    if effect.kind == "error":
        _answer_caller(step, FailTask(wait, attempt, effect.message, effect.code, effect.variables))
    else:
        _answer_caller(step, Escalated(wait, effect.code, effect.variables))


def record(step: Step, effect: History) -> None:
    """Note a line of history, which is written with the instance."""
    values = without_credentials(_taken(step, effect) if effect.command else effect.values)
    step.history.append(
        HistoryEntry(effect.element_id, effect.event, effect.when, effect.token, values, list(effect.flows))
    )


def _taken(step: Step, effect: History) -> dict[str, Any]:
    """What a command takes of all variables, which counts as written."""
    if not step.unit.registry.knows(effect.command):
        return {}
    values = fields_of(step.unit.registry.find(effect.command), effect.values)
    step.unit.budget.spend(json_size(values) // BYTES_PER_STEP)
    return values


def tell_completed(step: Step, effect: Completed) -> None:
    """Tell that the instance has ended; its variables are the answer to a call."""
    wait, attempt = _call_of(step)
    _answer_caller(step, CompleteTask(wait, attempt, effect.variables))
    publish(step, "process.completed", {})


def tell_cancelled(step: Step, effect: Cancelled) -> None:
    """Tell that the instance was cancelled."""
    wait, attempt = _call_of(step)
    _answer_caller(step, FailTask(wait, attempt, "the called instance was cancelled", "Cancelled"))
    publish(step, "process.cancelled", {"reason": effect.reason})


def drop(_step: Step, _effect: Ignored) -> None:
    """Drop an answer of our own that is not waited for any more: the instance ended meanwhile."""


def _call_of(step: Step) -> tuple[int, int]:
    """Return the wait and the attempt that the instance answers; zeros where nobody called it, and nobody is told."""
    return step.row.parent_wait or 0, step.row.parent_attempt or 0


def _answer_caller(step: Step, trigger: CompleteTask | FailTask | Escalated) -> None:
    """Answer the instance that called this one, if one did; it goes on for everybody who had a hand in the answer."""
    if step.row.parent_id is not None:
        people = step.starter().standing
        if not stored_authority(step.row.authority, step.row.starter_id, step.row.permissions).covers(people):
            step.unit.answer_for(step.row.parent_id, people)
        step.unit.follow(step.row.parent_id, trigger)


def publish(step: Step, event: str, data: dict[str, Any]) -> None:
    """Publish an event about the instance."""
    if not step.unit.registry.knows(PUBLISH):
        return
    if start_tables.triggered_by(step.context.tx, step.row.organization_id, "event", event):
        step.insert()  # what begins by the event has to find this instance
    step.waits.forget_closed()
    about = {"instanceId": step.row.id, "processKey": step.row.process_key, "businessKey": step.row.business_key}
    try:
        step.context.publish(event, {**about, **data}, engine_of(step.row.organization_id, PUBLISH_OWN), depth=0)
    except Exhausted as error:  # it would begin something, at the end of a chain that ends here
        log.warning("an event was not published", event_name=event, instance_id=step.row.id, error=str(error))
