"""What the sandbox hands back, and the errors of its callers.

Exception
 +- SandboxUnavailable   the machine cannot hold scripts, or the sandbox is closed
 |   +- SandboxBusy      other scripts compute, and this one's turn has not come in time
 +- CommandRefused       raised by a `send` callback; the script sees it as CommandError
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

Reason = Literal["syntax", "forbidden", "error", "cpu", "memory", "wall", "output", "crashed", "filter"]
"""Why a run failed: `output` is a result beyond its limit, `filter` a system call that is not allowed."""

Isolation = Literal["run", "rule"]
"""A process per run, or one kept for runs of the same tenant and source."""

Send = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Sends a command with its fields and returns its data."""


Waiting = Callable[[], AbstractContextManager[object]]
"""Entered while a run waits for its turn, or for its source to be compiled: that is no time of its own."""

UNTOLD: Waiting = nullcontext
"""Nobody is told."""


class Senders(NamedTuple):
    """How a script's commands are sent: at once, or checked and kept until the script has ended well."""

    at_once: Send | None = None
    at_end: Send | None = None


NOBODY = Senders()
"""Sends nothing: a script's commands are refused."""


class SandboxUnavailable(Exception):
    """Scripts cannot run on this machine."""


class SandboxBusy(SandboxUnavailable):
    """Scripts of others compute, and this one's turn has not come in time."""


class CommandRefused(Exception):
    """A command sent by a script was refused."""

    def __init__(self, code: int | str, message: str, errors: list[str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = errors or []


@dataclass(frozen=True, slots=True)
class Problem:
    """A place in a source, from line and column 1 up to its end, and what is the matter with it.

    Codes of problems: `syntax forbidden too_large too_deep too_complex`; of warnings: `unknown_name
    unknown_module no_result`.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """Everything wrong with a source, and everything that looks wrong; it runs when there are no problems."""

    problems: list[Problem]
    warnings: list[Problem]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer a script chose for a synchronous webhook."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed, and where in the script if that is known (from 1, in characters)."""

    reason: Reason
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a script, ended.

    `result`, `reply` and `variables` hold JSON types: a script's Decimal, UUID, dates and times arrive as
    strings. `variables` is None when none were given or the run failed. `seed` and `now` are what the run
    was given or drew, so that it can be replayed with the same inputs and answers. CPU time is the kernel's,
    of the run alone; peak memory is that of its process, about 18 MB before the script does anything.
    """

    ok: bool
    seed: int
    now: datetime
    result: Any = None
    reply: Reply | None = None
    variables: dict[str, Any] | None = None
    logs: list[str] = field(default_factory=list[str])
    failure: Failure | None = None
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    sends: int = 0
