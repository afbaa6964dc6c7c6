"""Which function carries out which effect."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bpm.bpmn import effects
from bpm.process.effects import deferred, notifications, tasks, waits
from bpm.process.step import Step

_CARRIERS: Mapping[type[Any], Callable[[Step, Any], None]] = {
    effects.SendCommand: tasks.send_command,
    effects.RunScript: tasks.run_script,
    effects.Decide: tasks.evaluate_decision,
    effects.CallProcess: tasks.call_process,
    effects.TellCalled: tasks.tell_called,
    effects.OpenTimer: waits.open_timer,
    effects.OpenMessageWait: waits.open_message,
    effects.OpenSignalWait: waits.open_signal,
    effects.OpenConditionWait: waits.open_condition,
    effects.OpenUserTask: waits.open_user_task,
    effects.OpenAdHoc: waits.open_ad_hoc,
    effects.Pause: deferred.pause,
    effects.Incident: waits.open_incident,
    effects.CloseWait: waits.close_wait,
    effects.EmitMessage: notifications.emit_message,
    effects.EmitSignal: notifications.emit_signal,
    effects.Thrown: notifications.tell_thrown,
    effects.History: notifications.record,
    effects.Completed: notifications.tell_completed,
    effects.Cancelled: notifications.tell_cancelled,
    effects.Ignored: notifications.drop,
}


def carry_out(step: Step, found: Iterable[effects.Effect]) -> None:
    """Do what the engine asks for, in its order."""
    for effect in found:
        _CARRIERS[type(effect)](step, effect)
