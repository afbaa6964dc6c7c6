"""`bpm serve`, `bpm worker` and `bpm version`."""

import gc
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.terminal import say
from bpm.shortage import shortage_in


def serve(
    worker: Annotated[bool, typer.Option(help="Run jobs in this process; without, what is accepted waits.")] = True,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many processes answer; needs PostgreSQL.")] = 1,
    listening: Annotated[list[int] | None, typer.Option("--socket", hidden=True)] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start the server.

    Settings come from the environment: `BPM_HOST`, `BPM_PORT`, `BPM_DATA_DIR` and those of
    `docs/reference/settings.md`.
    """
    changes = {} if worker else {"worker": False}
    with _saying_what_is_short(), _loading_without_collections():
        from bpm.server import run, run_several

        if processes > 1:
            raise typer.Exit(run_several(processes, [] if worker else ["--no-worker"], **changes))
        shared = [socket.socket(fileno=each) for each in listening] if listening else None
        raise typer.Exit(run(shared, parent, **changes))


def worker(
    concurrency: Annotated[int | None, typer.Option(min=2, help="How many jobs run at once.")] = None,
) -> None:
    """Run jobs beside servers that were started with --no-worker.

    On PostgreSQL as many as wanted, on any machine; on SQLite one, in the data folder of the server.
    """
    changes = {} if concurrency is None else {"worker_concurrency": concurrency}
    with _saying_what_is_short(), _loading_without_collections():
        from bpm.server import work

        raise typer.Exit(work(worker=True, **changes))


@contextmanager
def _saying_what_is_short() -> Generator[None]:
    """Say it in a sentence when the process gets too little memory or too few threads to start or to go on."""
    try:
        yield
    except BaseException as error:
        shortage = shortage_in(error)
        if shortage is None:
            raise
        fail(
            ExitStatus.TOO_LITTLE,
            f"the machine gives this process too little ({str(shortage) or 'no more memory'}); it takes 250 MB of "
            "memory, 500 MB of address space (ulimit -v) and 30 threads and processes (ulimit -u, pids.max)",
        )


@contextmanager
def _loading_without_collections() -> Generator[None]:
    """Look for no garbage until the server is loaded: there is none, and looking takes a sixth of the start.

    `bpm.server.freeze_startup_objects` begins to look.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    say(installed("bpm-bus"))


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def about(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A typed command and query bus with a webhook gateway."""
