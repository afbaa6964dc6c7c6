"""The sandbox as the server sees it: check a source, run a script."""

import collections
import hashlib
import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Self

from bpm.threads import beside_loop, size_of
from scripts.server.compilations import Compilations, Compiled
from scripts.server.dispatcher import Dispatcher, Ended, Task
from scripts.server.exit_diagnosis import limit_words
from scripts.server.messages import COMPILING, RUNNING
from scripts.server.pool import Pool
from scripts.shared import policy
from scripts.shared.frames import pack
from scripts.shared.limits import KIB, Limits
from scripts.shared.outcome import (
    UNTOLD,
    Check,
    Failure,
    Isolation,
    Problem,
    Reply,
    Run,
    SandboxBusy,
    SandboxUnavailable,
    Send,
    Senders,
    Waiting,
)
from scripts.shared.positions import column_at, lines_of
from scripts.shared.values import incoming

RUN_LIMITS = ("sends", "log_lines", "log_bytes", "result_bytes", "result_values")
"""The limits that a child keeps itself."""

BUILD = f"{policy.VERSION} {sys.version}"


class Sandbox:
    """Runs scripts in locked processes; one per server process, used as an async context manager or started.

    `limits` are those of a run unless it brings its own. `allow_unconfined` lets scripts run where the kernel
    has no system call filter, with the locks there are.
    """

    entry: ClassVar[str] = "scripts.child.zygote"
    """The module the zygote is started with."""

    def __init__(self, limits: Limits | None = None, *, allow_unconfined: bool = False) -> None:
        self.limits = limits or Limits()
        self._pool = Pool(self.entry, self.limits, allow_unconfined=allow_unconfined)
        self._dispatcher = Dispatcher(self._pool)
        self.compilations = Compilations()
        self.ends = collections.Counter[str]()
        """How runs have ended so far: `ok`, the reason of their failure, or `busy`: their turn did not come."""

    @property
    def locks(self) -> Mapping[str, bool | str]:
        """The locks that are on, by name, as found when the zygote started; empty before that."""
        return self._pool.locks

    async def start(self) -> None:
        """Start the zygote; raises SandboxUnavailable where scripts cannot be confined."""
        await self._pool.start()

    async def close(self) -> None:
        """End the zygote and every child; runs under way fail or raise SandboxUnavailable."""
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def check(self, source: str, owner: str = "") -> Check:
        """Return every problem and warning of a source; raises SandboxUnavailable."""
        return (await self._compile(source, self.limits, owner)).check

    async def run(
        self,
        source: str,
        inputs: Mapping[str, Any],
        *,
        send: Send | None = None,
        send_at_end: Send | None = None,
        isolation: Isolation = "run",
        tenant: str = "",
        owner: str = "",
        seed: int | None = None,
        now: datetime | None = None,
        limits: Limits | None = None,
        waiting: Waiting = UNTOLD,
    ) -> Run:
        """Run a script to its end and return how it ended; a script's own failure is not raised.

        `inputs` are named as in `policy.INPUTS`; JSON types, Decimal, UUID, dates and times (as text). With
        isolation `rule`, a process is reused for runs of the same `tenant` and source: let `tenant` name
        organisation, rule and revision. Owners take turns when the machine is full, and tenants of one owner: let
        `owner` name the organisation. `waiting` is entered for as long as the script waits for its turn. `send` sends
        a command at once; `send_at_end` notes one that the script wants carried out when it has ended well, which is
        the caller's to do. Raises ValueError or TypeError for inputs that cannot be given, SandboxUnavailable, of
        which SandboxBusy says that its turn has not come, and whatever `send` raises besides CommandRefused.
        """
        limits = limits or self.limits
        seed = secrets.randbits(63) if seed is None else seed
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        run = Run(ok=False, seed=seed, now=moment)
        with waiting():
            compiled = await self._compile(source, limits, owner)
        if compiled.code is None:
            return replace(run, failure=_rejection(compiled.check.problems[0]))
        job = await beside_loop(size_of(inputs), partial(_job, compiled.code, inputs, run, limits), owner)
        problem = _too_much(len(job) - len(compiled.code), inputs, limits)
        if problem is not None:
            return replace(run, failure=Failure("error", problem))
        key = (tenant, source, limits) if isolation == "rule" else None
        task = Task(source, job, limits, RUNNING, Senders(send, send_at_end), key, owner, tenant, waiting)
        try:
            ended = await self._dispatcher.perform(task)
        except SandboxBusy:
            self.ends["busy"] += 1
            raise
        finished = _finished(run, ended, source, limits, with_variables="variables" in inputs)
        self.ends["ok" if finished.failure is None else finished.failure.reason] += 1
        return finished

    async def _compile(self, source: str, limits: Limits, owner: str) -> Compiled:
        text = source.encode("utf-8", "surrogatepass")
        if len(text) > limits.source_bytes:
            words = f"The source takes {len(text)} bytes; at most {limits.source_bytes} are allowed (source_bytes)."
            return Compiled(None, Check([Problem(1, 1, 1, 2, "too_large", words)], []))
        key = hashlib.sha256(f"{BUILD} {limits.source_depth} ".encode() + text).digest()
        return await self.compilations.get(key, lambda: self._compile_anew(source, limits, owner))

    async def _compile_anew(self, source: str, limits: Limits, owner: str) -> Compiled:
        job = {"t": "compile", "source": source, "depth": limits.source_depth}
        task = Task(source, pack(job, unicode_errors="surrogatepass"), self.limits, COMPILING, owner=owner)
        return _compiled(await self._dispatcher.perform(task))


def _job(code: bytes, inputs: Mapping[str, Any], run: Run, limits: Limits) -> bytes:
    unknown = set(inputs) - set(policy.INPUTS)
    if unknown:
        raise ValueError(f"A script has no input named {min(unknown)}; its inputs are {', '.join(policy.INPUTS)}.")
    message = {
        "t": "run",
        "code": code,
        "inputs": dict(inputs),
        "seed": run.seed,
        "now": run.now.isoformat(),
        "limits": {name: getattr(limits, name) for name in RUN_LIMITS},
    }
    return pack(message, unicode_errors="surrogatepass", convert=incoming)


def _compiled(ended: Ended) -> Compiled:
    if ended.lost:
        raise SandboxUnavailable("The script sandbox was lost while it compiled: try again.")
    if ended.said is None or ended.failure is not None:
        words = "The script is too complex to be compiled: write it in smaller pieces."
        return Compiled(None, Check([Problem(1, 1, 1, 2, "too_complex", words)], []))
    said = ended.said
    problems, warnings = ([Problem(**problem) for problem in said[name]] for name in ("problems", "warnings"))
    return Compiled(said["code"], Check(problems, warnings))


def _rejection(problem: Problem) -> Failure:
    reason = "forbidden" if problem.code == "forbidden" else "syntax"
    return Failure(reason, problem.message, problem.line, problem.column)


def _finished(run: Run, ended: Ended, source: str, limits: Limits, *, with_variables: bool) -> Run:
    measured = replace(
        run, logs=ended.logs, cpu_seconds=ended.cpu_seconds, peak_memory_bytes=ended.peak_bytes, sends=ended.sends
    )
    said = ended.said
    if said is None:
        return replace(measured, failure=ended.failure)
    if said["t"] == "failed":
        return replace(measured, failure=_failure(said, source, limits))
    reply = Reply(**said["reply"]) if said["reply"] else None
    variables = said["variables"] if with_variables else None
    return replace(measured, ok=True, result=said["result"], reply=reply, variables=variables)


def _failure(said: dict[str, Any], source: str, limits: Limits) -> Failure:
    line, column = said["line"], said["column"]
    if line is not None and column is not None:
        column = column_at(lines_of(source), line, column - 1)
    message = said["message"] if said["reason"] == "error" else limit_words(said["reason"], limits)
    return Failure(said["reason"], message, line, column)


def _too_much(size: int, inputs: Mapping[str, Any], limits: Limits) -> str | None:
    """Say that inputs of so many bytes are too many, of which `request` has room of its own; None when they fit."""
    own = _size(inputs["request"]) if inputs.get("request") is not None else 0
    if own > limits.request_bytes:
        most = limits.request_bytes // KIB
        return f"The script was given a request of {own // KIB} KiB; at most {most} are allowed (request_bytes)."
    if size - own > limits.input_bytes:
        most = limits.input_bytes // KIB
        largest = _largest({name: value for name, value in inputs.items() if name != "request"})
        return f"The script was given {(size - own) // KIB} KiB; at most {most} are allowed (input_bytes). {largest}"
    return None


def _largest(inputs: Mapping[str, Any]) -> str:
    """Say which input is the largest, or which of the variables."""
    sizes = {name: _size(value) for name, value in inputs.items() if name != "variables"}
    variables: Mapping[str, Any] = inputs.get("variables") or {}
    sizes |= {f"variables[{name!r:.100}]": _size(value) for name, value in variables.items()}
    name = max(sizes, key=sizes.__getitem__)
    return f"The largest is {name} with {sizes[name] // KIB} KiB."


def _size(value: Any) -> int:
    return len(pack(value, unicode_errors="surrogatepass", convert=incoming))
