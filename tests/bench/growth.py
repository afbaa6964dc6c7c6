"""Stored requests by the million, put into a server's database beside it."""

import asyncio
from pathlib import Path

from bpm.app import build_registry
from bpm.settings import Settings
from bpm.store import open_database
from tests.crowd import fill, multiply

COPIES = 16
"""A sixteenth of the requests is made here, the rest copied within the database."""


def store(folder: Path, count: int) -> None:
    """Store so many requests, as if they had come in over the years."""
    if count:
        asyncio.run(_store(folder, count))


async def _store(folder: Path, count: int) -> None:
    settings = Settings(data_dir=folder)
    build_registry(settings)
    database = open_database(settings)
    await database.start()
    await fill(database, count // COPIES)
    await multiply(database, COPIES)
    await database.stop()
