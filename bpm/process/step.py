"""One instance in one transaction: its row, its state now, and the waits that are opened and closed on the way."""

from collections.abc import Sequence
from typing import Any, Protocol

from bpm.bpmn import effects
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.division import bodies_of, divide
from bpm.bpmn.state import Caller, Instance
from bpm.bpmn.triggers import Trigger
from bpm.bus import Context, Registry
from bpm.errors import Failed, Invalid
from bpm.jobs import JobQueue
from bpm.process import history_tables, instance_tables, wait_tables
from bpm.process.actors import starter_of
from bpm.process.definition_cache import DefinitionCache
from bpm.process.instances import InstanceState
from bpm.process.parts import Parts
from bpm.process.rows import HistoryEntry, InstanceRow
from bpm.process.sealing import is_secret, with_data
from bpm.process.transaction_budget import TransactionBudget
from bpm.process.wait_rows import WaitRows
from bpm.security.permissions import Authority, Principal
from bpm.security.sealing import seal_text
from bpm.settings import ProcessSettings

MOST_PEOPLE = 200
"""Maximum number of accounts and keys that answer for an instance by what they brought it: each step asks all."""


class StateTooLarge(Failed):
    """The state of the process instance is too large"""  # noqa: D400, D415 a message, not a sentence

    is_final = True


class Surroundings(Protocol):
    """The unit a step belongs to, as far as a step has to know it."""

    context: Context
    registry: Registry
    jobs: JobQueue
    deployed: DefinitionCache
    budget: TransactionBudget
    limits: ProcessSettings

    def follow(self, instance_id: int, trigger: Trigger) -> None:
        """Apply a trigger when those before it are through; one that does not fit any more is dropped."""
        ...

    def answer_for(self, instance_id: int, people: Authority) -> None:
        """Let another instance's tasks act for further people as well."""
        ...

    def find_early(self, step: "Step", wait: effects.OpenMessageWait) -> None:
        """Answer a wait, when the triggers before are through, with the message that came early, if one did."""
        ...

    def listeners(self, signal: str) -> list[str]:
        """The waits for a signal at this moment, as `wait_tables.listener_ref` writes them."""
        ...

    def call(self, caller: "Step", effect: effects.CallProcess) -> None:
        """Start the instance that a call activity asks for."""
        ...

    def tell_called(self, instance_id: int, caller: Caller) -> None:
        """Tell a called instance what is caught around it now; raises `Conflict` when too many are to be told."""
        ...

    def insert(self) -> None:
        """Write the instances that were begun, so that others find them."""
        ...


class Step:
    """One instance while it is advanced; `row` is its row in the database, `instance` its state now.

    `history` is what happened in it, and `cancelled_calls` are its waits for called instances that are to be cancelled
    with them. `due_now` is the wait whose work was put off and is done now, whatever time is left: 0 for none.
    """

    def __init__(
        self,
        unit: Surroundings,
        process: CompiledProcess,
        row: InstanceRow,
        begun: Instance | None = None,
    ) -> None:
        """Work in the unit's transaction, for the instance of a row or for one that was begun and is to be inserted."""
        self.unit = unit
        self.context = unit.context
        self.process = process
        self.row = row
        self.parts = Parts(unit.context, row)
        self.instance = self.parts.restored() if begun is None else begun
        self.instance.part_loader = self.parts
        self.parts.know(bodies_of(process, self.instance))
        self.waits = WaitRows(unit.context, unit.jobs, self.parts.waits)
        self.history: list[HistoryEntry] = []
        self.cancelled_calls: list[int] = []
        self.due_now = 0
        self._written: tuple[int, int] | None = (row.state_version, 0) if begun is None else None
        self._starter: Principal | None = None

    def bring(self, wait_id: int | None) -> None:
        """Bring in the turn of a repeated activity that a wait is part of, if it is not at hand."""
        if wait_id is not None and self.instance.absent.waits and wait_id not in self.instance.waits:
            self.instance = self.parts.bring(self.instance, wait_id)
            self.parts.know(bodies_of(self.process, self.instance))

    def insert(self) -> None:
        """Write a new instance's row now, so that others find it."""
        if self._written is None:
            instance_tables.insert_instance(self.context.tx, {**self.row._asdict(), **self._store()})
            self._written = self._reached()

    def write(self) -> bool:
        """Write state, waits and history; False when somebody else has written the instance meanwhile."""
        tx = self.context.tx
        self.waits.forget_closed()
        is_written = self._write_state()
        if self.waits.opened and is_written:
            self.waits.place(self.parts.turns_of_waits)
            wait_tables.insert_waits(tx, list(self.waits.opened.values()))
        history_tables.append_history(tx, self.row.id, self.row.history_count, self.history)
        return is_written

    def _reached(self) -> tuple[int, int]:
        """Return what a later write is told apart by: the state's version, and how much has happened in the step."""
        return self.instance.version, len(self.history)

    def _write_state(self) -> bool:
        if self._written is None and self.waits.opened:
            self.insert()
        elif self._written is None:
            instance_tables.append_instance(self.context.tx, {**self.row._asdict(), **self._store()})
        elif self._written != self._reached():
            values = {f"{name}_": value for name, value in self._store().items()}
            values["next_version"] = values.pop("state_version_")
            return instance_tables.write_instance(self.context.tx, self.row.id, self._written[0], values)
        return True

    def _store(self) -> dict[str, Any]:
        """Write the parts of the state; return the columns of what remains."""
        self.instance = self.parts.set_apart(self.instance)
        division, limits = divide(self.process, self.instance), self.unit.limits
        instance = division.instance
        state = instance.to_json()
        self.parts.write(division, is_secret=(is_sealed := is_secret(instance, state)))
        size, most = len(state) + self.parts.size, limits.max_state_bytes
        if size > most and not instance.status.is_final:
            raise StateTooLarge(
                f"process instance {self.row.id} of {self.process.id} would be {size} "
                f"characters large, more than {most} (BPM_PROCESSES__MAX_STATE_BYTES)"
            )
        return {
            "status": instance.status.value,
            "state": seal_text(state, self.context.box) if is_sealed else state,
            "state_version": instance.version,
            "parts_size": self.parts.size,
            "history_count": self.row.history_count + len(self.history),
            "ended_at": self.context.now() if instance.status.is_final else None,
        }

    def standing(self) -> InstanceState:
        """Return where the instance stands, now that it is written."""
        instance = self.instance
        rows: Sequence[Any] = list(self.waits.opened.values())
        if instance.absent.waits or instance.waits.keys() - self.waits.opened.keys():
            found = wait_tables.waits_of(self.context.tx, self.row.id, limit=wait_tables.SHOWN_AFTER_STEP)
            rows = [wait._asdict() for wait in found]
        waits = [row for row in rows if row["kind"] != wait_tables.CANCELLING][: wait_tables.MOST_SHOWN]
        seen = [with_data(wait, self.context.box) for wait in waits]
        return InstanceState(self.row.id, instance.status.value, dict(instance.root_variables), seen)

    def starter(self) -> Principal:
        """Return whom the instance's tasks act for."""
        if self._starter is None:
            authors = self.unit.deployed.authority(self.context.tx, self.row.definition_id)
            self._starter = starter_of(self.row, authors)
        return self._starter

    def answer_for(self, people: Authority) -> None:
        """Let the instance's tasks act for further people as well: those who have said what its values are."""
        if self.starter().standing.covers(people):
            return
        before = self.row.migrator
        migrator = people if before is None else Authority.from_json(before).joined(people)
        if len(migrator.accounts) > MOST_PEOPLE:
            raise Invalid(
                f"more than {MOST_PEOPLE} accounts and keys would have brought process instance {self.row.id} values "
                "that its model does not name; name them there, or migrate the instance, which begins anew with you"
            )
        stored = migrator.to_json()
        self.row, self._starter = self.row._replace(migrator=stored), None
        if self._written is not None:
            instance_tables.answer_for(self.context.tx, self.row.id, stored)

    def follow(self, trigger: Trigger) -> None:
        """Apply a trigger to this instance when those before it are through."""
        self.unit.follow(self.row.id, trigger)
