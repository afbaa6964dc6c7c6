"""`bpm serve` and `bpm version`."""

from typing import Annotated

import typer


def serve(
    worker: Annotated[bool, typer.Option(help="Run jobs in this process; without, what is accepted waits.")] = True,
) -> None:
    """Start the server.

    Settings come from the environment: `BPM_HOST`, `BPM_PORT`, `BPM_DATA_DIR` and those of `docs/settings.md`.
    """
    from bpm.server import run

    raise typer.Exit(run() if worker else run(worker=False))


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("bpm-bus"))
