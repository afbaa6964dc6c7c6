"""What is told of an event loop that somebody holds."""

import threading
import time

import pytest
from structlog.testing import capture_logs

import bpm.stall
from bpm.stall import StallWatch

pytestmark = pytest.mark.anyio


async def test_what_has_stopped_is_not_told_to_be_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign of life that was asked for is not missed once nobody watches any more."""
    monkeypatch.setattr(bpm.stall, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(bpm.stall, "NOTICE_SECONDS", 2.0)
    before = set(threading.enumerate())
    watch = StallWatch("held, the test says", "goes on, the test says")
    with capture_logs() as lines:
        watch.start()
        (thread,) = set(threading.enumerate()) - before
        time.sleep(0.2)  # noqa: ASYNC251 the loop is held while the thread asks
        watch.stop()
        thread.join(60)
    own = [line for line in lines if line["event"].endswith("the test says")]  # others are of other tests' servers
    assert (own, thread.is_alive()) == ([], False)
