"""Which database the settings name."""

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store.database import Database
from bpm.store.sqlite import SqliteDatabase


def open_database(settings: Settings) -> Database:
    """Return the database the settings name, not yet started."""
    if settings.database_url is None or settings.database_url.startswith("sqlite:"):
        return SqliteDatabase(settings)
    raise Misconfigured("BPM_DATABASE_URL must be unset or start with sqlite: in this version")
