"""A data folder as the first start leaves it, but without rows: making the tables takes most of that start."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from bpm.app.foundation import installation_key, prepare_data_dir
from bpm.settings import Settings
from bpm.store.sqlite import SqliteDatabase


async def fill_folder(settings: Settings) -> None:
    """Give the data folder a key and all tables; one that has a database already is left as it is."""
    if settings.database_url is not None or settings.sqlite_path.exists():
        return
    prepare_data_dir(settings)
    installation_key(settings)
    shutil.copy(await _empty_database(), settings.sqlite_path)


async def _empty_database() -> Path:
    settings = Settings(data_dir=_kept())
    if not settings.sqlite_path.exists():
        database = SqliteDatabase(settings)
        await database.start()
        await database.stop()
    return settings.sqlite_path


@cache
def _kept() -> Path:
    """The folder that this process copies from; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="bpm-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
