"""Which function carries out which effect."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bpm.process import effects
from bpm.process.step import Step

from . import deferred, news, waits, work

_CARRIERS: Mapping[type[Any], Callable[[Step, Any], None]] = {
    effects.SendCommand: work.send_command,
    effects.RunScript: work.run_script,
    effects.Decide: work.evaluate_decision,
    effects.CallProcess: work.call_process,
    effects.OpenTimer: waits.open_timer,
    effects.OpenMessageWait: waits.open_message,
    effects.OpenSignalWait: waits.open_signal,
    effects.OpenConditionWait: waits.open_condition,
    effects.OpenUserTask: waits.open_user_task,
    effects.Pause: deferred.pause,
    effects.Incident: waits.open_incident,
    effects.CloseWait: waits.close_wait,
    effects.EmitMessage: news.emit_message,
    effects.EmitSignal: news.emit_signal,
    effects.Thrown: news.tell_thrown,
    effects.History: news.record,
    effects.Completed: news.tell_completed,
    effects.Cancelled: news.tell_cancelled,
    effects.Ignored: news.drop,
}


def carry_out(step: Step, found: Iterable[effects.Effect]) -> None:
    """Do what the engine asks for, in its order."""
    for effect in found:
        _CARRIERS[type(effect)](step, effect)
