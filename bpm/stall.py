"""Names in the log what holds the event loop: a handler that blocks there lets every request wait."""

import asyncio
import sys
import threading
import time
import traceback

import structlog

NOTICE_SECONDS = 1.0
"""How long the loop may be busy with one thing before that is named."""
ASK_SECONDS = 0.5
FRAMES_SHOWN = 5

log = structlog.get_logger("bpm")


class StallWatch:
    """A thread that asks the event loop for a sign of life, and notes where it stands when none comes."""

    def __init__(self) -> None:
        """Watch nothing yet."""
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
        if answered.wait(NOTICE_SECONDS) or self._ended.is_set():
            return
        place = stack_of(self._loop_thread, FRAMES_SHOWN)
        log.warning("something holds the event loop, and every request waits", at=place)
        while not answered.wait(NOTICE_SECONDS) and not self._ended.is_set():
            pass
        log.warning("the event loop goes on", seconds=round(time.monotonic() - asked, 1))


def stack_of(thread: int, frames: int) -> str:
    """Return the innermost lines of a thread's stack, the innermost last."""
    frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage] no other way
    stack = traceback.extract_stack(frame)[-frames:] if frame is not None else []
    return " > ".join(f"{line.filename}:{line.lineno} {line.name}" for line in stack)
