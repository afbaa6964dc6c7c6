"""Run a script in the sandbox, and write down what it did."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, Integer, Registry, handles
from bpm.bus.paging import When
from bpm.errors import Failed, Invalid, NoTurn
from bpm.security.redaction import without_secrets_of
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.threads import beside_loop, size_of
from commands.code.recording import Recording, outcome_of, row_of, source_hash, with_body, with_signatures
from commands.code.sending import ScriptSender
from commands.code.tables import keep_run
from commands.code.views import CodeRunView, Source, sentence, to_view
from scripts import Isolation, Run, Sandbox, SandboxUnavailable


class ExecuteCodeCommand(Command[CodeRunView]):
    """Run a script in the sandbox.

    It sees `payload headers query path method request_id` and, when given, `request` and `variables`. `rawBody`, in
    base64, is what it sees as `request["body"]` and `request["bodyBase64"]`; `signatureHeaders` are further headers
    that it sees. No view shows either. What it sends needs the sender's permissions. With `isolation`
    `rule` a process is reused for further runs of the same `rule` and code, with `run` every run has its own; left
    out, it is `rule` where there is a `rule`. A script that is tried again does not repeat the commands that succeeded.
    """

    permission = "code:write"
    rehearsable = True
    succeeded = "Script executed successfully"
    sources = SOURCE_NAMES
    failed = "Script failed"
    secrets = frozenset({"signatureHeaders", "rawBody"})

    code: Source
    """The script."""
    payload: Any = None
    headers: dict[str, Any] = Field(default_factory=dict[str, Any])
    signature_headers: dict[str, str] = Field(default_factory=dict[str, str])
    """Headers that prove the sender, which the script sees as well."""
    query: dict[str, Any] = Field(default_factory=dict[str, Any])
    path: Any = Field(default_factory=dict[str, Any])
    """What the address gave, by name."""
    method: Annotated[str, Field(max_length=20)] = ""
    request_id: Annotated[str, Field(max_length=200)] | None = None
    request: dict[str, Any] | None = None
    """What the script sees of the request beside its parts."""
    raw_body: str | None = None
    """The body as it came, in base64."""
    variables: dict[str, Any] | None = None
    """What the script sees as `variables`, and may change."""
    isolation: Literal["run", "rule"] | None = None
    rule: Annotated[str, Field(max_length=100)] | None = None
    """The number of the rule and its revision."""
    seed: Annotated[Integer, Field(ge=0)] | None = None
    now: When | None = None
    """What the script's clock says."""

    def inputs(self, request_id: str) -> dict[str, Any]:
        """Return what the script sees, by name, but for the signatures and the raw body."""
        names = {"payload", "headers", "query", "path", "method"}
        seen = {**self.model_dump(include=names), "request_id": self.request_id or request_id}
        given = {"request": self.request, "variables": self.variables}
        return seen | {name: value for name, value in given.items() if value is not None}

    @property
    def grade(self) -> Isolation:
        """How far its run is kept apart from others of the same rule."""
        return self.isolation or ("run" if self.rule is None else "rule")


@handles
async def execute(
    command: ExecuteCodeCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    settings: Settings,
) -> CodeRunView:
    """Run it to its end; raises `Failed` with the reason and the place when it does not come to one."""
    sender = ScriptSender(context, registry)
    inputs = command.inputs(context.envelope.request_id)
    run = await _run(command, inputs, context, sandbox, sender)
    row = {**row_of(run, context.envelope, context.now()), "rule": command.rule}
    if row["message"] is not None:
        hidden = partial(without_secrets_of, [row["message"]], inputs)
        (row["message"],) = await beside_loop(size_of(inputs), hidden, context.organization_id)
    row["source_hash"] = source_hash(command.code)
    kept = settings.scripts.recorded_runs
    if kept:
        recording = Recording(
            code=command.code,
            inputs=inputs,
            signature_headers=command.signature_headers,
            raw_body=command.raw_body,
            seed=run.seed,
            now=run.now,
            answers=sender.answers,
            outcome=outcome_of(run),
        )
        size = size_of([inputs, recording.outcome, [answer.data for answer in sender.answers]])
        seal = partial(recording.sealed, secrets_box, settings.scripts.recorded_bytes)
        row["sealed"] = await beside_loop(size, seal, context.organization_id)
    if run.failure is not None:
        await _note(context, row, kept)
        raise Failed(sentence(run.failure))
    view = to_view(run).model_copy(update={"run_id": row["id"] if kept else None})

    def settle(inner: Context) -> CodeRunView:
        sender.carry_out(inner)
        if kept:
            keep_run(inner.tx, row, kept)
        return view

    try:
        return await context.conclude(settle)
    except Failed as error:
        await _note(context, {**row, "reason": "error", "message": "; ".join(error.errors)}, kept)
        raise


async def _run(
    command: ExecuteCodeCommand, inputs: dict[str, Any], context: EffectContext, sandbox: Sandbox, sender: ScriptSender
) -> Run:
    try:
        return await sandbox.run(
            command.code,
            with_body(with_signatures(inputs, command.signature_headers), command.raw_body),
            send=sender.at_once,
            send_at_end=sender.at_end,
            isolation=command.grade,
            tenant=f"{context.organization_id}:{context.principal.id}:{command.rule or ''}",
            owner=str(context.organization_id),
            seed=command.seed,
            now=_to_milliseconds(command.now or context.now()),
            waiting=context.clock.waiting,
        )
    except SandboxUnavailable as error:
        raise NoTurn(str(error)) from error
    except (TypeError, ValueError) as error:
        raise Invalid(f"the script can't be given these values: {error}") from error


async def _note(context: EffectContext, row: dict[str, Any], kept: int) -> None:
    if kept:
        await context.note(lambda inner: keep_run(inner.tx, row, kept))


def _to_milliseconds(moment: datetime) -> datetime:
    """Leave out what `now` does not show in the answer, so that the run can be replayed with it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
