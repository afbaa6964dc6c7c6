"""Makes events of the audit log's lines, beside the commands that leave them, for whoever subscribed to them.

A command's transaction knows nothing of it: the lines are read in the order of their numbers once they are committed,
by every process that has a worker, and the one that is first goes on from where the last one was.
"""

import contextlib
import time
from collections.abc import Sequence
from functools import partial

from bpm.bus.envelope import MAX_DEPTH
from bpm.clock import Clock
from bpm.errors import Fenced
from bpm.events import audit_events, audit_tables, tables
from bpm.events.audit_tables import AuditLine, AuditLineHead
from bpm.events.publisher import Publisher
from bpm.events.settlement import DELIVERIES
from bpm.events.tables import EventRow
from bpm.metering import MAX_MESSAGE_STEPS, budget
from bpm.repeating import RepeatingTask
from bpm.security.identifiers import new_id
from bpm.store import Database, Transaction

EVERY_SECONDS = 1.0
BATCH = 100
BATCH_BYTES = 4 * 1024 * 1024
UNIT_SECONDS = 0.02
"""How long a transaction may make events before it leaves the rest to the next."""
GAP_SECONDS = 60.0
"""How long a number that no line has is waited for.

PostgreSQL gives numbers before the commit, so a line may appear behind one with a higher number. It is inserted just
before its commit; a transaction that was undone leaves its number unused.
"""


class AuditPublisher:
    """Goes through the audit log; while nobody subscribed to one it looks for subscriptions, and for nothing else."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock, most_bytes: int) -> None:
        """Take what finds the subscriptions; `most_bytes` bounds what an event says of a command's fields."""
        self._database = database
        self._publisher = publisher
        self._clock = clock
        self._most_bytes = most_bytes
        self._gap: tuple[int, float] | None = None
        failure = "the audit log can't be made events"
        self._task = RepeatingTask("bpm-audit-events", self.publish, EVERY_SECONDS, failure=failure)

    def start(self) -> None:
        """Begin to look."""
        self._task.start()

    async def stop(self) -> None:
        """Look no more; the next process goes on."""
        await self._task.stop()

    async def publish(self) -> None:
        """Make events of all lines that are there."""
        with contextlib.suppress(Fenced):  # another process goes on
            while await self._publish_batch():
                pass

    async def _publish_batch(self) -> bool:
        """Make events of the next lines; tells whether there may be more."""
        organizations = await self._database.read(audit_tables.reading_organizations)
        if not organizations:
            return False
        position, heads, are_in_order = await self._database.read(_next_heads)
        if not are_in_order:
            heads = self._before_gap(position, heads)
        if not heads:
            return await self._database.write(partial(_begin_anew, position=position))
        wanted = [head for head in heads if head.organization_id in organizations and _is_told(head)]
        lines, last = await self._database.read(partial(self._lines, wanted=wanted, last=heads[-1].id))
        await self._database.write(partial(self._write, position=position, lines=lines, last=last))
        return True

    def _before_gap(self, position: int, heads: Sequence[AuditLineHead]) -> Sequence[AuditLineHead]:
        """Return the lines up to a number that is missing, unless that was waited for long enough."""
        expected, now = position + 1, time.monotonic()
        for count, head in enumerate(heads):
            if head.id != expected:
                if self._gap is None or self._gap[0] != expected:
                    self._gap = (expected, now)
                if now - self._gap[1] < GAP_SECONDS:
                    return heads[:count]
            expected = head.id + 1
        return heads

    def _lines(self, tx: Transaction, wanted: Sequence[AuditLineHead], last: int) -> tuple[list[AuditLine], int]:
        """Return what the lines say, and the last one that was looked at: together they take so much memory."""
        lines: list[AuditLine] = []
        size = 0
        for head in wanted:
            line = audit_tables.audit_line(tx, head.organization_id, head.id)
            if line is not None:
                lines.append(line)
                size += len(line.fields or "")
            if size > BATCH_BYTES:
                return lines, head.id
        return lines, last

    def _write(self, tx: Transaction, position: int, lines: Sequence[AuditLine], last: int) -> None:
        """Make events of as many lines as there is time for; raises `Fenced` when another process has."""
        until = time.monotonic() + UNIT_SECONDS
        for line in lines:
            if time.monotonic() > until:
                last = line.id - 1
                break
            with budget(MAX_MESSAGE_STEPS):
                self._tell(tx, line)
        if last > position and not audit_tables.move(tx, position, last):
            raise Fenced

    def _tell(self, tx: Transaction, line: AuditLine) -> None:
        """Store the event of a line with its deliveries, if anybody wants it."""
        data = audit_events.data_of(line, self._most_bytes)
        event = EventRow(line.organization_id, new_id(), audit_events.name_of(line), line.created_at, data)
        if not self._publisher.fan_out(tx, event, self._clock()):
            return
        row = {
            **event._asdict(),
            "data": {audit_events.LINE: line.id},
            "idempotency_key": None,
            "correlation_id": line.correlation_id,
            "depth": MAX_DEPTH,
        }
        tables.append_event(tx, row)


def _next_heads(tx: Transaction) -> tuple[int, Sequence[AuditLineHead], bool]:
    """Return how far it has come, the next lines, and whether their numbers are in the order of the commits."""
    position = audit_tables.position(tx)
    return position, audit_tables.next_lines(tx, position, BATCH), tx.driver is not None


def _is_told(head: AuditLineHead) -> bool:
    """Tell whether a line becomes an event: not what deliveries of events have caused, here or by a request."""
    return (head.principal, head.principal_name) != DELIVERIES and head.depth <= MAX_DEPTH


def _begin_anew(tx: Transaction, position: int) -> bool:
    """Go on from the first line where the numbers begin anew; tells whether they do."""
    return audit_tables.begins_anew(tx, position) and audit_tables.move(tx, position, 0)
