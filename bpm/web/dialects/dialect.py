"""A REST interface of another product, as data: what it does at which address, and how it says no."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bpm.edge.problems import status_of
from bpm.edge.request import Incoming
from bpm.errors import BpmError, Defect
from bpm.web.dialects.call import Call

Method = str


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method does at one address.

    `message` is the `$type` it stands for, whose permission is asked for before the body is read; `scope` what the
    interface calls that. `work` returns something of the type `answer` (None: an empty answer). `missing` is the
    text for an unknown webhook, where there can be one. `query` describes the parameters behind the `?`.
    """

    method: Method
    path: str
    message: str
    scope: str
    work: Callable[[Call], Awaitable[Any]]
    answer: Any
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    missing: str = ""


async def _everybody(call: Call) -> Call:
    """Let everybody in."""
    return call


@dataclass(frozen=True, slots=True)
class Dialect:
    """An interface: `problem` makes the body of a refusal, which `error` describes; `admit` may refuse a caller.

    It returns the call as it goes on: perhaps for another organisation than the caller's own.
    """

    name: str
    operations: tuple[Operation, ...]
    problem: Callable[[BpmError, Operation | None, Incoming], dict[str, Any]]
    error: type[BaseModel]
    admit: Callable[[Call], Awaitable[Call]] = _everybody


def sentence_of(error: BpmError) -> str:
    """Return what an error says in one line; of our own mistakes, only that they are ours."""
    if status_of(error) == 500:
        return Defect().message
    return "; ".join(error.errors)
