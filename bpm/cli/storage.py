"""What the commands of `bpm db` share: the database that the settings name, its lock, progress, and how they end."""

import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from bpm.cli.exits import ExitStatus, fail

if TYPE_CHECKING:
    from bpm.settings import Settings
    from bpm.store import Database

T = TypeVar("T")


def run(work: Callable[["Settings"], Awaitable[T]]) -> T:
    """Do the work with the settings of the environment; what is wrong with them ends the command."""
    import asyncio

    from bpm.app.settings import load_settings
    from bpm.errors import BpmError
    from bpm.security.secrets import SecretError

    async def work_with_settings() -> T:
        return await work(load_settings())

    try:
        return asyncio.run(work_with_settings())
    except (BpmError, SecretError, OSError) as error:
        fail(ExitStatus.ERROR, *(error.errors if isinstance(error, BpmError) else [str(error)]))


async def checked(settings: "Settings") -> "Database":
    """Return the database, reached and with the tables of every command known; raises `Misconfigured`."""
    from bpm.app import build_registry
    from bpm.store import open_database

    build_registry(settings)
    database = open_database(settings)
    await database.check()
    return database


def refuse_missing_file(settings: "Settings") -> None:
    """End the command where the settings name a SQLite file that is not there."""
    from bpm.store.factory import is_embedded
    from bpm.store.sqlite import database_file

    if is_embedded(settings) and not database_file(settings).exists():
        fail(
            ExitStatus.ERROR, f"there is no database at {database_file(settings)}; set BPM_DATA_DIR or BPM_DATABASE_URL"
        )


@contextmanager
def owned(settings: "Settings") -> Generator[None]:
    """Keep workers of a SQLite file away; raises `Misconfigured` where one is at work."""
    from bpm.jobs.worker_lock import worker_lock
    from bpm.store.factory import is_embedded

    if not is_embedded(settings):
        yield
        return
    owner = worker_lock(settings)
    owner.take()
    try:
        yield
    finally:
        owner.release()


@contextmanager
def shown_progress() -> Generator[Callable[[str, int, int], None]]:
    """Show on a terminal what is done, how far, and of how much."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("")

        def show(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield show
