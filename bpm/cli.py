"""The command line: `bpm serve`, `bpm send`, `bpm types`, `bpm demo`.

What a command needs is imported when it runs, so that `bpm --help` answers at once.
"""

import typer

main = typer.Typer(name="bpm", help="A typed command and query bus with a webhook gateway.", no_args_is_help=True)


@main.command()
def serve() -> None:
    """Start the server; settings come from the environment (`BPM_HOST`, `BPM_PORT`, `BPM_DATA_DIR`, …)."""
    from bpm.server import run  # noqa: PLC0415

    raise typer.Exit(run())


@main.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed  # noqa: PLC0415

    typer.echo(installed("bpm-bus"))
