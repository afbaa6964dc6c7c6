"""What machines do: commands and decisions at once, scripts and effects by a worker, other processes beside."""

from bpm.bpmn.effects import CallProcess, Decide, RunScript, SendCommand, TellCalled
from bpm.bpmn.json_size import json_size
from bpm.bpmn.triggers import CompleteTask, FailTask
from bpm.dmn import DecisionFailed, decide
from bpm.errors import PUTS_OFF, BpmError, Exhausted, NotFound
from bpm.process import instance_tables
from bpm.process.effects.deferred import defer_call, defer_decision
from bpm.process.effects.fields import fields_of
from bpm.process.step import Step


def send_command(step: Step, effect: SendCommand) -> None:
    """Run a transactional command now; leave an effect to a worker."""
    try:
        registration = step.unit.registry.find(effect.command)
    except NotFound as error:
        _answer(step, FailTask(effect.wait_id, effect.attempt, "; ".join(error.errors)))
        return
    fields = dict(effect.parameters) if effect.is_mapped else fields_of(registration, effect.parameters)
    if registration.kind == "effect" or step.unit.budget.is_late:
        data = {"command": effect.command, "fields": fields, "retries": effect.retries}
        step.waits.open(step.row, effect, "command", data)
        return
    step.insert()
    step.waits.forget_closed()
    try:
        result = step.context.call(effect.command, fields, step.starter())
    except PUTS_OFF:
        raise
    except BpmError as error:
        _answer(step, FailTask(effect.wait_id, effect.attempt, "; ".join(error.errors), type(error).__name__))
    else:
        _answer(step, CompleteTask(effect.wait_id, effect.attempt, result))


def run_script(step: Step, effect: RunScript) -> None:
    """Leave a script to a worker, with a copy of the variables that it is given."""
    variables = dict(effect.variables)
    try:
        step.context.causes.count_size(step.context.envelope, json_size(variables))
    except Exhausted as error:
        _answer(step, FailTask(effect.wait_id, effect.attempt, str(error), "Exhausted"))
        return
    step.waits.open(step.row, effect, "script", {"source": effect.source, "variables": variables})


def evaluate_decision(step: Step, effect: Decide) -> None:
    """Evaluate a decision now, or leave it to a worker."""
    if step.unit.budget.is_late and effect.wait_id != step.due_now:
        defer_decision(step, effect)
        return
    try:
        written = step.unit.deployed.decision(step.context, effect.decision, effect.binding, step.row.definition_id)
        step.answer_for(written.authors)
        result = decide(written.decision, effect.variables, step.context.now(), effect.shape)
    except (DecisionFailed, BpmError) as error:
        message = f"{effect.decision}: {error}"
        _answer(step, FailTask(effect.wait_id, effect.attempt, message, type(error).__name__))
    else:
        _answer(step, CompleteTask(effect.wait_id, effect.attempt, result))


def call_process(step: Step, effect: CallProcess) -> None:
    """Start the process that is called now, or leave it to a worker."""
    if step.unit.budget.has_no_room and effect.wait_id != step.due_now:
        defer_call(step, effect)
        return
    step.waits.open(step.row, effect, "call", name=effect.process)
    step.unit.call(step, effect)


def tell_called(step: Step, effect: TellCalled) -> None:
    """Tell the called instance, if it runs, what is caught around it now."""
    for instance_id in instance_tables.called_by(step.context.tx, step.row.id, [effect.wait_id], 1):
        step.unit.tell_called(instance_id, effect.caller)


def _answer(step: Step, trigger: CompleteTask | FailTask) -> None:
    """Answer a wait within the transaction."""
    step.waits.pass_over(step.row, trigger.wait_id)
    step.follow(trigger)
