"""When a key or a browser's session was last used, written down beside the requests that used it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bpm.store import Database, Transaction

NOTED_EVERY = timedelta(minutes=1)

log = structlog.get_logger("bpm.accounts")


class Uses:
    """Notes uses of one kind of thing, each at most once a minute."""

    def __init__(self, database: Database, what: str, touch: Callable[[Transaction, str, datetime], object]) -> None:
        """Take what the thing is called in the log, and the statement that writes a use down."""
        self._database = database
        self._what = what
        self._touch = touch
        self._notes: dict[str, asyncio.Task[None]] = {}

    def note(self, id_: str, last: datetime | None, now: datetime) -> None:
        """Note that a thing is used now, unless its `last` use was a moment ago."""
        if id_ not in self._notes and (last is None or now - last >= NOTED_EVERY):
            note = self._notes[id_] = asyncio.create_task(self._write(id_, now))
            note.add_done_callback(lambda _: self._notes.pop(id_))

    async def stop(self) -> None:
        """Finish writing; call it before the database stops."""
        await asyncio.gather(*self._notes.values())

    async def _write(self, id_: str, now: datetime) -> None:
        try:
            await self._database.write(lambda tx: self._touch(tx, id_, now))
        except Exception as error:  # the request it belongs to is right without it
            log.warning(f"the use of {self._what} could not be noted", id=id_, error=str(error))
