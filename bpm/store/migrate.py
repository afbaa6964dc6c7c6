"""Bring the schema up to date with the migrations that ship in the package."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

FOLDER = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Run the missing migrations; a database that is up to date is left alone (and Alembic unloaded)."""
    if current_revision(engine) == newest_revision():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest_revision() -> str:
    """Return the revision of the last migration: its file's number, as in `0001_first.py`."""
    return max(path.stem.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current_revision(engine: Engine) -> str | None:
    """Return the revision the database stands at, or None for an empty one."""
    with engine.connect() as connection:
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the revision as seen inside an open transaction."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
