"""What others are waited for with: timers, messages, signals, conditions, people; and incidents."""

from bpm.bpmn.effects import (
    CloseWait,
    Incident,
    OpenAdHoc,
    OpenConditionWait,
    OpenMessageWait,
    OpenSignalWait,
    OpenTimer,
    OpenUserTask,
)
from bpm.process import task_tables
from bpm.process.bindings import bound_form
from bpm.process.effects.notifications import publish
from bpm.process.step import Step


def open_timer(step: Step, effect: OpenTimer) -> None:
    """Ask to be woken."""
    step.waits.open(step.row, effect, "timer", due=effect.due)


def open_message(step: Step, effect: OpenMessageWait) -> None:
    """Wait for a message, which may have come already."""
    step.waits.open(step.row, effect, "message", name=effect.name, key=effect.key)
    step.unit.find_early(step, effect)


def open_signal(step: Step, effect: OpenSignalWait) -> None:
    """Listen for a signal."""
    step.waits.open(step.row, effect, "signal", name=effect.name)


def open_condition(step: Step, effect: OpenConditionWait) -> None:
    """Show that a condition is watched; the engine does it."""
    step.waits.open(step.row, effect, "condition")


def open_user_task(step: Step, effect: OpenUserTask) -> None:
    """Offer a task to people."""
    data = {
        "formKey": effect.form_key,
        "assignee": effect.assignee,
        "candidateUsers": list(effect.candidate_users),
        "candidateGroups": list(effect.candidate_groups),
        "priority": effect.priority,
        "variables": dict(effect.variables) if effect.variables is not None else None,
        "schema": effect.schema,
        "formDefinitionId": _form_of(step, effect),
    }
    step.waits.open(step.row, effect, "user", data, due=effect.due, name=effect.name)
    offered = [("user", name) for name in effect.candidate_users]
    offered += [("group", name) for name in effect.candidate_groups]
    offered += [("assignee", effect.assignee)] if effect.assignee else []
    if offered:
        task_tables.insert_candidates(step.context.tx, step.row.id, effect.wait_id, offered)


def _form_of(step: Step, effect: OpenUserTask) -> int | None:
    """The version of the form that the task shows; none if it names none, or one that was never deployed."""
    if effect.form is None:
        return None
    form = bound_form(step.context.session, *effect.form, step.row.definition_id)
    return None if form is None else form.id


def open_ad_hoc(step: Step, effect: OpenAdHoc) -> None:
    """Wait for somebody to choose what is done."""
    step.waits.open(step.row, effect, "adHoc", {"activities": list(effect.activities)}, name=effect.name)


def open_incident(step: Step, effect: Incident) -> None:
    """Keep what somebody has to look at, and tell."""
    step.waits.open(step.row, effect, "incident", {"message": effect.message, "code": effect.code})
    publish(step, "process.incident", {"elementId": effect.element_id, "message": effect.message})


def close_wait(step: Step, effect: CloseWait) -> None:
    """Forget a wait, and what it was for."""
    step.waits.close(step.row, effect.wait_id, is_offered=effect.kind == "user")
    if effect.kind == "call" and effect.reason == "cancelled":
        step.cancelled_calls.append(effect.wait_id)
