"""Run a recorded script once more: nothing is sent, its commands get the answers they got."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, View, handles
from bpm.errors import NotFound, Unavailable
from bpm.security.permissions import Permission
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from commands.code.recording import RecordedAnswer, Recording, outcome_of, with_body, with_signatures
from commands.code.sending import fingerprint
from commands.code.tables import CodeRun, run_by_id
from commands.code.views import CodeRunView, FailureView, Source, to_view
from scripts import CommandRefused, Sandbox, SandboxUnavailable

READ: Permission = "code:read"
"""To see recorded runs: a script that is run with what one was given can return it."""
DIFFERS = "replay_differs"
"""The code by which a script sees that it sends what it did not send then."""


class CodeReplayView(View):
    """What a replayed run came to, and what is not as it was: `isSame` when nothing is."""

    is_same: bool
    """Whether it came to the same."""
    differences: list[str]
    """What is not as it was."""
    run: CodeRunView | None = None
    """What it came to."""
    failure: FailureView | None = None
    """Why it did not come to its end."""


class ReplayCodeCommand(Command[CodeReplayView]):
    """Run a recorded script once more, with its inputs, seed and clock; nothing is sent.

    Its commands get the answers they got then, in order. `code` runs a changed script instead; what it sends
    besides is refused as `replay_differs`, and it sees no signature among the headers. Needs `code:read` as well: a
    script shows what the run was given.
    """

    permission = "code:write"
    rehearsable = True
    succeeded = "Run replayed"
    failed = "Run not replayed"
    sources = SOURCE_NAMES

    run_id: Annotated[str, Field(min_length=1, max_length=100)]
    code: Source | None = None
    """A changed script, instead of the recorded one."""


@handles
async def replay(
    command: ReplayCodeCommand, context: EffectContext, sandbox: Sandbox, secrets_box: SecretBox
) -> CodeReplayView:
    """Open the recording and run it; raises `NotFound`, and `Failed` when it was not kept whole."""
    row = await context.read(lambda inside: _readable(command.run_id, inside))
    recording = Recording.opened(row.sealed, secrets_box)
    is_changed = command.code not in (None, recording.code)
    inputs = recording.inputs if is_changed else with_signatures(recording.inputs, recording.signature_headers)
    past = Past(recording.answers)
    try:
        run = await sandbox.run(
            command.code or recording.code,
            with_body(inputs, recording.raw_body),
            send=past.at_once,
            send_at_end=past.at_end,
            owner=str(context.organization_id),
            seed=recording.seed,
            now=recording.now,
            waiting=context.clock.waiting,
        )
    except SandboxUnavailable as error:
        raise Unavailable(str(error)) from error
    differences = [*past.differences(), *_differences(recording.outcome, outcome_of(run))]
    return CodeReplayView(
        is_same=not differences,
        differences=differences,
        run=to_view(run) if run.failure is None else None,
        failure=FailureView.model_validate(run.failure) if run.failure is not None else None,
    )


class Past:
    """Answers commands as they were answered then."""

    def __init__(self, answers: list[RecordedAnswer]) -> None:
        """Take the answers in their order."""
        self._answers = answers
        self._next = 0
        self._unlike: list[str] = []

    async def at_once(self, name: str, fields: dict[str, Any]) -> Any:
        """RecordedAnswer a command that is sent at once."""
        return self._answer(name, fields, at_end=False)

    async def at_end(self, name: str, fields: dict[str, Any]) -> None:
        """RecordedAnswer a command that is kept for the end."""
        self._answer(name, fields, at_end=True)

    def differences(self) -> list[str]:
        """Return what was not sent as it was then, as sentences."""
        rest = [f"{answer.command} was sent, and is not any more" for answer in self._answers[self._next :]]
        return [*self._unlike, *rest]

    def _answer(self, name: str, fields: dict[str, Any], *, at_end: bool) -> Any:
        answer = self._answers[self._next] if self._next < len(self._answers) else None
        known = (answer.command, answer.fields, answer.at_end) if answer is not None else None
        if answer is None or known != (name, fingerprint(fields), at_end):
            then = "nothing" if answer is None else answer.command
            self._unlike.append(f"{name} is sent where {then} was, or with other fields")
            raise CommandRefused(DIFFERS, f"The recorded run did not send this {name}.")
        self._next += 1
        if answer.refused is not None:
            raise CommandRefused(*answer.refused)
        return answer.data


def _readable(id_: str, context: Context) -> CodeRun:
    context.require(context.principal, READ, "Replaying a recorded run")
    return get_or_404(id_, context)


def get_or_404(id_: str, context: Context) -> CodeRun:
    """Return a recorded run; raises `NotFound`."""
    row = run_by_id(context.session, id_)
    if row is None:
        raise NotFound("runId: no recorded run found with the specified ID")
    return row


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys((*then, *now))
    return [f"{name} differs" for name in names if then.get(name) != now.get(name)]
