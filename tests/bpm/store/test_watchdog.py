"""What is left of an interrupt once the work that it ended is over, and which time counts."""

import threading
import time
from contextlib import suppress
from types import FrameType

import pytest

from bpm.errors import TookTooLong
from bpm.store import watchdog
from bpm.store.abandoned_threads import AbandonedThreads
from bpm.store.handler_names import HandlerNames
from bpm.store.watchdog import Watchdog

SECONDS = 60
"""Within which a thread ends that nothing holds up."""


class Link:
    """The connection of a thread that runs no statement."""

    def interrupt(self) -> None:
        """Have nothing to end."""

    def resume(self) -> None:
        """Have nothing to let run."""


def follow(_frame: FrameType, _event: str, _argument: object) -> None:
    """Do what a profiler does, and note nothing."""


def spin() -> None:
    """Never end."""
    while True:
        pass


def test_a_thread_under_a_profiler_gets_on_after_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left that every thread looks for at every call: one that is followed would not come past it."""
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.01)
    dog = Watchdog(0.02, AbandonedThreads(), HandlerNames())
    watch = dog.watch(Link(), lambda: None)
    dog.start()
    for _ in range(3):
        with pytest.raises(TookTooLong):
            watch.run(spin)
    dog.stop()
    followed = threading.Thread(target=lambda: None, daemon=True)
    threading.setprofile(follow)
    try:
        followed.start()
    finally:
        threading.setprofile(None)  # pyright: ignore[reportArgumentType] - the stub does not know it
    followed.join(SECONDS)
    assert not followed.is_alive()


def test_time_in_which_nobody_looked_counts_only_in_part() -> None:
    """The work of a process that was paused, or did not get its turn, is not ended for how late it is."""
    dog, begun, ends = Watchdog(0.05, AbandonedThreads(), HandlerNames()), threading.Event(), threading.Event()
    watches: list[watchdog.Watch] = []

    def work() -> None:
        watches.append(dog.watch(Link(), lambda: None))
        with suppress(TookTooLong):
            watches[0].run(lambda: (begun.set(), ends.wait(SECONDS)))

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(SECONDS)
    time.sleep(0.1)
    watches[0].look(0.01)
    assert not watches[0].has_overrun
    watches[0].look(watchdog.MOST_BETWEEN_LOOKS)
    assert watches[0].has_overrun
    ends.set()
    thread.join()
