"""From the way a child ended to a failure with a reason, a place and words that say what to change."""

import os
import re
import signal

from scripts.server.remote_child import Exit
from scripts.shared.limits import KIB, MIB, Limits
from scripts.shared.outcome import Failure, Reason
from scripts.shared.policy import FILENAME
from scripts.shared.positions import lines_of

TRACE_LINE = re.compile(rf'File "{re.escape(FILENAME)}", line (\d{{1,9}})')

REASONS: dict[str, Reason] = {"SIGPROF": "cpu", "SIGXCPU": "cpu", "SIGSYS": "filter"}
"""What killed a child, by the name of the signal; every other signal is a crash."""


def diagnose_exit(ended: Exit, stopped_for: str | None, limits: Limits, source: str, *, timed: bool) -> Failure:
    """Return the failure of a child that ended without a result; `timed`: it had a CPU timer of its own."""
    line, column = _place(ended.trace, source)
    if stopped_for == "answer":
        words = f"A command sent by the script was not answered within {limits.answer_seconds:g} s (answer_seconds)."
        return Failure("wall", words, line, column)
    if stopped_for == "protocol":
        return Failure("crashed", "The script's process sent something that is not a message.", line, column)
    reason = _reason(ended, stopped_for, limits)
    if reason == "crashed" and timed and ended.cpu_seconds >= limits.cpu_seconds:
        # The timer's signal came at a moment at which the interpreter cannot tell where it is (seen on 3.13).
        reason = "cpu"
    return Failure(reason, _words(reason, ended, limits), line, column)


def limit_words(reason: Reason, limits: Limits) -> str:
    """Return the sentence for a limit that was reached, naming the limit and what to do."""
    return {
        "cpu": f"The script used its {limits.cpu_seconds:g} s of processor time: do less, or leave it to a command.",
        "wall": f"The script ran for more than {limits.wall_seconds:g} s: do less, or leave it to a command.",
        "memory": (f"The script needed more than its {limits.memory_bytes // MIB} MiB of memory: keep less at once."),
        "output": (
            f"Result, reply and variables take more than {limits.result_bytes // KIB} KiB or hold more than "
            f"{limits.result_values} values: return less."
        ),
    }[reason]


def _reason(ended: Exit, stopped_for: str | None, limits: Limits) -> Reason:
    if stopped_for == "cpu":
        return "cpu"
    if stopped_for == "wall":
        return "wall"
    name = _signal_name(ended)
    if name == "SIGKILL" and stopped_for is None:
        # Not our order: the kernel's CPU cap, or the kernel short of memory.
        return "cpu" if ended.cpu_seconds >= limits.cpu_seconds else "memory"
    return REASONS.get(name, "crashed")


def _signal_name(ended: Exit) -> str:
    """Return the name of the signal a child died of, "" when it ended otherwise."""
    if ended.status <= 0 or not os.WIFSIGNALED(ended.status):
        return ""
    try:
        return signal.Signals(os.WTERMSIG(ended.status)).name
    except ValueError:
        return f"signal {os.WTERMSIG(ended.status)}"


def _words(reason: Reason, ended: Exit, limits: Limits) -> str:
    if reason == "filter":
        return "The script made a system call that is not allowed."
    if reason != "crashed":
        return limit_words(reason, limits)
    if ended.lost:
        return "The sandbox was restarted while the script ran: run it again."
    name = _signal_name(ended)
    if name:
        return f"The script's process died of {name}: it may nest or recurse too deeply for the interpreter."
    return "The script's process ended without a result."


def _place(trace: str, source: str) -> tuple[int | None, int | None]:
    """Return the line of the innermost frame of the script, and the column its statement begins at."""
    found = TRACE_LINE.search(trace)
    lines = lines_of(source)
    if found is None or not 1 <= int(found[1]) <= len(lines):
        return None, None
    text = lines[int(found[1]) - 1]
    return int(found[1]), len(text) - len(text.lstrip()) + 1
