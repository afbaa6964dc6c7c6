"""Work that is repeated: it survives its failures, and ends when it is told."""

import asyncio

import pytest
import structlog

from bpm.repeating import RepeatingTask

pytestmark = pytest.mark.anyio

SECONDS = 60


class Work:
    """Counts its turns, fails at some of them, and tells when it has had so many."""

    def __init__(self, turns: int, *, failing: tuple[int, ...] = ()) -> None:
        self.turns = 0
        self.enough = asyncio.Event()
        self._most = turns
        self._failing = failing

    async def __call__(self) -> None:
        self.turns += 1
        if self.turns >= self._most:
            self.enough.set()
        if self.turns in self._failing:
            raise ValueError(f"turn {self.turns}")


async def test_a_failure_is_told_and_the_work_goes_on() -> None:
    """What fails once is done again; the log says what, and why."""
    work = Work(3, failing=(1, 2))
    task = RepeatingTask("bpm-sample", work, 0.001, failure="the sample failed")
    with structlog.testing.capture_logs() as lines:
        task.start()
        async with asyncio.timeout(SECONDS):
            await work.enough.wait()
        await task.stop()
    told = [(line["event"], line["error"]) for line in lines]
    assert told == [("the sample failed; it is tried again in 0.001 s", f"ValueError('turn {n}')") for n in (1, 2)]


async def test_it_ends_in_the_middle_of_its_work() -> None:
    """Work that hangs keeps no process from stopping, and nothing is done afterwards."""
    begun = asyncio.Event()
    ended: list[str] = []

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    task = RepeatingTask("bpm-sample", hang, 0.001, first_after=0)
    task.start()
    async with asyncio.timeout(SECONDS):
        await begun.wait()
        await task.stop()
        await task.stop()
    assert ended == ["ended"]


async def test_the_first_turn_may_come_at_once_or_after_a_rest() -> None:
    """Without a first moment of its own it rests before it begins."""
    at_once, rested = Work(1), Work(1)
    tasks = [RepeatingTask("one", at_once, 3_600, first_after=0), RepeatingTask("other", rested, 3_600)]
    for task in tasks:
        task.start()
    async with asyncio.timeout(SECONDS):
        await at_once.enough.wait()
    assert rested.turns == 0
    for task in tasks:
        await task.stop()


async def test_it_is_started_once() -> None:
    """A second start would leave a task that nobody stops; stopping what never began does nothing."""
    task = RepeatingTask("bpm-sample", Work(1), 3_600)
    await task.stop()
    assert not task.is_started
    task.start()
    with pytest.raises(RuntimeError, match="bpm-sample has been started"):
        task.start()
    await task.stop()
