"""The only place that writes lines to the terminal: texts of others are shown there, and command nothing."""

import typer

from bpm.terminal_text import harmless


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines, to standard error if `err`."""
    typer.echo(harmless(text), err=err)
