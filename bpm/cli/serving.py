"""`bpm serve` and `bpm version`."""

import typer


def serve() -> None:
    """Start the server; settings come from the environment (`BPM_HOST`, `BPM_PORT`, `BPM_DATA_DIR`, …)."""
    from bpm.server import run

    raise typer.Exit(run())


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("bpm-bus"))
