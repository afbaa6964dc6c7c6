"""A trigger and all that follows from it at once, in one transaction."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from bpm.bus import Context, Registry
from bpm.errors import Conflict, Fenced, NotFound
from bpm.jobs import JobQueue
from bpm.process import definition_tables, effects, tables
from bpm.process.carrying import carry_out
from bpm.process.deployed import Deployed
from bpm.process.engine import advance
from bpm.process.instances import NewInstance, Parent, Standing, Startable
from bpm.process.state import Instance
from bpm.process.step import Step
from bpm.process.triggers import FailTask, Start, Trigger

MAX_DEPTH = 50
"""So many instances may call one another; beyond that the call is an incident."""


class Unit:
    """Advances instances until nothing follows any more, then writes them. `steps` are the instances at hand."""

    def __init__(
        self, context: Context, registry: Registry, jobs: JobQueue, deployed: Deployed, around: Iterable["Unit"]
    ) -> None:
        """Work in the context's transaction, `around` being the units in the midst of whose commands that is."""
        self.context = context
        self.registry = registry
        self.jobs = jobs
        self.deployed = deployed
        self._around = around
        self.steps: dict[int, Step] = {}
        self._queue: deque[tuple[int, Trigger]] = deque()

    def start(self, deployed: Startable, new: NewInstance) -> Standing:
        """Start an instance and do what follows."""
        step = self._begin(deployed, new)
        self._proceed()
        return step.standing()

    def advance(self, instance_id: int, trigger: Trigger) -> Standing:
        """Apply a trigger and do what follows; raises `NotFound`, and `Conflict` when it does not fit."""
        row = tables.find_instance(self.context.tx, instance_id)
        if row is None or row.organization_id != self.context.organization_id:
            raise NotFound(f"there is no process instance {instance_id}")
        step = self._open(row)
        reason = self._apply(step, trigger)
        if reason:
            raise Conflict(reason)
        self._proceed()
        return step.standing()

    def follow(self, instance_id: int, trigger: Trigger) -> None:
        """Apply a trigger when those before it are through; one that does not fit any more is dropped."""
        self._queue.append((instance_id, trigger))

    def insert(self) -> None:
        """Write the instances that were begun, so that others find them."""
        for step in self.steps.values():
            step.insert()

    def call(self, caller: Step, effect: effects.CallProcess) -> None:
        """Start the instance that a call activity asks for."""
        session = self.context.session
        if effect.version is None:
            deployed = definition_tables.newest_definition(session, effect.process, active=True)
        else:
            deployed = definition_tables.version_of(session, effect.process, effect.version)
        problem = self._uncallable(caller, effect, deployed)
        if deployed is None or problem:
            self.follow(caller.row.id, FailTask(effect.wait_id, effect.attempt, problem, "NotFound"))
            return
        parent = Parent(caller.row, effect.wait_id, effect.attempt, effect.caller, caller.starter())
        key = caller.row.business_key if effect.inherits_key else effect.business_key
        self._begin(deployed, NewInstance(effect.variables, key, parent=parent))

    def _uncallable(self, caller: Step, effect: effects.CallProcess, deployed: Startable | None) -> str:
        """Why a process can't be called; empty if it can."""
        if deployed is None or deployed.id is None or not deployed.is_active:
            version = "" if effect.version is None else f" in version {effect.version}"
            return f"there is no active process {effect.process}{version}"
        if caller.row.depth >= MAX_DEPTH:
            return f"more than {MAX_DEPTH} processes called one another"
        if None not in self.deployed.process(self.context, deployed.id).starts:
            return f"process {effect.process} can't be called: it has no start event without a trigger"
        return ""

    def _begin(self, deployed: Startable, new: NewInstance) -> Step:
        """Insert an instance in the state that its start leads to, and carry out the effects of that."""
        context, parent = self.context, new.parent
        assert deployed.id is not None
        process = self.deployed.process(context, deployed.id)
        starter = parent.row.starter_name if parent else (new.starter or context.principal).name
        start = Start(new.variables, new.message, new.element, parent.caller if parent else None, starter)
        instance, found = advance(process, Instance(), start, context.now())
        if isinstance(found[0], effects.Ignored):
            raise Conflict(found[0].reason)
        step = Step(self, process, instance)
        step.begin(deployed, new)
        self.steps[step.row.id] = step
        carry_out(step, found)
        return step

    def _open(self, row: Any) -> Step:
        self._check_free(row.id)
        process = self.deployed.process(self.context, row.definition_id)
        step = self.steps[row.id] = Step(self, process, Instance.from_json(row.state), row)
        return step

    def _check_free(self, instance_id: int) -> None:
        """Raise `Conflict` for an instance that this transaction is in the middle of advancing."""
        if any(instance_id in unit.steps for unit in self._around):
            raise Conflict(f"process instance {instance_id} is in the middle of this step; send it a message later")

    def _apply(self, step: Step, trigger: Trigger) -> str:
        """Advance one instance; gives why the trigger does not fit, if it does not."""
        instance, found = advance(step.process, step.instance, trigger, self.context.now())
        if found and isinstance(found[0], effects.Ignored):
            return found[0].reason
        step.instance = instance
        carry_out(step, found)
        return ""

    def _proceed(self) -> None:
        while self._queue:
            instance_id, trigger = self._queue.popleft()
            step = self.steps.get(instance_id)
            if step is None:
                row = tables.find_instance(self.context.tx, instance_id)
                if row is None:
                    continue
                step = self._open(row)
            self._apply(step, trigger)
        for step in self.steps.values():
            if not step.write():
                raise Fenced
