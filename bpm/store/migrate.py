"""Bring the schema up to date: our tables by the migrations in the package, then what applications bring."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from bpm.errors import Misconfigured
from bpm.store.application_migrations import VERSION_TABLE, run_migrations
from bpm.store.application_tables import bring_up_to_date, is_any_behind
from bpm.store.copy_marker import refuse_unfinished

FOLDER = Path(__file__).parent / "migrations"

MIGRATION_LOCK = 0x62706D_0001
"""The advisory lock that PostgreSQL gives to one migrating process at a time: `bpm` and a number."""


def upgrade(engine: Engine, before_migration: Callable[[str], object] | None = None) -> None:
    """Run the missing migrations, ours and those of applications; processes that start together take turns.

    A database that is up to date is left alone (and Alembic unloaded). One that is older is shown, with its revision,
    to `before_migration` first. Raises `Misconfigured`.
    """
    with engine.begin() as connection:
        _take_turns(connection)
        refuse_unfinished(connection)
        revision = revision_of(connection)
        if revision not in (None, *revisions()):
            raise Misconfigured(
                f"the database is at revision {revision}, which this version does not know; "
                "start the version that wrote it, or restore a backup"
            )
        is_behind = revision != newest_revision()
        if revision is not None and before_migration is not None and (is_behind or is_any_behind(connection)):
            before_migration(revision)
        if is_behind:
            run_migrations(connection, FOLDER / "versions", VERSION_TABLE)
        bring_up_to_date(connection)


def _take_turns(connection: Connection) -> None:
    """Let one process migrate at a time; SQLite's transaction locks others out by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))


def newest_revision() -> str:
    """Return the revision of the last migration."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Return the revision of every migration, the first one first: its file's number, as in `0001_first.py`."""
    return sorted(path.stem.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """Return the revision as seen inside an open transaction."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
