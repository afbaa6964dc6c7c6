"""`bpm db upgrade`, `check`, `copy`, `prune` and `adopt-key`: the database, beside the server and through it."""

from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli import backups
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table
from bpm.cli.storage import checked, owned, refuse_missing_file, run, shown_progress
from bpm.cli.terminal import say
from bpm.cli.verb_command import make_command
from bpm.cli.verbs import Verb, Word

if TYPE_CHECKING:
    from bpm.settings import Settings
    from bpm.store import Database

PRUNE = Verb(
    "prune",
    "PruneStoredDataCommand",
    "Let the running server delete what is older than retention says, for about 20 seconds.",
    options=(Word("preview", "preview", "Only count what would go.", bool),),
)

app = typer.Typer(
    no_args_is_help=True, help="Upgrade, check, copy, back up or restore the database (BPM_DATABASE_URL)."
)
app.command()(backups.backup)
app.command()(backups.restore)
app.command()(backups.compact)
app.command(PRUNE.name, help=PRUNE.help)(make_command(PRUNE))


@app.command()
def upgrade() -> None:
    """Bring the schema up to date; `bpm serve` does the same when it starts."""

    async def work(settings: "Settings") -> None:
        from bpm.store.database_check import examine

        _make_key_of_new_file(settings)
        database = await checked(settings)
        before = (await examine(database)).revision
        await _upgraded(database, settings)
        after = (await examine(database)).revision
        say(f"{_described(database)}: revision {after}" + ("" if before == after else f", was {before}"))

    run(work)


@app.command()
def check(format: FormatOption = OutputFormat.AUTO) -> None:  # noqa: A002 the option's name
    """Say which database this is, how safe, how full, and what is wrong with it; 1 when something is."""

    async def work(settings: "Settings") -> None:
        from bpm.store.database_check import examine

        refuse_missing_file(settings)
        database = await checked(settings)
        found = await examine(database)
        problems = [*found.problems, *(await _problems_of_key(settings, database) if not found.problems else ())]
        if format.is_text:
            shown = {**database.facts, "revision": found.revision or "none"}
            print_table(["", ""], [[name, value] for name, value in shown.items()])
            print_table(["table", "rows"], [[name, str(rows)] for name, rows in found.rows.items()])
        else:
            facts = dict(database.facts)
            print_json({**facts, "revision": found.revision, "rows": found.rows, "problems": problems})
        if problems:
            fail(ExitStatus.ERROR, "there are problems", *problems)

    run(work)


@app.command()
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A database, as in BPM_DATABASE_URL.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="An empty one, or the target of a copy broken off.")],
) -> None:
    """Copy everything from one database to another, SQLite or PostgreSQL; stop the servers first.

    The same command goes on where a copy was broken off. At the end every table is counted and compared on both sides.
    Secrets stay sealed by the same key. Job tokens are left out: they are made anew from the rows when a worker starts.
    """

    async def work(settings: "Settings") -> None:
        from bpm.store.copy import is_unfinished

        from_settings, to_settings = _of(settings, source), _of(settings, target)
        refuse_missing_file(from_settings)
        reading, writing = await checked(from_settings), await checked(to_settings)
        if (reading.facts["place"], reading.dsn) == (writing.facts["place"], writing.dsn):
            fail(ExitStatus.USAGE, "FROM and TO are the same database")
        if not await is_unfinished(writing):
            await _upgraded(writing, to_settings)
        copied = await _copy_alone(reading, writing, from_settings)
        say(f"copied {sum(copied.values())} rows of {len(copied)} tables from {reading.name} to {writing.name}")
        say("Rows and digests of every table are the same on both sides.")
        say("Servers on the copy need the same secret key: BPM_SECRET_KEY, or secret.key of the data folder.")

    run(work)


@app.command()
def adopt_key() -> None:
    """Go on with the present secret key where the former one is lost: what that one sealed stays unreadable."""

    async def work(settings: "Settings") -> None:
        from bpm.accounts import Installation
        from bpm.security.secrets import load_secret_key

        refuse_missing_file(settings)
        database = await checked(settings)
        await database.start()
        try:
            await Installation(database, load_secret_key(settings)).adopt()
        finally:
            await database.stop()
        say("adopted; enter the secrets of every webhook again; passwords and API keys go on working")

    run(work)


async def _problems_of_key(settings: "Settings", database: "Database") -> list[str]:
    """Say what a start would of the secret key; none is made."""
    from bpm.accounts import Installation
    from bpm.security.secrets import KEY_FILE, load_accepted_key, load_secret_key
    from bpm.store.factory import is_embedded

    file = settings.data_dir / KEY_FILE
    if settings.secret_key is None and not file.exists():
        told = f"{file} is missing; restore it from a backup, or set BPM_SECRET_KEY"
        # a server on PostgreSQL makes one where there is none, unless the database was written with another
        makes_one = not is_embedded(settings) and await Installation(database, b"").is_first()
        return [] if makes_one else [told]
    words = await Installation(database, load_secret_key(settings), load_accepted_key(settings)).examine()
    return [words] if words is not None else []


def _make_key_of_new_file(settings: "Settings") -> None:
    """Make the key that a first start would make; beside a file that is there a server misses it."""
    from bpm.security.private_files import make_private_folder
    from bpm.security.secrets import load_secret_key
    from bpm.store.factory import is_embedded
    from bpm.store.sqlite import database_file

    if is_embedded(settings) and not database_file(settings).exists():
        make_private_folder(settings.data_dir)
        load_secret_key(settings)


def _of(settings: "Settings", url: str) -> "Settings":
    """Return the settings for another database; what belongs to a file lies beside it."""
    from bpm.store.factory import POSTGRES, SQLITE, is_embedded
    from bpm.store.sqlite import database_file

    if not url.startswith((*SQLITE, *POSTGRES)):
        fail(ExitStatus.USAGE, "FROM and TO are written as sqlite:////var/lib/bpm/bpm.db or postgresql://user@host/bpm")
    other = settings.model_copy(update={"database_url": url})
    return other.model_copy(update={"data_dir": database_file(other).parent}) if is_embedded(other) else other


async def _copy_alone(source: "Database", target: "Database", settings: "Settings") -> dict[str, int]:
    from bpm.store.copy import copy_database

    with owned(settings), shown_progress() as progress:
        return await copy_database(source, target, progress)


async def _upgraded(database: "Database", settings: "Settings") -> None:
    from bpm.clock import system_clock
    from bpm.jobs.factory import open_jobs

    await database.start()
    try:
        await open_jobs(database, settings, system_clock).prepare()
    finally:
        await database.stop()


def _described(database: "Database") -> str:
    return f"{database.facts['database']}, {database.facts['place']}"
