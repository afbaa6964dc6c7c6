"""`bpm demo`: a server with example rules, real payloads fired at them, and what became of each."""

from pathlib import Path
from typing import Annotated

import typer

from bpm.cli.exits import ExitStatus, fail

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The server's port; 0 takes a free one.")]
Data = Annotated[Path | None, typer.Option("--data", help="Keep the data in this new folder; else it is thrown away.")]
Once = Annotated[bool, typer.Option("--once", help="Stop the server when everything was printed.")]


def demo(port: Port = 0, data: Data = None, once: Once = False) -> None:
    """Start a server with example rules, fire real payloads at them and print what happened."""
    from bpm.cli.demo.run import run

    if data is not None and data.exists() and any(data.iterdir()):
        fail(ExitStatus.USAGE, f"{data} is in use; name a new folder for the demo")
    raise typer.Exit(run(port, data, once=once))
