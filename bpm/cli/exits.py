"""How a command ends: its exit status, and what it says about a failure."""

from enum import IntEnum
from typing import NoReturn

import typer

from bpm.cli.terminal import say


class ExitStatus(IntEnum):
    """What the shell is told."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    DIFFERENCE = 3
    REFUSED = 4
    TOO_LITTLE = 75
    """`EX_TEMPFAIL` of `sysexits.h`: another start may succeed."""


def fail(status: ExitStatus, *sentences: str) -> NoReturn:
    """Say what is wrong on standard error, one sentence a line, and end."""
    first, *others = sentences
    say("\n".join([f"bpm: {first}", *(f"  - {sentence}" for sentence in others)]), err=True)
    raise typer.Exit(status)
