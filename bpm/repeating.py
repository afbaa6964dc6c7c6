"""Work that a process does again and again until it stops."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("bpm")


class RepeatingTask:
    """Does its work, rests for some seconds, and does it again; a failure is logged and ends nothing."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        seconds: float,
        *,
        first_after: float | None = None,
        failure: str = "",
    ) -> None:
        """Take the work and how long it rests; it begins after `first_after`, or after as long as it rests.

        `failure` says in the log what could not be done.
        """
        self._name = name
        self._work = work
        self._seconds = seconds
        self._first_after = seconds if first_after is None else first_after
        self._failure = failure or f"{name} failed"
        self._task: asyncio.Task[None] | None = None

    @property
    def is_started(self) -> bool:
        """Whether it was started, also when it was stopped since."""
        return self._task is not None

    def start(self) -> None:
        """Begin; raises `RuntimeError` when it has begun."""
        if self._task is not None:
            raise RuntimeError(f"{self._name} has been started")
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    async def stop(self) -> None:
        """End, also in the middle of the work; without a start, and a second time, it does nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _repeat(self) -> None:
        await asyncio.sleep(self._first_after)
        while True:
            try:
                await self._work()
            except Exception as error:
                log.warning(f"{self._failure}; it is tried again in {self._seconds:g} s", error=repr(error))
            await asyncio.sleep(self._seconds)
