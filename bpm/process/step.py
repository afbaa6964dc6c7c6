"""One instance in one transaction: its row, its state now, and the waits that are opened and closed on the way."""

from types import SimpleNamespace
from typing import Any, Protocol

from bpm.bpmn import effects
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.state import Instance
from bpm.bpmn.triggers import Trigger
from bpm.bus import Context, Registry
from bpm.errors import Failed
from bpm.jobs import JobQueue
from bpm.process import tables
from bpm.process.actors import starter_columns, starter_of
from bpm.process.cache import Deployed
from bpm.process.instances import NewInstance, Standing, Startable
from bpm.process.room import TransactionRoom
from bpm.process.stored import stored_state, with_data
from bpm.process.wait_rows import WaitRows
from bpm.security.permissions import Principal
from bpm.settings import ProcessSettings


class Overgrown(Failed):
    """The state of the process instance is too large"""  # noqa: D400, D415 a message, not a sentence

    is_final = True


class Surroundings(Protocol):
    """The unit a step belongs to, as far as a step has to know it."""

    context: Context
    registry: Registry
    jobs: JobQueue
    deployed: Deployed
    room: TransactionRoom
    limits: ProcessSettings

    def follow(self, instance_id: int, trigger: Trigger) -> None:
        """Apply a trigger when those before it are through; one that does not fit any more is dropped."""
        ...

    def find_early(self, step: "Step", wait: effects.OpenMessageWait) -> None:
        """Answer a wait, when the triggers before are through, with the message that came early, if one did."""
        ...

    def listeners(self, signal: str) -> list[str]:
        """The waits for a signal at this moment, as `tables.listener_ref` writes them."""
        ...

    def call(self, caller: "Step", effect: effects.CallProcess) -> None:
        """Start the instance that a call activity asks for."""
        ...

    def insert(self) -> None:
        """Write the instances that were begun, so that others find them."""
        ...


class Step:
    """One instance while it is advanced; `row` is its row in the database, `instance` its state now.

    `cancelled_calls` are its waits for called instances that are to be cancelled with them.
    """

    def __init__(self, unit: Surroundings, process: CompiledProcess, instance: Instance, row: Any = None) -> None:
        """Work for an instance in the unit's transaction; one without a row is to be inserted."""
        self.unit = unit
        self.context = unit.context
        self.process = process
        self.instance = instance
        self.row = row
        self.waits = WaitRows(unit.context, unit.jobs, instance.waits if row is not None else ())
        self.cancelled_calls: list[int] = []
        self._written: int | None = None if row is None else row.state_version
        self._starter: Principal | None = None

    def begin(self, deployed: Startable, new: NewInstance) -> None:
        """Make a new instance's row; it is written when something has to find it, at the latest with the end."""
        context, parent = self.context, new.parent
        row: dict[str, Any] = {
            "organization_id": context.organization_id,
            "id": tables.new_number(context.tx),
            "definition_id": deployed.id,
            "process_key": deployed.key,
            "business_key": new.business_key,
            "origin": new.origin,
            "correlation_id": context.envelope.root,
            "created_at": context.now(),
            **self._state(),
            **starter_columns(parent.starter if parent else (new.starter or context.principal)),
            "parent_id": parent.row.id if parent else None,
            "parent_wait": parent.wait_id if parent else None,
            "parent_attempt": parent.attempt if parent else None,
            "root_id": (parent.row.root_id or parent.row.id) if parent else None,
            "depth": parent.row.depth + 1 if parent else 0,
        }
        self.row = SimpleNamespace(**row)

    def insert(self) -> None:
        """Write a new instance's row now, so that others find it."""
        if self._written is None:
            tables.insert_instance(self.context.tx, {**vars(self.row), **self._state()})
            self._written = self.instance.version

    def write(self) -> bool:
        """Write state and waits; False when somebody else has written the instance meanwhile."""
        tx = self.context.tx
        self.waits.forget_closed()
        if self.waits.opened:
            self.insert()
            tables.insert_waits(tx, list(self.waits.opened.values()))
        if self._written is None:
            tables.append_instance(tx, {**vars(self.row), **self._state()})
        if self._written in (None, self.instance.version):
            return True
        values = {f"{name}_": value for name, value in self._state().items()}
        values["next_version"] = values.pop("state_version_")
        return tables.write_instance(tx, self.row.id, self._written, values)

    def _state(self) -> dict[str, Any]:
        instance = self.instance
        state, most = instance.to_json(), self.unit.limits.max_state_bytes
        if len(state) > most and not instance.status.is_final:
            raise Overgrown(
                f"process instance {self.row.id if self.row else ''} of {self.process.id} would be {len(state)} "
                f"characters large, more than {most} (BPM_PROCESSES__MAX_STATE_BYTES)"
            )
        return {
            "status": instance.status.value,
            "state": stored_state(instance, state, self.context.box),
            "state_version": instance.version,
            "ended_at": self.context.now() if instance.status.is_final else None,
        }

    def standing(self) -> Standing:
        """Return where the instance stands, now that it is written."""
        instance = self.instance
        rows: dict[int, Any] = dict(self.waits.opened)
        if instance.waits.keys() - rows.keys():
            rows = {wait.wait_id: wait._mapping for wait in tables.waits_of(self.context.tx, self.row.id)}
        waits = [rows[wait_id] for wait_id in instance.waits if wait_id in rows][: tables.MOST_SHOWN]
        seen = [with_data(wait, self.context.box) for wait in waits]
        return Standing(self.row.id, instance.status.value, instance.root_variables, seen)

    def starter(self) -> Principal:
        """Return whom the instance's tasks act for."""
        if self._starter is None:
            authors = self.unit.deployed.authority(self.context.tx, self.row.definition_id)
            self._starter = starter_of(self.row, authors)
        return self._starter

    def follow(self, trigger: Trigger) -> None:
        """Apply a trigger to this instance when those before it are through."""
        self.unit.follow(self.row.id, trigger)
