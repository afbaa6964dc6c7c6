"""What a child may say, and the form each message must have: nothing of it is believed unseen."""

from collections.abc import Callable
from typing import Any, cast

from scripts.outcome import Problem
from scripts.values import is_header_text, verify

Message = dict[str, Any]

COMPILING = frozenset({"compiled"})
RUNNING = frozenset({"log", "send", "result", "failed"})
"""Kinds of messages a child may send during each kind of job."""


def _log(said: Message) -> bool:
    return isinstance(said.get("text"), str)


def _send(said: Message) -> bool:
    named = isinstance(said.get("command"), str) and type(said.get("at_end", False)) is bool
    return named and isinstance(said.get("args"), dict) and _is_json(said["args"])


def _result(said: Message) -> bool:
    given = [said.get(name) for name in ("result", "reply", "variables")]
    typed = isinstance(said.get("variables"), dict) and type(said.get("peak")) is int
    return typed and all(map(_is_json, given)) and _is_reply(said.get("reply"))


def _failed(said: Message) -> bool:
    known = said.get("reason") in ("error", "memory", "output")
    return (
        known and isinstance(said.get("message"), str) and _is_place(said.get("line")) and _is_place(said.get("column"))
    )


def _compiled(said: Message) -> bool:
    code, problems = said.get("code"), said.get("problems")
    if not _are_problems(problems) or not _are_problems(said.get("warnings")):
        return False
    return isinstance(code, bytes) if not problems else code is None


FORMS: dict[str, Callable[[Message], bool]] = {
    "log": _log,
    "send": _send,
    "result": _result,
    "failed": _failed,
    "compiled": _compiled,
}


def _is_json(value: Any) -> bool:
    try:
        verify(value)
    except ValueError:
        return False
    return True


def _is_place(value: Any) -> bool:
    return value is None or (type(value) is int and 0 < value < 1 << 31)


def _is_reply(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or set(cast("Message", value)) != {"status", "body", "headers"}:
        return False
    status, headers = cast("Message", value)["status"], cast("Message", value)["headers"]
    if type(status) is not int or not 200 <= status <= 599 or not isinstance(headers, dict):
        return False
    return all(is_header_text(word) for item in cast("Message", headers).items() for word in item)


def _are_problems(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_problem, cast("list[Any]", value)))


def _is_problem(value: Any) -> bool:
    if not isinstance(value, dict) or set(cast("Message", value)) != set(Problem.__annotations__):
        return False
    return all(type(cast("Message", value)[name]) is kind for name, kind in Problem.__annotations__.items())
