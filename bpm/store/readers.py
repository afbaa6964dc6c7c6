"""Reading beside the writer: a few threads with a connection each, waking once for all that waits."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from bpm.errors import Overloaded
from bpm.store.handover import Handover
from bpm.store.transaction import Transaction

T = TypeVar("T")

MAX_WAITING = 2_000


@dataclass(slots=True, eq=False)
class Read:
    """One read in the queue and what it found."""

    work: Callable[[Transaction], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Readers:
    """Runs reads against a snapshot that holds everything committed before they were asked for."""

    def __init__(self, connect: Callable[[], Connection], threads: int = 2) -> None:
        """Take how to open a reading connection."""
        self._connect = connect
        self._handover: Handover[Read] = Handover()
        self._threads = [
            threading.Thread(target=self._serve, name=f"bpm-reader-{n}", daemon=True) for n in range(threads)
        ]
        self.waiting = 0

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Finish what is queued, then end the threads."""
        for _ in self._threads:
            self._handover.end()
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join)

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a reading transaction and return its result; raises what it raised."""
        if self.waiting >= MAX_WAITING:
            raise Overloaded
        read = Read(work, asyncio.get_running_loop().create_future())
        self.waiting += 1
        self._handover.add(read)
        return await read.future

    def _serve(self) -> None:
        connection: Connection | None = None
        while batch := self._handover.take():
            try:
                connection = connection or self._connect()
                with connection.begin() as snapshot:
                    for read in batch:
                        self._run(connection, read)
                    snapshot.rollback()
            except Exception as error:  # the thread must live; every caller learns of it
                for read in batch:
                    read.error = read.error or error
                connection = _closed(connection)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
                batch[0].future.get_loop().call_soon_threadsafe(self._deliver, batch)
        _closed(connection)

    def _run(self, connection: Connection, read: Read) -> None:
        transaction = Transaction(connection)
        try:
            read.result = read.work(transaction)
        except Exception as error:  # it belongs to the caller
            read.error = error
        finally:
            transaction.close()

    def _deliver(self, batch: list[Read]) -> None:
        self.waiting -= len(batch)
        for read in batch:
            if read.future.done():
                continue
            if read.error is None:
                read.future.set_result(read.result)
            else:
                read.future.set_exception(read.error)


def _closed(connection: Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(Exception):
            connection.close()
