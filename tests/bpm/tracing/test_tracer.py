"""What happens to spans while the collector takes them, and while it does not."""

import threading
from collections.abc import Sequence

import pytest

from bpm.metrics import Counter
from bpm.security.identifiers import new_id
from bpm.tracing import Span, Tracer
from bpm.tracing.tracer import MOST_WAITING

PATIENCE = 60


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time to send the last spans."""
    monkeypatch.setattr("bpm.tracing.tracer.STOP_SECONDS", PATIENCE)


class SlowCollector:
    """Takes the first batch when it is told to, and refuses what comes after `most` spans."""

    def __init__(self, most: int = 1_000_000) -> None:
        self.spans: list[Span] = []
        self.may_go = threading.Event()
        self.is_asked = threading.Event()
        self._most = most

    def export(self, spans: Sequence[Span]) -> bool:
        self.is_asked.set()
        assert self.may_go.wait(PATIENCE)
        if len(self.spans) + len(spans) > self._most:
            raise OSError("no room")
        self.spans += spans
        return True

    def close(self) -> None:
        pass


def counts(counter: Counter) -> dict[str, float]:
    return {labels["outcome"]: value for _, labels, value in counter.samples()}


def test_what_a_collector_does_not_take_is_bounded_and_counted() -> None:
    """A collector that hangs costs a bounded number of spans of memory, and no request waits for it."""
    collector = SlowCollector()
    tracer = Tracer(collector)
    tracer.start()
    tracer.record("first", new_id(), 0, {})
    assert collector.is_asked.wait(PATIENCE)
    for _ in range(MOST_WAITING + 10):
        tracer.record("more", new_id(), 0, {})
    assert counts(tracer.spans) == {"dropped": 10}
    collector.may_go.set()
    tracer.stop()
    assert counts(tracer.spans) == {"dropped": 10, "sent": MOST_WAITING + 1}


def test_a_collector_that_fails_is_nobody_elses_fault() -> None:
    """What it raises is counted; the thread goes on."""
    collector = SlowCollector(most=0)
    collector.may_go.set()
    tracer = Tracer(collector)
    tracer.start()
    tracer.record("refused", new_id(), 0, {})
    tracer.stop()
    assert counts(tracer.spans) == {"failed": 1}


def test_a_request_id_that_is_used_twice_begins_a_trace_once() -> None:
    """No two spans of a trace have one id: the second stands below the first."""
    collector = SlowCollector()
    collector.may_go.set()
    tracer, cause = Tracer(collector), new_id()
    for _ in range(2):
        tracer.record("execute", cause, 0, {}, is_first=True)
    tracer.start()
    tracer.stop()
    first, second = collector.spans
    assert first.parent_id is None
    assert second.parent_id == first.span_id != second.span_id


def test_a_trace_that_is_not_sent_says_so_to_receivers() -> None:
    """With a ratio of 0 nothing is kept, and the header's flag tells receivers not to record either."""
    tracer = Tracer(SlowCollector(), ratio=0)
    tracer.record("left out", new_id(), 0, {})
    assert counts(tracer.spans) == {}
    assert tracer.traceparent(new_id(), 1).endswith("-0000000000000001-00")
