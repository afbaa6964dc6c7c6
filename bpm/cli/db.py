"""`bpm db upgrade`, `check`, `copy` and `adopt-key`: the database beside the server."""

from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli import backups
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table
from bpm.cli.storage import checked, owned, refuse_missing_file, run, shown_progress

if TYPE_CHECKING:
    from bpm.settings import Settings
    from bpm.store import Database

app = typer.Typer(
    no_args_is_help=True, help="Upgrade, check, copy, back up or restore the database (BPM_DATABASE_URL)."
)
app.command()(backups.backup)
app.command()(backups.restore)
app.command()(backups.compact)


@app.command()
def upgrade() -> None:
    """Bring the schema up to date; `bpm serve` does the same when it starts."""

    async def work(settings: "Settings") -> None:
        from bpm.store.examination import examine

        database = await checked(settings)
        before = (await examine(database)).revision
        await _upgraded(database, settings)
        after = (await examine(database)).revision
        typer.echo(f"{_described(database)}: revision {after}" + ("" if before == after else f", was {before}"))

    run(work)


@app.command()
def check(format: FormatOption = OutputFormat.AUTO) -> None:  # noqa: A002 the option's name
    """Say which database this is, how safe, how full, and what is wrong with it; 1 when something is."""

    async def work(settings: "Settings") -> None:
        from bpm.store.examination import examine

        refuse_missing_file(settings)
        database = await checked(settings)
        found = await examine(database)
        if format.is_text:
            shown = {**database.facts, "revision": found.revision or "none"}
            print_table(["", ""], [[name, value] for name, value in shown.items()])
            print_table(["table", "rows"], [[name, str(rows)] for name, rows in found.rows.items()])
        else:
            facts = dict(database.facts)
            print_json({**facts, "revision": found.revision, "rows": found.rows, "problems": found.problems})
        if found.problems:
            fail(ExitStatus.ERROR, "there are problems", *found.problems)

    run(work)


@app.command()
def copy(
    to: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database, as in BPM_DATABASE_URL.")],
) -> None:
    """Copy everything into an empty database, SQLite or PostgreSQL; stop the servers first.

    Job tokens are left out: they are made anew from the rows when a worker starts.
    """

    async def work(settings: "Settings") -> None:
        refuse_missing_file(settings)
        target_settings = settings.model_copy(update={"database_url": to})
        source = await checked(settings)
        target = await checked(target_settings)
        await _upgraded(target, target_settings)
        copied = await _copy_alone(source, target, settings)
        typer.echo(f"copied {sum(copied.values())} rows of {len(copied)} tables from {source.name} to {target.name}")
        typer.echo("Servers on the copy need the same secret key: BPM_SECRET_KEY, or secret.key of the data folder.")

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
        typer.echo("adopted; enter the secrets of every webhook again, and issue new API keys")

    run(work)


async def _copy_alone(source: "Database", target: "Database", settings: "Settings") -> dict[str, int]:
    from bpm.store.copy import copy_database

    with owned(settings), shown_progress() as progress:
        return await copy_database(source, target, progress)


async def _upgraded(database: "Database", settings: "Settings") -> None:
    from bpm.clock import system_clock
    from bpm.jobs.opening import open_jobs

    await database.start()
    try:
        await open_jobs(database, settings, system_clock).prepare()
    finally:
        await database.stop()


def _described(database: "Database") -> str:
    return f"{database.facts['database']}, {database.facts['place']}"
