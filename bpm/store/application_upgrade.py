"""Runs the migrations of an application's package, and refuses what would harm the product or keep it from starting.

All of it is one transaction with the rest of the upgrade: whatever is refused leaves the database as it was.
"""

import re
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, text

from bpm.errors import BpmError, Misconfigured
from bpm.store.application_migrations import (
    VERSION_TABLE,
    ApplicationMigrations,
    application_migrations,
    own_tables,
    run_migrations,
)

_ENDS_TRANSACTION = re.compile(r"\s*(BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK(?!\s+TO)|ABORT)\b", re.IGNORECASE)
_KEPT = "nothing of the upgrade was kept"


def migrate_applications(connection: Connection) -> None:
    """Run the missing migrations of every application package; raises `Misconfigured`."""
    for each in application_migrations():
        if each.is_behind(connection):
            migrate_application(connection, each)


def migrate_application(connection: Connection, migrations: ApplicationMigrations) -> None:
    """Run the missing migrations of one package; raises `Misconfigured` for what fails, and for what it may not do."""
    before = _columns_of_product(connection)
    with _named_failures(migrations), _one_transaction(connection):
        _require_chain(migrations)
        run_migrations(connection, migrations.folder, migrations.version_table)
    if _columns_of_product(connection) != before:
        changed = sorted({f"{table}.{column}" for table, column in before ^ _columns_of_product(connection)})
        raise Misconfigured(
            f"the migrations of {migrations.package} change what is the product's: {', '.join(changed)}; a migration "
            f"of an application changes its own tables alone. {_KEPT.capitalize()}"
        )


def _columns_of_product(connection: Connection) -> set[tuple[str, str]]:
    """Return the columns of our tables as they are, and the revision that they stand at."""
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    columns = {
        (table.name, column["name"])
        for table in own_tables()
        if table.name in present
        for column in inspector.get_columns(table.name)
    }
    revisions = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars()  # noqa: S608 ours
    return columns | {(VERSION_TABLE, str(revision)) for revision in revisions}


def _require_chain(migrations: ApplicationMigrations) -> None:
    """Raise `Misconfigured` unless each follows the one before, and is called by its file's number.

    The number is what says later which are still to be made.
    """
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(migrations.folder), version_locations=[str(migrations.folder)]).walk_revisions
    found = {Path(script.path).name: script for script in scripts("base", "heads")}
    expected: str | None = None
    for name in sorted(found):
        script, number = found[name], name.removesuffix(".py").split("_")[0]
        if script.revision != number:
            raise Misconfigured(f"{name} is revision {script.revision!r}; write revision = {number!r}, as in its name")
        if script.down_revision != expected or script.dependencies:
            raise Misconfigured(
                f"{name} follows {script.down_revision!r}, and depends on {script.dependencies!r}; write "
                f"down_revision = {expected!r}, the one before it in the order of the files' names, and no depends_on"
            )
        expected = number


@contextmanager
def _named_failures(migrations: ApplicationMigrations) -> Generator[None]:
    """Say which migration failed, where, and why."""
    try:
        yield
    except BpmError as error:
        sentences = (f"the migrations of {migrations.package}: {sentence}; {_KEPT}" for sentence in error.errors)
        raise Misconfigured(*sentences) from error
    except (Exception, SystemExit) as error:  # the files are an application's, with mistakes of any kind
        reason = str(getattr(error, "orig", None) or error) or "no reason given"
        raise Misconfigured(
            f"the migrations of {migrations.package} failed{_place(error, migrations.folder)}: "
            f"{type(error).__name__}: {reason}; {_KEPT}"
        ) from error


def _place(error: BaseException, folder: Path) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == folder]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


@contextmanager
def _one_transaction(connection: Connection) -> Generator[None]:
    """Refuse statements that end the transaction: what was done before them would be kept when the rest fails."""

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if _ENDS_TRANSACTION.match(statement):
            raise Misconfigured(f"{statement.strip()!r} ends the transaction that all migrations of a start are")

    event.listen(connection, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", refuse)
