"""Scripts: run one in the sandbox, or say what is wrong with it."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_core import PydanticSerializationError, to_json

from bpm.bus import Command, EffectContext, Integer, Moment, Registry, View, handles
from bpm.bus.paging import When
from bpm.errors import BpmError, Defect, Failed, Invalid, Unavailable
from scripts import Check, CommandRefused, Failure, Run, Sandbox, SandboxUnavailable

Source = Annotated[str, Field(min_length=1, max_length=65_536)]
Send = Callable[[str, dict[str, Any]], Awaitable[Any]]


class ReplyView(View):
    """The answer a script chose for the caller of a `sync` webhook."""

    status: int
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict[str, str])


class CodeRunView(View):
    """What a script came to; with the same `seed` and `now`, inputs and answers it comes to the same again."""

    result: Any = None
    reply: ReplyView | None = None
    variables: dict[str, Any] | None = None
    logs: list[str]
    sends: int
    cpu_seconds: float
    peak_memory_bytes: int
    seed: int
    now: Moment


class ExecuteCodeCommand(Command[CodeRunView]):
    """Run a script in the sandbox.

    It sees `payload headers query path method request_id` and, when given, `variables`. What it sends needs the
    sender's permissions. `isolation` `rule` reuses a process for further runs of the same `rule`. A script that
    is tried again does not repeat the commands that succeeded.
    """

    permission = "code:write"
    rehearsable = True
    succeeded = "Script executed successfully"
    failed = "Script failed"

    code: Source
    payload: Any = None
    headers: dict[str, Any] = Field(default_factory=dict[str, Any])
    query: dict[str, Any] = Field(default_factory=dict[str, Any])
    path: Any = Field(default_factory=dict[str, Any])
    method: Annotated[str, Field(max_length=20)] = ""
    request_id: Annotated[str, Field(max_length=200)] | None = None
    variables: dict[str, Any] | None = None
    isolation: Literal["run", "rule"] = "run"
    rule: Annotated[str, Field(max_length=100)] | None = None
    seed: Annotated[Integer, Field(ge=0)] | None = None
    now: When | None = None

    def inputs(self, request_id: str) -> dict[str, Any]:
        """Return what the script sees, by name."""
        names = {"payload", "headers", "query", "path", "method"}
        seen = {**self.model_dump(include=names), "request_id": self.request_id or request_id}
        return seen if self.variables is None else {**seen, "variables": self.variables}


@handles
async def execute(
    command: ExecuteCodeCommand, context: EffectContext, registry: Registry, sandbox: Sandbox
) -> CodeRunView:
    """Run it to its end; raises `Failed` with the reason and the place when it does not come to one."""
    try:
        run = await sandbox.run(
            command.code,
            command.inputs(context.envelope.request_id),
            send=_sender(context, registry),
            isolation=command.isolation,
            tenant=f"{context.organization_id}:{command.rule or context.principal.id}",
            seed=command.seed,
            now=_to_milliseconds(command.now or context.now()),
        )
    except SandboxUnavailable as error:
        raise Unavailable(str(error)) from error
    except (TypeError, ValueError) as error:
        raise Invalid(f"the script can't be given these values: {error}") from error
    if run.failure is not None:
        raise Failed(_sentence(run.failure))
    return _shown(run)


class ProblemView(View):
    """What is wrong at a place in a script; lines and columns count from 1."""

    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    message: str


class CodeCheckView(View):
    """A script can run when it has no problems; warnings are what looks like a mistake."""

    is_valid: bool
    problems: list[ProblemView]
    warnings: list[ProblemView]


class ValidateCodeCommand(Command[CodeCheckView]):
    """Compile a script without running it, and return all that is wrong with it."""

    permission = "code:read"
    succeeded = "Script checked"

    code: Source


@handles
async def validate(command: ValidateCodeCommand, context: EffectContext, sandbox: Sandbox) -> CodeCheckView:
    """Compile it in the sandbox."""
    try:
        found: Check = await sandbox.check(command.code)
    except SandboxUnavailable as error:
        raise Unavailable(str(error)) from error
    return CodeCheckView(
        is_valid=not found.problems,
        problems=[ProblemView.model_validate(problem) for problem in found.problems],
        warnings=[ProblemView.model_validate(warning) for warning in found.warnings],
    )


def _sender(context: EffectContext, registry: Registry) -> Send:
    """Return how a script's commands are sent: as its sender, each with a key of its own."""
    ordinals = count(1)

    async def send(name: str, fields: dict[str, Any]) -> Any:
        key = f"{context.envelope.request_id}:{next(ordinals)}"
        try:
            return await context.call(name, fields, idempotency_key=key)
        except (Unavailable, Defect):
            raise
        except BpmError as error:
            raise _refused(name, error, registry) from error

    return send


def _refused(name: str, error: BpmError, registry: Registry) -> CommandRefused:
    """Return a command's error as the script sees it; its code is the error's name, as in `not_found`."""
    failed = registry.find(name).message_type.failed if registry.knows(name) else ""
    code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    return CommandRefused(code, error.message_for(failed), list(error.errors))


def _to_milliseconds(moment: datetime) -> datetime:
    """Leave out what `now` does not show in the answer, so that the run can be replayed with it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _sentence(failure: Failure) -> str:
    place = f"line {failure.line}, " if failure.line is not None else ""
    place += f"column {failure.column}, " if failure.column is not None else ""
    return f"{place}{failure.reason}: {failure.message}"


def _shown(run: Run) -> CodeRunView:
    """Show a run that ended well; raises `Failed` for text that no JSON can hold."""
    view = CodeRunView.model_validate(run)
    try:
        to_json(view)
    except PydanticSerializationError as error:
        raise Failed(f"output: the result can't be written as JSON: {error}") from error
    return view
