"""Which database the settings name."""

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store.database import Database
from bpm.store.sqlite import SqliteDatabase

SQLITE, POSTGRES = ("sqlite:",), ("postgresql://", "postgresql+asyncpg://", "postgres://")


def is_embedded(settings: Settings) -> bool:
    """Tell whether the settings name a file of SQLite."""
    return settings.database_url is None or settings.database_url.startswith(SQLITE)


def open_database(settings: Settings) -> Database:
    """Return the database the settings name, not yet started; raises `Misconfigured`."""
    if is_embedded(settings):
        return SqliteDatabase(settings)
    if not (settings.database_url or "").startswith(POSTGRES):
        raise Misconfigured("BPM_DATABASE_URL must be unset, or start with sqlite: or postgresql:")
    from bpm.store.postgres import PostgresDatabase  # loaded only where it is spoken to

    return PostgresDatabase(settings)
