"""A trigger and all that follows from it at once, in one transaction."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from bpm.bpmn import effects
from bpm.bpmn.engine import advance
from bpm.bpmn.json_size import json_size
from bpm.bpmn.state import Caller, Instance
from bpm.bpmn.triggers import AskNow, CallerChanged, Cancel, FailTask, Start, Trigger
from bpm.bpmn.undeclared import is_undeclared
from bpm.bpmn.visible_variables import visible_variables_at
from bpm.bus import Context, Registry
from bpm.errors import Conflict, Exhausted, Fenced, NotFound
from bpm.expressions import EvaluationError
from bpm.jobs import JobQueue
from bpm.process import instance_tables, wait_tables
from bpm.process.bindings import bound_process
from bpm.process.definition_cache import DefinitionCache
from bpm.process.early_messages import EarlyMessages
from bpm.process.effects import carry_out
from bpm.process.effects.deferred import DEFERRED, PutOff, kept_effect
from bpm.process.instances import InstanceState, NewInstance, Parent, Startable
from bpm.process.new_instance import new_row
from bpm.process.rows import InstanceRow, WaitRow
from bpm.process.sealing import restored_wait
from bpm.process.step import Step
from bpm.process.transaction_budget import STEPS_OF_INSTANCE, TransactionBudget
from bpm.process.unsuitable import refusing_unsuitable
from bpm.security.permissions import Authority
from bpm.settings import ProcessSettings

CANCELLED_AT_ONCE = 50
"""Maximum number of called instances that are cancelled in one transaction with the one that called them."""
TOLD_AT_ONCE = 200
"""Maximum number of called instances that are told in one transaction what the new version of their caller catches."""
RESUMED_AT_ONCE = 100
"""How many waits whose work was put off are read in one transaction."""
MAX_DEPTH = 50
"""Maximum depth of call activities; a call beyond it is an incident."""


class ProcessUnitOfWork:
    """Advances instances until nothing follows any more, then writes them. `steps` are the instances at hand."""

    def __init__(
        self,
        context: Context,
        registry: Registry,
        jobs: JobQueue,
        deployed: DefinitionCache,
        limits: ProcessSettings,
        budget: TransactionBudget,
        around: Iterable["ProcessUnitOfWork"],
    ) -> None:
        """Work in the context's transaction, inside of the commands of the units `around`."""
        self.context = context
        self.registry = registry
        self.jobs = jobs
        self.deployed = deployed
        self.limits = limits
        self.budget = budget
        self._around = around
        self.steps: dict[int, Step] = {}
        self._queue: deque[tuple[int, Trigger | None]] = deque()
        self._early = EarlyMessages(context)
        self._told = 0

    def start(self, deployed: Startable, new: NewInstance) -> InstanceState:
        """Start an instance and do what follows; raises `Invalid` for variables that it can't take."""
        with refusing_unsuitable("variables"):
            step = self._begin(deployed, new)
        self._proceed()
        return step.standing()

    def advance(self, instance_id: int, *triggers: Trigger) -> Step:
        """Apply triggers and do what follows; raises `NotFound`, and `Conflict` when the first does not fit.

        What the others are for may have been settled by those before them.
        """
        step = self._open(self._find(instance_id))
        for number, trigger in enumerate(triggers):
            reason = self._apply(step, trigger)
            if reason and not number:
                raise Conflict(reason)
        self._proceed()
        return step

    def resume(self, instance_id: int, wait_id: int, attempt: int) -> Step:
        """Do what was put off: call processes, evaluate decisions, cancel what was called.

        With the one that is due, as many others of the instance as there is time for.
        """
        step, wait = (
            self._open(self._find(instance_id)),
            wait_tables.find_wait(self.context.tx, instance_id, wait_id),
        )
        if wait is not None and wait.kind == wait_tables.CANCELLING:
            step.waits.remove(instance_id, wait_id)
            step.cancelled_calls = restored_wait(wait.data, self.context.box)["waits"]
        elif wait is not None and wait.kind in DEFERRED and wait.attempt == attempt:
            step.due_now = wait.wait_id
            self._do_deferred(step, wait)
            others = wait_tables.waits_of(self.context.tx, instance_id, *DEFERRED, limit=RESUMED_AT_ONCE)
            for each in others:
                if each.wait_id != wait_id and not self.budget.has_no_room:
                    self._do_deferred(step, each)
        self._proceed()
        return step

    def _do_deferred(self, step: Step, wait: WaitRow) -> None:
        kept = kept_effect(wait, self.context.box)
        if kept is None:
            self._apply(step, AskNow(wait.wait_id, wait.attempt))
        else:
            step.bring(wait.wait_id)
            carry_out(step, [kept])

    def seen(self, instance_id: int, wait_id: int) -> dict[str, Any]:
        """Return the variables that the element of an open wait sees."""
        step = self._open(self._find(instance_id))
        step.bring(wait_id)
        return visible_variables_at(step.instance, wait_id)

    def _find(self, instance_id: int) -> Any:
        row = instance_tables.find_to_change(self.context.tx, instance_id)
        if row is None or row.organization_id != self.context.organization_id:
            raise NotFound(f"there is no process instance {instance_id}")
        return row

    def follow(self, instance_id: int, trigger: Trigger) -> None:
        """Apply a trigger when those before it are through; one that does not fit any more is dropped."""
        self._queue.append((instance_id, trigger))

    def answer_for(self, instance_id: int, people: Authority) -> None:
        """Let another instance's tasks act for further people as well."""
        step = self.steps.get(instance_id) or self._open(self._find(instance_id))
        step.answer_for(people)

    def find_early(self, step: Step, wait: effects.OpenMessageWait) -> None:
        """Answer a wait, when the triggers before are through, with the message that came early, if one did."""
        if self._early.find(step.row.id, wait):
            self._queue.append((step.row.id, None))

    def listeners(self, signal: str) -> list[str]:
        """Return the waits for a signal at this moment, those included that this transaction has not written yet."""
        written = wait_tables.signal_listeners(self.context.tx, self.context.organization_id, signal)
        steps = [step for unit in (*self._around, self) for step in unit.steps.values()]
        opened = [row for step in steps for row in step.waits.opened.values()]
        opened = [row for row in opened if row["kind"] == "signal" and row["name"] == signal]
        return [*written, *(wait_tables.listener_ref(row["instance_id"], row["wait_id"]) for row in opened)]

    def insert(self) -> None:
        """Write the instances that were begun, so that others find them."""
        for step in self.steps.values():
            step.insert()

    def call(self, caller: Step, effect: effects.CallProcess) -> None:
        """Start the instance that a call activity asks for."""
        deployed = bound_process(self.context, effect.process, effect.binding, caller.row.definition_id)
        problem = self._uncallable(caller, effect, deployed)
        if deployed is None or problem:
            self.follow(caller.row.id, FailTask(effect.wait_id, effect.attempt, problem, "NotFound"))
            return
        parent = Parent(caller.row, effect.wait_id, effect.attempt, effect.caller, caller.starter())
        key = caller.row.business_key if effect.inherits_key else effect.business_key
        try:
            self._begin(deployed, NewInstance(effect.variables, key, parent=parent))
        except (Exhausted, EvaluationError) as error:
            code = "Exhausted" if isinstance(error, Exhausted) else "Invalid"
            self.follow(caller.row.id, FailTask(effect.wait_id, effect.attempt, str(error), code))

    def tell_called(self, instance_id: int, caller: Caller) -> None:
        """Tell a called instance what is caught around it now; raises `Conflict` when too many are to be told."""
        self._told += 1
        if self._told > TOLD_AT_ONCE:
            raise Conflict(f"more than {TOLD_AT_ONCE} called instances would have to be told what is caught now")
        self.follow(instance_id, CallerChanged(caller))

    def _uncallable(self, caller: Step, effect: effects.CallProcess, deployed: Startable | None) -> str:
        """Why a process can't be called; empty if it can."""
        if deployed is None or deployed.id is None or not deployed.is_active:
            return f"there is no active process {effect.process}{effect.binding}"
        if caller.row.depth >= MAX_DEPTH:
            return f"more than {MAX_DEPTH} processes called one another"
        called = self.deployed.process(self.context, deployed.id)
        if None not in called.starts:
            return f"process {effect.process} can't be called: it has no start event without a trigger"
        if called.ends_callers:
            return f"process {effect.process} can't be called: '{called.ends_callers[0]}' would end its caller as well"
        return ""

    def _begin(self, deployed: Startable, new: NewInstance) -> Step:
        """Insert an instance in the state that its start leads to, and carry out the effects of that."""
        context, parent = self.context, new.parent
        assert deployed.id is not None
        depth = max(context.envelope.depth, parent.row.depth + 1 if parent else 0)
        context.causes.count_instance(context.envelope, depth)
        context.causes.count_size(context.envelope, json_size(dict(new.variables)))
        self.budget.spend(STEPS_OF_INSTANCE)
        process = self.deployed.process(context, deployed.id)
        starter = parent.row.starter_name if parent else (new.starter or context.principal).name
        start = Start(new.variables, new.message, new.element, parent.caller if parent else None, starter)
        instance, found = advance(process, Instance(), start, context.now(), self.limits, self.budget)
        if isinstance(found[0], effects.Ignored):
            raise Conflict(found[0].reason)
        step = Step(self, process, new_row(context, deployed, new), instance)
        self.steps[step.row.id] = step
        carry_out(step, found)
        return step

    def _open(self, row: InstanceRow) -> Step:
        self._check_free(row.id)
        process = self.deployed.process(self.context, row.definition_id)
        step = self.steps[row.id] = Step(self, process, row)
        self.budget.spend(STEPS_OF_INSTANCE)
        return step

    def _check_free(self, instance_id: int) -> None:
        """Raise `Conflict` for an instance that this transaction is in the middle of advancing."""
        if any(instance_id in unit.steps for unit in self._around):
            raise Conflict(f"process instance {instance_id} is in the middle of this step; send it a message later")

    def _apply(self, step: Step, trigger: Trigger, sender: Authority | None = None) -> str:
        """Advance one instance; gives why the trigger does not fit, if it does not.

        It is the context's principal's unless another `sender` is named. Without asking senders of values that no
        model names, somebody who may write processes could choose what the steps of somebody with more rights do.
        """
        step.bring(getattr(trigger, "wait_id", None))
        if is_undeclared(step.process, step.instance, trigger):
            step.answer_for(sender or self.context.principal.standing)
        instance, found = advance(step.process, step.instance, trigger, self.context.now(), self.limits, self.budget)
        if found and isinstance(found[0], effects.Ignored):
            return found[0].reason
        step.instance = instance
        carry_out(step, found)
        return ""

    def _proceed(self) -> None:
        self._cancel_called()
        while self._queue:
            instance_id, trigger = self._queue.popleft()
            step = self.steps.get(instance_id)
            if step is None:
                row = instance_tables.find_to_change(self.context.tx, instance_id)
                if row is None:
                    continue
                step = self._open(row)
            if trigger is not None:
                self._apply(step, trigger)
            elif early := self._early.take(step):
                self._apply(step, early.message, early.sender)
            self._cancel_called()
        for step in self.steps.values():
            if not step.write():
                raise Fenced

    def _cancel_called(self) -> None:
        """Cancel the instances whose calls were cancelled, a worker those that are too many for this transaction."""
        for step in [step for step in self.steps.values() if step.cancelled_calls]:
            waits, step.cancelled_calls = step.cancelled_calls, []
            self.insert()  # what was begun in this very transaction has to be found, too
            called = instance_tables.called_by(self.context.tx, step.row.id, waits, CANCELLED_AT_ONCE)
            if len(called) == CANCELLED_AT_ONCE or (called and self.budget.is_spent):
                step.waits.open(step.row, PutOff(waits[0], ""), wait_tables.CANCELLING, {"waits": waits})
            if not self.budget.is_spent:
                for instance_id in called:
                    self.follow(instance_id, Cancel("the call activity was left"))
