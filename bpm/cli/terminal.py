"""The only place that writes lines to the terminal: texts of others are shown there, and command nothing."""

import os
import sys

import typer

from bpm.terminal_text import harmless

UNREAD = 1
"""The exit status where nobody reads the output any more."""


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines, to standard error if `err`; a reader that has gone away, as `head` does, ends the command."""
    try:
        typer.echo(harmless(text), err=err)
    except BrokenPipeError:
        forget_output()
        raise typer.Exit(UNREAD) from None


def forget_output() -> None:
    """Write what is left nowhere, so that the end of the process does not fail for it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
