"""Names in the log what holds the event loop: a handler that blocks there lets every request wait."""

import asyncio
import math
import sys
import threading
import time
import traceback
from collections.abc import Callable

import structlog

NOTICE_SECONDS = 1.0
"""How long the loop may be busy with one thing before that is named."""
ASK_SECONDS = 0.5
FRAMES_SHOWN = 5

log = structlog.get_logger("bpm")


class StallWatch:
    """A thread that asks an event loop for a sign of life, and notes where it stands when none comes."""

    def __init__(
        self,
        held: str = "something holds the event loop, and every request waits",
        goes_on: str = "the event loop goes on",
        seconds: float = math.inf,
        give_up: Callable[[], bool] = lambda: True,
        come_back: Callable[[], object] = lambda: None,
    ) -> None:
        """Watch nothing yet; `held` and `goes_on` are what the log says.

        `give_up` is called when no sign comes for so many seconds, again and again until it returns True; `come_back`
        when the loop goes on. Both run in this thread.
        """
        self._held = held
        self._goes_on = goes_on
        self._seconds = seconds
        self._give_up = give_up
        self._come_back = come_back
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0

    def start(self) -> None:
        """Watch the running loop, which is this thread's."""
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        threading.Thread(target=self._serve, name="bpm-stall-watch", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()

    def _serve(self) -> None:
        while not self._ended.wait(ASK_SECONDS):
            self._ask()

    def _ask(self) -> None:
        answered = threading.Event()
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(answered.set)
        except RuntimeError:  # the loop is closed
            self._ended.set()
            return
        asked = time.monotonic()
        if answered.wait(min(NOTICE_SECONDS, self._seconds)) or self._ended.is_set():
            return
        log.warning(self._held, at=stack_of(self._loop_thread, FRAMES_SHOWN))
        self._wait(answered, asked)
        log.warning(self._goes_on, seconds=round(time.monotonic() - asked, 1))
        self._come_back()

    def _wait(self, answered: threading.Event, asked: float) -> None:
        """Wait for the sign of life, and give the loop up when it takes too long."""
        is_given_up = False
        while not answered.wait(ASK_SECONDS) and not self._ended.is_set():
            if not is_given_up and time.monotonic() - asked >= self._seconds:
                is_given_up = self._give_up()


def stack_of(thread: int, frames: int) -> str:
    """Return the innermost lines of a thread's stack, the innermost last."""
    frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage] no other way
    stack = traceback.extract_stack(frame)[-frames:] if frame is not None else []
    return " > ".join(f"{line.filename}:{line.lineno} {line.name}" for line in stack)
