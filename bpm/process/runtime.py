"""Between the pure engine and the database: instances are started and advanced in the caller's transaction.

    load the instance -> advance -> carry out the effects -> write instance, history and waits

One `ProcessUnitOfWork` does that for a trigger and for all that follows from it at once: transactional commands of
service tasks, decisions, and instances that call each other. Scripts, effects and timers become jobs
(`bpm.process.jobs`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bpm.bpmn.triggers import Trigger, stop_of
from bpm.bus import Context, Registry
from bpm.errors import NotFound
from bpm.jobs import JobQueue
from bpm.process import instance_tables, wait_tables
from bpm.process.definition_cache import DefinitionCache
from bpm.process.instances import InstanceState, NewInstance, Startable
from bpm.process.step import StateTooLarge, Step
from bpm.process.transaction_budget import TransactionBudget
from bpm.process.unit_of_work import ProcessUnitOfWork
from bpm.process.version_comparison import VersionComparisons
from bpm.security.permissions import Authority
from bpm.settings import ProcessSettings

T = TypeVar("T")

__all__ = ["InstanceState", "NewInstance", "ProcessRuntime"]


class ProcessRuntime:
    """Starts and advances instances inside the caller's transaction."""

    def __init__(self, registry: Registry, jobs: JobQueue, limits: ProcessSettings | None = None) -> None:
        """Take the messages that tasks may send, the engine that runs their jobs, and what an instance may use."""
        self.limits = limits or ProcessSettings()
        self.registry = registry
        self.jobs = jobs
        self.deployed = DefinitionCache()
        self.comparisons = VersionComparisons()
        self._busy: dict[int, list[ProcessUnitOfWork]] = {}

    def start(self, context: Context, deployed: Startable, new: NewInstance) -> InstanceState:
        """Start an instance; the one that the same request has started before, if there is one."""
        known = instance_tables.instance_of_origin(context.tx, new.origin) if new.origin is not None else None
        if known is not None:
            return self.standing(context, known)

        def work(unit: ProcessUnitOfWork) -> InstanceState:
            return unit.start(deployed, new)

        return self._run(context, work)

    def advance(
        self, context: Context, instance_id: int, *triggers: Trigger, budget: TransactionBudget | None = None
    ) -> InstanceState:
        """Apply triggers and everything that follows from them in this transaction, as far as there is room.

        Raises `NotFound` for an unknown instance, `Conflict` when a trigger came too late or does not fit. When the
        instance would grow too large, all of it is undone and the wait of the first becomes an incident.
        """
        return self._advance(context, instance_id, triggers, budget).standing()

    def answer(
        self, context: Context, instance_id: int, trigger: Trigger, budget: TransactionBudget | None = None
    ) -> str:
        """Do as `advance` does and return the status alone, for who need not know what the instance waits for."""
        return self._advance(context, instance_id, (trigger,), budget).instance.status.value

    def resume(self, context: Context, instance_id: int, wait_id: int, attempt: int) -> str:
        """Do what no longer fitted into the transaction that asked for it, if it is still wanted; return the status.

        Raises `NotFound` for an unknown instance.
        """
        return self._run(context, lambda unit: unit.resume(instance_id, wait_id, attempt)).instance.status.value

    def _advance(
        self, context: Context, instance_id: int, triggers: Sequence[Trigger], budget: TransactionBudget | None
    ) -> Step:
        try:
            with context.tx.savepoint():
                return self._run(context, lambda unit: unit.advance(instance_id, *triggers), budget)
        except StateTooLarge as error:
            stop = stop_of(triggers[0], str(error))
        return self._run(context, lambda unit: unit.advance(instance_id, stop), budget)

    def standing(self, context: Context, instance_id: int) -> InstanceState:
        """Return where an instance of the caller's organisation stands; raises `NotFound`."""
        row = instance_tables.find_instance(context.tx, instance_id)
        if row is None or row.organization_id != context.organization_id:
            raise NotFound(f"there is no process instance {instance_id}")
        return InstanceState.of_row(context, row, wait_tables.waits_of(context.tx, instance_id))

    def seen(self, context: Context, instance_id: int, wait_id: int) -> Mapping[str, Any]:
        """Return the variables that the element of an open wait sees; raises `NotFound`."""
        return self._run(context, lambda unit: unit.seen(instance_id, wait_id))

    def answer_for(self, context: Context, instance_id: int, people: Authority) -> None:
        """Let an instance's tasks act for further people as well; raises `NotFound`, and `Invalid` for too many."""
        self._run(context, lambda unit: unit.answer_for(instance_id, people))

    def _run(
        self, context: Context, work: Callable[[ProcessUnitOfWork], T], budget: TransactionBudget | None = None
    ) -> T:
        units = self._busy.setdefault(id(context.tx), [])
        budget = units[0].budget if units else budget or TransactionBudget()
        unit = ProcessUnitOfWork(context, self.registry, self.jobs, self.deployed, self.limits, budget, tuple(units))
        units.append(unit)
        try:
            return work(unit)
        finally:
            units.pop()
            if not units:
                self._busy.pop(id(context.tx), None)
