"""One job inside the child: compile a script, or run a compiled one and say how it ended."""

import decimal
import marshal
import resource
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from scripts.child import clock, readings
from scripts.child.finishing import finish, mark
from scripts.child.interface import Interface
from scripts.child.wire import Wire
from scripts.shared import policy
from scripts.shared.values import Outgoing, TooLargeError

MESSAGE_CHARACTERS = 2_000

RESERVE = [bytes(4 * 1024 * 1024)]
"""Address space set aside, so that a script which filled its memory can still be reported."""


class Language(NamedTuple):
    """How source becomes a code object, and the globals that code starts with."""

    compile: Callable[[str, int], dict[str, Any]]
    namespace: dict[str, Any]


def perform(job: dict[str, Any], language: Language, wire: Wire) -> bool:
    """Do one job, answer it, and tell whether it ended well and left nothing behind."""
    if job["t"] == "compile":
        wire.write({"t": "compiled", **language.compile(job["source"], job["depth"])})
        return True
    clock.reset(job["now"], job["seed"])
    decimal.setcontext(decimal.Context())
    readings.forget()
    interface = Interface(job.pop("inputs"), job["limits"], wire)
    scope = {**language.namespace, **interface.names()}
    token = mark(scope)
    try:
        outcome = _run(job["code"], scope, interface, job["limits"])
        interface.revoke()
        del scope
        clean = finish(token)
        wire.write({**outcome, "peak": _peak(), "clean": clean})
    except BaseException as error:
        RESERVE.clear()
        interface.revoke()
        wire.write(_failure(error))
        return False
    return clean


def _run(code: bytes, scope: dict[str, Any], interface: Interface, limits: dict[str, Any]) -> dict[str, Any]:
    exec(marshal.loads(code), scope)  # noqa: S102, S302  (defines the function that holds the script)
    value = scope.pop("_script_")()
    outgoing = Outgoing(limits["result_bytes"], limits["result_values"])
    returned = scope.get("result") if value is None else value
    variables = scope.get("variables")
    if not isinstance(variables, dict):
        raise TypeError("variables must be a dictionary when the script ends")
    return {
        "t": "result",
        "result": outgoing.convert(returned, "result"),
        "reply": outgoing.convert(interface.take_answer(), "reply"),
        "variables": outgoing.convert(variables, "variables"),
    }


def _peak() -> int:
    """Return the most memory this process has occupied so far, as the kernel counts it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _failure(error: BaseException) -> dict[str, Any]:
    line, column = _position(error.__traceback__)
    reason = "error"
    if isinstance(error, MemoryError) or _hides_memory_error(error):
        reason = "memory"
    elif isinstance(error, TooLargeError):
        reason = "output"
    return {"t": "failed", "reason": reason, "message": _message(error), "line": line, "column": column}


def _hides_memory_error(error: BaseException) -> bool:
    """Tell whether C code ran out of memory and forgot to say so, as `collections.deque` does."""
    return isinstance(error, SystemError) and "without setting an exception" in str(error)


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        text = ""
    kind = type(error).__name__
    message = f"{kind}: {text}" if text else kind
    return message[:MESSAGE_CHARACTERS].encode("utf-8", "replace").decode()


def _position(traceback: TracebackType | None) -> tuple[int | None, int | None]:
    """Return line and byte column of the script's innermost frame, both from 1."""
    line = column = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == policy.FILENAME:
            line = traceback.tb_lineno
            offsets = list(code.co_positions())[traceback.tb_lasti // 2]
            column = None if offsets[2] is None else offsets[2] + 1
        traceback = traceback.tb_next
    return line, column
