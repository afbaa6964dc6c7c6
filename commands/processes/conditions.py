"""Processes that begin when a condition holds: somebody says with which variables it is asked."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bpmn.view import View as Variables
from bpm.bus import Command, Context, View, handles
from bpm.errors import Invalid
from bpm.expressions import EvaluationError
from bpm.process.runtime import NewInstance
from bpm.process.start_triggers import ProcessStarts
from commands.processes.views import Key

AT_ONCE = 100
"""Maximum number of conditions that one command evaluates."""


class UnansweredView(View):
    """A condition that could not be evaluated with these variables, and why."""

    process_key: str
    element_id: str
    reason: str
    """Why it gave no answer."""


class StartConditionsView(View):
    """The instances that were started, and the conditions that gave no answer."""

    started: list[int]
    """The ids of the instances that were started."""
    unanswered: list[UnansweredView]
    """The conditions that gave no answer."""


class EvaluateStartConditionsCommand(Command[StartConditionsView]):
    """Start every process that begins with a condition which holds for `variables`, or `processKey` alone.

    Each instance gets the variables. A condition that can't be evaluated with them begins nothing.
    """

    permission = "processes:write"
    succeeded = "Start conditions evaluated successfully"
    failed = "Evaluation failed"

    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    process_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    business_key: Annotated[Key, Field(max_length=200)] | None = None


@handles
def evaluate(
    command: EvaluateStartConditionsCommand, context: Context, process_starts: ProcessStarts
) -> StartConditionsView:
    """Ask each condition, and start what begins with one that holds."""
    conditions = process_starts.conditions(context, command.process_key, AT_ONCE + 1)
    if len(conditions) > AT_ONCE:
        raise Invalid(f"processKey: more than {AT_ONCE} conditions begin processes; name the process that is meant")
    view, shown = Variables(command.variables, context.now()), StartConditionsView(started=[], unanswered=[])
    for trigger, condition in conditions:
        try:
            holds = condition.holds(view)
        except EvaluationError as error:
            about = {"process_key": trigger.name, "element_id": trigger.element_id, "reason": f"{error!s:.500}"}
            shown.unanswered.append(UnansweredView.model_validate(about))
            continue
        started = _start(command, context, process_starts, trigger) if holds else None
        if started is not None:
            shown.started.append(started)
    return shown


def _start(
    command: EvaluateStartConditionsCommand, context: Context, starts: ProcessStarts, trigger: Any
) -> int | None:
    origin = f"{context.envelope.work_key}:{trigger.definition_id}:{trigger.element_id}"
    new = NewInstance(command.variables, command.business_key, element=trigger.element_id, origin=origin)
    standing = starts.begin(context, trigger.definition_id, new)
    return standing.instance_id if standing is not None else None
