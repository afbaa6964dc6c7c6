"""Collects spans, and sends them from a thread of its own, so that no request waits for a collector."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from bpm.metrics import Counter
from bpm.tracing.ids import Traceparent, first_span_of, is_sent, new_span_id, trace_id_of, write_traceparent
from bpm.tracing.span import AttributeValue, Kind, Span

MOST_WAITING = 4_096
"""How many spans wait for the collector at most; further ones are dropped and counted."""
BATCH = 512
MOST_BEGUN = 4_096
"""Of how many traces it is known that their first span was recorded: a caller may use its request's id twice."""
EVERY_SECONDS = 1.0
STOP_SECONDS = 5.0
"""How long the last spans may take to be sent when the process ends."""

log = structlog.get_logger("bpm.tracing")


class Exporter(Protocol):
    """What sends spans to a collector."""

    def export(self, spans: Sequence[Span]) -> bool:
        """Send them, within a bounded time; tells whether they were taken."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Tracer:
    """Writes down what was done, in the trace of what caused it."""

    def __init__(self, exporter: Exporter, ratio: float = 1.0) -> None:
        """Send with the exporter so many of all traces, from 0 to 1, each of them whole."""
        self.spans = Counter("bpm_spans_total", "Spans for the collector: sent, dropped or failed.", "outcome")
        self._exporter = exporter
        self._ratio = ratio
        self._waiting: deque[Span] = deque()
        self._begun: OrderedDict[int, None] = OrderedDict()
        self._awake = threading.Event()
        self._is_ending = False
        self._is_taken = True
        self._thread = threading.Thread(target=self._send_all, name="bpm-traces", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, for a few seconds at most, and send no more; it blocks."""
        self._is_ending = True
        self._awake.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        self._exporter.close()

    def is_sent(self, cause: str) -> bool:
        """Tell whether the trace of a correlation id is sent."""
        return is_sent(trace_id_of(cause), self._ratio)

    def record(
        self,
        name: str,
        cause: str,
        seconds: float,
        attributes: Mapping[str, AttributeValue],
        *,
        kind: Kind = "internal",
        span_id: int | None = None,
        is_first: bool = False,
        links: Sequence[Traceparent | None] = (),
        is_failed: bool = False,
    ) -> None:
        """Write down what has just ended and took so many seconds, in the trace of the correlation id `cause`.

        It stands below the span that the trace begins with, unless it is that one itself.
        """
        trace_id = trace_id_of(cause)
        if not is_sent(trace_id, self._ratio):
            return
        if len(self._waiting) >= MOST_WAITING:
            self.spans.add("dropped")
            return
        ended_at, first = time.time_ns(), first_span_of(trace_id)
        own = first if is_first and self._begins(trace_id) else span_id or new_span_id()
        span = Span(
            name=name,
            kind=kind,
            trace_id=trace_id,
            span_id=own,
            parent_id=None if own == first else first,
            began_at=ended_at - round(seconds * 1e9),
            ended_at=ended_at,
            attributes=attributes,
            links=tuple(link for link in links if link is not None),
            is_failed=is_failed,
        )
        self._waiting.append(span)
        if len(self._waiting) >= BATCH:
            self._awake.set()

    def traceparent(self, cause: str, span_id: int) -> str:
        """Return the header by which a receiver goes on below a span."""
        trace_id = trace_id_of(cause)
        return write_traceparent(Traceparent(trace_id, span_id), is_sent=is_sent(trace_id, self._ratio))

    def first_of(self, cause: str) -> Traceparent:
        """Return the span that the trace of a correlation id begins with, to be linked to."""
        trace_id = trace_id_of(cause)
        return Traceparent(trace_id, first_span_of(trace_id))

    def _begins(self, trace_id: int) -> bool:
        """Tell whether a trace's first span is not recorded yet, and remember that it is now."""
        if trace_id in self._begun:
            return False
        self._begun[trace_id] = None
        if len(self._begun) > MOST_BEGUN:
            self._begun.popitem(last=False)
        return True

    def _send_all(self) -> None:
        while not self._is_ending:
            self._awake.wait(EVERY_SECONDS)
            self._awake.clear()
            self._send_waiting()
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            is_taken = self._export(batch)
            self.spans.add("sent" if is_taken else "failed", by=len(batch))
            if is_taken != self._is_taken:
                self._is_taken = is_taken
                self._tell()
            if not is_taken:
                return

    def _export(self, batch: Sequence[Span]) -> bool:
        try:
            return self._exporter.export(batch)
        except Exception:  # a collector's fault is nobody else's
            return False

    def _tell(self) -> None:
        if self._is_taken:
            log.info("the collector takes spans again")
        else:
            log.warning("the collector does not take spans; those that can't wait are dropped")
