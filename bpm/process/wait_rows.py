"""The rows of what an instance waits for, while its effects are carried out."""

from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any

from bpm.bus import Context
from bpm.jobs import Job, JobQueue
from bpm.process import task_tables, wait_tables
from bpm.process.rows import InstanceRow
from bpm.process.sealing import stored_wait


class WaitRows:
    """Opens and closes waits; `opened` are the rows to be written at the end, by the wait's id.

    A wait that is answered within the transaction never becomes a row.
    """

    def __init__(self, context: Context, jobs: JobQueue, known: Container[int]) -> None:
        """Work in the context's transaction; `known` are the waits that have rows, from time to time more of them."""
        self._context = context
        self._jobs = jobs
        self._known = known
        self._passed: set[int] = set()
        self._closed: list[tuple[int, int]] = []
        self._offered: list[tuple[int, int]] = []
        self.opened: dict[int, dict[str, Any]] = {}

    def open(
        self,
        instance: InstanceRow,
        effect: Any,
        kind: str,
        data: Mapping[str, Any] | None = None,
        *,
        due: datetime | None = None,
        name: str | None = None,
        key: str | None = None,
    ) -> None:
        """Open the wait of an effect, or put it in the place of the one with its id; a job for it becomes due."""
        now, is_woken = self._context.now(), kind in wait_tables.JOB_KINDS
        due = due or (now if is_woken else None)
        row: dict[str, Any] = {
            "instance_id": instance.id,
            "wait_id": effect.wait_id,
            "organization_id": instance.organization_id,
            "kind": kind,
            "element_id": effect.element_id,
            "attempt": getattr(effect, "attempt", 1),
            "depth": self._context.envelope.depth,
            "tries": 0,
            "due_at": due,
            "name": name,
            "key": key,
            "turn": None,
            "data": stored_wait(kind, data, self._context.box),
            "created_at": now,
            "failure": None,
        }
        self._passed.discard(effect.wait_id)
        self._remove(instance, effect.wait_id)
        self.opened[effect.wait_id] = row
        if is_woken and due is not None:
            ref = f"{instance.id}.{effect.wait_id}.{row['attempt']}"
            self._jobs.enqueue(self._context.tx, Job(wait_tables.KIND, ref, 0, due, instance.organization_id))

    def place(self, waits: Mapping[int, int]) -> None:
        """Say of waits that were opened which turns they are part of."""
        for wait_id, row in self.opened.items():
            row["turn"] = waits.get(wait_id)

    def pass_over(self, instance: InstanceRow, wait_id: int) -> None:
        """Leave a wait unwritten, for it is answered within this transaction."""
        self._remove(instance, wait_id)
        self._passed.add(wait_id)

    def close(self, instance: InstanceRow, wait_id: int, *, is_offered: bool = False) -> None:
        """Forget a wait; `is_offered` to people."""
        if is_offered:
            self._offered.append((instance.id, wait_id))
        if wait_id in self._passed:
            self._passed.discard(wait_id)
        elif self.opened.pop(wait_id, None) is None or wait_id in self._known:
            self._closed.append((instance.id, wait_id))

    def remove(self, instance_id: int, wait_id: int) -> None:
        """Remove a row that the engine does not know."""
        self._closed.append((instance_id, wait_id))

    def forget_closed(self) -> None:
        """Remove the rows of the waits that were closed, so that nobody finds them any more."""
        if self._offered:
            task_tables.remove_candidates(self._context.tx, self._offered)
            self._offered = []
        if self._closed:
            wait_tables.close_waits(self._context.tx, self._closed)
            self._closed = []

    def _remove(self, instance: InstanceRow, wait_id: int) -> None:
        """Remove the row that a wait has already, if it has one."""
        if wait_id in self._known:
            self._closed.append((instance.id, wait_id))
