"""Whether what comes to an instance brings values that its model does not name."""

from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.elements.node import Node
from bpm.bpmn.state import Instance, Wait
from bpm.bpmn.triggers import (
    ActivateActivities,
    CompleteUserTask,
    MessageArrived,
    MoveTokens,
    Retry,
    SetVariables,
    SignalArrived,
    Skip,
    Stop,
    Trigger,
)


def is_undeclared(process: CompiledProcess, instance: Instance, trigger: Trigger) -> bool:
    """Tell whether whoever sent a trigger chooses, beside the model, what the instance does next.

    Nothing in a model says which variables may be set or tokens moved by hand. What a form, a message or a signal
    brings is the model's where a mapping, a result variable or the form's schema names it.
    """
    match trigger:
        case SetVariables() | MoveTokens() | Skip():
            return True
        case Retry(variables=variables) | ActivateActivities(variables=variables):
            return bool(variables)
        case (
            CompleteUserTask(wait_id, brought)
            | MessageArrived(wait_id, brought)
            | SignalArrived(wait_id, brought)
            | Stop(wait_id=wait_id, payload=brought)
        ):
            wait = instance.waits.get(wait_id)
            return wait is not None and bool(_answered(process, instance, wait).undeclared(brought))
        case _:
            return False


def _answered(process: CompiledProcess, instance: Instance, wait: Wait) -> Node:
    """The node that answers a wait; see `Run.answerer`."""
    resting = instance.tokens.get(wait.token)
    node = process.nodes[resting.element if resting else wait.element]
    return node if node.id == wait.element else process.nodes[wait.element]
