"""Which database the settings name."""

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store.database import Database
from bpm.store.sqlite import SqliteDatabase

SQLITE, POSTGRES = ("sqlite:",), ("postgresql://", "postgresql+asyncpg://", "postgres://")


def open_database(settings: Settings) -> Database:
    """Return the database the settings name, not yet started; raises `Misconfigured`."""
    url = settings.database_url
    if url is None or url.startswith(SQLITE):
        return SqliteDatabase(settings)
    if not url.startswith(POSTGRES):
        raise Misconfigured("BPM_DATABASE_URL must be unset, or start with sqlite: or postgresql:")
    from bpm.store.postgres import PostgresDatabase  # loaded only where it is spoken to

    return PostgresDatabase(settings)
