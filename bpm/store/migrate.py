"""Bring the schema up to date: our tables by the migrations in the package, an application's by creation."""

from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, func, inspect, select, text
from sqlmodel import SQLModel
from sqlmodel.main import default_registry

from bpm.errors import Misconfigured
from bpm.store.unfinished import refuse_unfinished

FOLDER = Path(__file__).parent / "migrations"

MIGRATION_LOCK = 0x62706D_0001
"""The advisory lock that PostgreSQL gives to one migrating process at a time: `bpm` and a number."""

OWN_PACKAGES = frozenset({"bpm", "commands", "router", "scripts"})
"""The packages whose tables the migrations make; every other table is an application's."""


def upgrade(engine: Engine, before_migration: Callable[[str], object] | None = None) -> None:
    """Run the missing migrations, then create what an application added; processes that start together take turns.

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
        if revision is not None and revision != newest_revision() and before_migration is not None:
            before_migration(revision)
        if revision != newest_revision():
            _migrate(connection)
        _create_application_tables(connection)


def _take_turns(connection: Connection) -> None:
    """Let one process migrate at a time; SQLite's transaction locks others out by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))


def _create_application_tables(connection: Connection) -> None:
    """Create the tables of application packages that are missing; one that exists is never altered.

    Raises `Misconfigured` when an existing table lacks a column of its class.
    """
    tables = application_tables()
    SQLModel.metadata.create_all(connection, tables=tables)
    faults = [fault for table in tables for fault in _missing_columns(connection, table)]
    if faults:
        raise Misconfigured(*faults)


def own_tables() -> list[Table]:
    """Return the tables that the migrations make."""
    return [table for package, table in _tables() if package in OWN_PACKAGES]


def application_tables() -> list[Table]:
    """Return the tables that imported application packages define."""
    return [table for package, table in _tables() if package not in OWN_PACKAGES]


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


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, "head")


def _tables() -> Iterable[tuple[str, Table]]:
    for mapper in default_registry.mappers:
        if isinstance(mapper.local_table, Table):
            yield mapper.class_.__module__.partition(".")[0], mapper.local_table


def _missing_columns(connection: Connection, table: Table) -> Iterable[str]:
    present = {column["name"] for column in inspect(connection).get_columns(table.name)}
    missing = [column.name for column in table.columns if column.name not in present]
    if missing:
        yield (
            f"the table {table.name} lacks {', '.join(missing)}; tables of applications are created once and never "
            "altered, so add the columns (ALTER TABLE … ADD COLUMN) and start again"
        )
