"""Say what is wrong with a script without running it."""

from bpm.bus import Command, EffectContext, View, handles
from bpm.errors import Unavailable
from bpm.security.secret_names import SOURCE_NAMES
from commands.code.views import Source
from scripts import Check, Sandbox, SandboxUnavailable


class ProblemView(View):
    """What is wrong at a place in a script; lines and columns count from 1."""

    line: int
    column: int
    end_line: int
    """The line in which the place ends."""
    end_column: int
    """The column at which the place ends."""
    code: str
    """Which kind of problem it is."""
    message: str
    """What is wrong, and what to write instead."""


class CodeCheckView(View):
    """A script can run when it has no problems; warnings are what looks like a mistake."""

    is_valid: bool
    """Whether it can run."""
    problems: list[ProblemView]
    warnings: list[ProblemView]


class ValidateCodeCommand(Command[CodeCheckView]):
    """Compile a script without running it, and return all that is wrong with it."""

    permission = "code:read"
    succeeded = "Script checked"
    sources = SOURCE_NAMES

    code: Source
    """The script."""


@handles
async def validate(command: ValidateCodeCommand, context: EffectContext, sandbox: Sandbox) -> CodeCheckView:
    """Compile it in the sandbox."""
    try:
        found: Check = await sandbox.check(command.code, str(context.organization_id))
    except SandboxUnavailable as error:
        raise Unavailable(str(error)) from error
    return CodeCheckView(
        is_valid=not found.problems,
        problems=[ProblemView.model_validate(problem) for problem in found.problems],
        warnings=[ProblemView.model_validate(warning) for warning in found.warnings],
    )
