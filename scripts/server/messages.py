"""What a child may say, and the form that each message must have: all of it is validated."""

from collections.abc import Callable
from typing import Any, cast

from scripts.shared.frames import MalformedFrameError, unpack
from scripts.shared.headers import problem_with
from scripts.shared.limits import KIB, Limits
from scripts.shared.outcome import Problem
from scripts.shared.values import verify

Message = dict[str, Any]

COMPILING = frozenset({"compiled"})
RUNNING = frozenset({"log", "send", "result", "failed"})
"""Kinds of messages a child may send during each kind of job."""

FRAME_ROOM = 64 * KIB
"""What a frame may hold besides the value its limit is about."""

FAILURE_ROOM = 16 * KIB

COMPILED_ROOM = 8
"""A compiled script with its warnings takes at most this many times the room of its source."""

COMMAND_CHARACTERS = 200
"""Length of the name of a command."""


def rooms(kinds: frozenset[str], limits: Limits) -> dict[str, int]:
    """Return how many bytes a message of each kind may take."""
    room = {
        "log": limits.log_bytes + KIB,
        "send": limits.result_bytes + FRAME_ROOM,
        "result": limits.result_bytes + FRAME_ROOM,
        "failed": FAILURE_ROOM,
        "compiled": max(limits.result_bytes, COMPILED_ROOM * limits.source_bytes) + FRAME_ROOM,
    }
    return {kind: room[kind] for kind in kinds}


def understood(kind: str, body: bytes, limits: Limits) -> Message:
    """Return the message in a body that begins with its kind; raises MalformedFrameError when it is none."""
    message = unpack(body, most=limits.result_values)
    try:
        fits = message["t"] == kind and FORMS[kind](message, limits)
    except ValueError as error:
        raise MalformedFrameError(str(error)) from error
    if not fits:
        raise MalformedFrameError(f"a message of kind {kind} in a form that none has")
    return message


def _log(said: Message, _limits: Limits) -> bool:
    return isinstance(said.get("text"), str)


def _send(said: Message, limits: Limits) -> bool:
    command, args = said.get("command"), said.get("args")
    named = isinstance(command, str) and len(command) <= COMMAND_CHARACTERS
    if not named or not isinstance(args, dict) or type(said.get("at_end", False)) is not bool:
        return False
    verify(args, limits.result_values + 1)
    return True


def _result(said: Message, limits: Limits) -> bool:
    given = [said.get(name) for name in ("result", "reply", "variables")]
    if not isinstance(given[2], dict) or type(said.get("clean", False)) is not bool:
        return False
    verify(given, limits.result_values + 1)
    return _is_count(said.get("peak")) and _is_reply(given[1])


def _failed(said: Message, _limits: Limits) -> bool:
    places = [said.get("line"), said.get("column")]
    known = said.get("reason") in ("error", "memory", "output")
    return known and isinstance(said.get("message"), str) and all(place is None or _is_count(place) for place in places)


def _compiled(said: Message, _limits: Limits) -> bool:
    code, problems = said.get("code"), said.get("problems")
    if not _are_problems(problems) or not _are_problems(said.get("warnings")):
        return False
    return isinstance(code, bytes) if not problems else code is None


FORMS: dict[str, Callable[[Message, Limits], bool]] = {
    "log": _log,
    "send": _send,
    "result": _result,
    "failed": _failed,
    "compiled": _compiled,
}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 < value < 1 << 31


def _is_reply(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or set(cast("Message", value)) != {"status", "body", "headers"}:
        return False
    status, headers = cast("Message", value)["status"], cast("Message", value)["headers"]
    return type(status) is int and 200 <= status <= 599 and problem_with(headers) is None


def _are_problems(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_problem, cast("list[Any]", value)))


def _is_problem(value: Any) -> bool:
    if not isinstance(value, dict) or set(cast("Message", value)) != set(Problem.__annotations__):
        return False
    return all(type(cast("Message", value)[name]) is kind for name, kind in Problem.__annotations__.items())
