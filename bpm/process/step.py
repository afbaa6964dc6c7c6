"""Carries out what the engine asks for, for one instance in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bpm.errors import BpmError, NotFound
from bpm.jobs import Job
from bpm.process import effects, message_tables, start_tables, tables, task_tables
from bpm.process.compile import CompiledProcess
from bpm.process.decisions import DecisionFailed, decide
from bpm.process.instances import NewInstance, Standing, Startable
from bpm.process.state import Instance
from bpm.process.triggers import Cancel, CompleteTask, FailTask, MessageArrived
from bpm.security.permissions import RESERVED_EVENTS, Principal

if TYPE_CHECKING:
    from bpm.process.unit import Unit

MAX_INLINE_COMMANDS = 200
"""After so many commands in one transaction the next becomes a job, so that no group waits for a loop."""

THROWN_SECONDS = 3600
"""How long a message that an instance throws waits for somebody to wait for it."""


class Step:
    """One instance while its effects are carried out; `row` is its row in the database, `instance` its state now."""

    def __init__(self, unit: "Unit", process: CompiledProcess, instance: Instance, row: Any = None) -> None:
        """Work for an instance in the unit's transaction; one without a row is to be inserted."""
        self.unit = unit
        self.context = unit.context
        self.process = process
        self.instance = instance
        self.row = row
        self._written: int | None = None if row is None else row.state_version
        self._known = frozenset(instance.waits) if row is not None else frozenset[int]()
        self._opened: dict[int, dict[str, Any]] = {}
        self._inline: set[int] = set()
        self._commands = 0

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
            **_starter(new.starter or context.principal, parent and parent.row),
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
        if self._opened:
            self.insert()
            tables.insert_waits(tx, list(self._opened.values()))
        if self._written is None:
            tables.append_instance(tx, {**vars(self.row), **self._state()})
        if self._written in (None, self.instance.version):
            return True
        values = {f"{name}_": value for name, value in self._state().items()}
        values["next_version"] = values.pop("state_version_")
        return tables.write_instance(tx, self.row.id, self._written, values)

    def standing(self) -> Standing:
        """Return where the instance stands, now that it is written."""
        instance = self.instance
        rows: dict[int, Any] = dict(self._opened)
        if instance.waits.keys() - rows.keys():
            rows = {wait.wait_id: wait._mapping for wait in tables.waits_of(self.context.tx, self.row.id)}
        waits = [rows[wait_id] for wait_id in instance.waits if wait_id in rows]
        return Standing(self.row.id, instance.status.value, instance.root_variables, waits)

    def carry_out(self, found: tuple[effects.Effect, ...]) -> None:
        """Do what the engine asks for, in its order."""
        for effect in found:
            _CARRY_OUT[type(effect)](self, effect)

    def starter(self) -> Principal:
        """Return who the instance's tasks act for."""
        return starter_of(self.row)

    def _state(self) -> dict[str, Any]:
        instance = self.instance
        return {
            "status": instance.status.value,
            "state": instance.to_json(),
            "state_version": instance.version,
            "ended_at": self.context.now() if instance.status.is_final else None,
        }

    # What a machine does

    def send(self, effect: effects.SendCommand) -> None:
        """Run a transactional command now; leave an effect to a worker."""
        registry = self.unit.runtime.registry
        try:
            registration = registry.find(effect.command)
        except NotFound as error:
            self._answer(effect, FailTask(effect.wait_id, effect.attempt, "; ".join(error.errors)))
            return
        fields = dict(effect.parameters)
        if not effect.is_mapped:
            names = {f.alias or n for n, f in registration.message_type.model_fields.items()}
            fields = {name: value for name, value in fields.items() if name in names}
        if registration.kind == "effect" or self._commands >= MAX_INLINE_COMMANDS:
            self._open(effect, "command", {"command": effect.command, "fields": fields, "retries": effect.retries})
            return
        self._commands += 1
        self.insert()
        try:
            result = self.context.call(effect.command, fields, self.starter())
        except BpmError as error:
            code = type(error).__name__
            self._answer(effect, FailTask(effect.wait_id, effect.attempt, "; ".join(error.errors), code))
        else:
            self._answer(effect, CompleteTask(effect.wait_id, effect.attempt, result))

    def run_script(self, effect: effects.RunScript) -> None:
        """Leave a script to a worker."""
        self._open(effect, "script", {"source": effect.source, "variables": dict(effect.variables)})

    def decide(self, effect: effects.Decide) -> None:
        """Evaluate a decision now."""
        try:
            decision = self.unit.runtime.decision(self.context, effect.decision)
            result = decide(decision, effect.variables, self.context.now(), effect.shape)
        except (DecisionFailed, BpmError) as error:
            code = type(error).__name__
            self._answer(effect, FailTask(effect.wait_id, effect.attempt, f"{effect.decision}: {error}", code))
        else:
            self._answer(effect, CompleteTask(effect.wait_id, effect.attempt, result))

    def call(self, effect: effects.CallProcess) -> None:
        """Start the process that is called."""
        self._open(effect, "call", name=effect.process)
        self.unit.call(self, effect)

    def _answer(self, effect: Any, trigger: CompleteTask | FailTask) -> None:
        """Answer a wait that need not be written, for it is over with this transaction."""
        if effect.wait_id in self._known:
            tables.close_wait(self.context.tx, self.row.id, effect.wait_id)
        self._inline.add(effect.wait_id)
        self.unit.follow(self.row.id, trigger)

    # What others do

    def open_timer(self, effect: effects.OpenTimer) -> None:
        """Ask to be woken."""
        self._open(effect, "timer", due=effect.due)

    def open_message(self, effect: effects.OpenMessageWait) -> None:
        """Wait for a message, which may have come already."""
        context = self.context
        early = message_tables.take_message(
            context.tx, self.row.organization_id, effect.name, effect.key, context.now()
        )
        self._open(effect, "message", name=effect.name, key=effect.key)
        if early is not None:
            self.unit.follow(self.row.id, MessageArrived(effect.wait_id, early.variables))

    def open_signal(self, effect: effects.OpenSignalWait) -> None:
        """Listen for a signal."""
        self._open(effect, "signal", name=effect.name)

    def open_condition(self, effect: effects.OpenConditionWait) -> None:
        """Show that a condition is watched; the engine does it."""
        self._open(effect, "condition")

    def open_user_task(self, effect: effects.OpenUserTask) -> None:
        """Offer a task to people."""
        data = {
            "formKey": effect.form_key,
            "assignee": effect.assignee,
            "candidateUsers": list(effect.candidate_users),
            "candidateGroups": list(effect.candidate_groups),
            "priority": effect.priority,
            "variables": dict(effect.variables) if effect.variables is not None else None,
            "schema": effect.schema,
        }
        self._open(effect, "user", data, due=effect.due, name=effect.name)
        offered = [("user", name) for name in effect.candidate_users]
        offered += [("group", name) for name in effect.candidate_groups]
        offered += [("assignee", effect.assignee)] if effect.assignee else []
        if offered:
            task_tables.insert_candidates(self.context.tx, self.row.id, effect.wait_id, offered)

    def incident(self, effect: effects.Incident) -> None:
        """Keep what somebody has to look at, and tell."""
        self._inline.discard(effect.wait_id)
        self._open(effect, "incident", {"message": effect.message, "code": effect.code})
        self._publish("process.incident", {"elementId": effect.element_id, "message": effect.message})

    def close(self, effect: effects.CloseWait) -> None:
        """Forget a wait, and what it was for."""
        tx, wait_id = self.context.tx, effect.wait_id
        if wait_id in self._inline:
            self._inline.discard(wait_id)
        elif self._opened.pop(wait_id, None) is None or wait_id in self._known:
            tables.close_wait(tx, self.row.id, wait_id)
        if effect.kind == "user":
            task_tables.remove_candidates(tx, self.row.id, wait_id)
        elif effect.kind == "call" and effect.reason == "cancelled":
            for step in self.unit.steps.values():
                step.insert()  # what was begun in this very transaction has to be found, too
            for called in tables.called_by(tx, self.row.id, wait_id):
                self.unit.follow(called, Cancel("the call activity was left"))

    def _open(
        self,
        effect: Any,
        kind: str,
        data: Mapping[str, Any] | None = None,
        *,
        due: datetime | None = None,
        name: str | None = None,
        key: str | None = None,
    ) -> None:
        now, tx = self.context.now(), self.context.tx
        woken = kind in tables.JOB_KINDS
        due = due or (now if woken else None)
        row: dict[str, Any] = {
            "instance_id": self.row.id,
            "wait_id": effect.wait_id,
            "organization_id": self.row.organization_id,
            "kind": kind,
            "element_id": effect.element_id,
            "attempt": getattr(effect, "attempt", 1),
            "tries": 0,
            "due_at": due,
            "name": name,
            "key": key,
            "data": data,
            "created_at": now,
        }
        if effect.wait_id in self._known:
            tables.close_wait(tx, self.row.id, effect.wait_id)
        self._opened[effect.wait_id] = row
        if woken and due is not None:
            self.unit.runtime.jobs.enqueue(
                tx, Job(tables.KIND, f"{self.row.id}.{effect.wait_id}.{row['attempt']}", 0, due)
            )

    # What is told

    def emit_message(self, effect: effects.EmitMessage) -> None:
        """Send a message to whoever waits for it, now or within its time to live."""
        fields: dict[str, Any] = {"messageName": effect.name, "correlationKey": effect.key}
        fields |= {"variables": dict(effect.payload), "timeToLiveSeconds": THROWN_SECONDS}
        self.context.later("CorrelateMessageCommand", fields, principal=self.thrower())

    def emit_signal(self, effect: effects.EmitSignal) -> None:
        """Send a signal to whoever listens."""
        fields = {"signalName": effect.name, "variables": dict(effect.payload)}
        self.context.later("BroadcastSignalCommand", fields, principal=self.thrower())

    def thrower(self) -> Principal:
        """Return who the instance throws messages and signals as: its starter, who need not be allowed to send any."""
        starter = self.starter()
        return replace(starter, permissions=starter.permissions | {"processes:write"})

    def tell_thrown(self, effect: effects.Thrown) -> None:
        """Tell the calling instance."""
        self.unit.tell_thrown(self, effect)

    def record(self, effect: effects.History) -> None:
        """Write a line of history."""
        row = {
            "instance_id": self.row.id,
            "element_id": effect.element_id,
            "event": effect.event,
            "at": effect.when,
            "token": effect.token,
            "values": dict(effect.values),
            "flows": list(effect.flows),
        }
        self.context.tx.append(tables.HISTORY, row)

    def completed(self, _effect: effects.Completed) -> None:
        """Tell that the instance has ended."""
        self.unit.answer_caller(self)
        self._publish("process.completed", {})

    def cancelled(self, effect: effects.Cancelled) -> None:
        """Tell that the instance was cancelled."""
        if self.row.parent_id is not None:
            wait, attempt = self.row.parent_wait, self.row.parent_attempt
            self.unit.answer_caller(self, FailTask(wait, attempt, "the called instance was cancelled", "Cancelled"))
        self._publish("process.cancelled", {"reason": effect.reason})

    def ignored(self, _effect: effects.Ignored) -> None:
        """Drop an answer of our own that is not waited for any more: the instance ended meanwhile."""

    def _publish(self, event: str, data: dict[str, Any]) -> None:
        if not self.unit.runtime.registry.knows("PublishEventCommand"):
            return
        if self._begins_something(event):
            self.insert()
        about = {"instanceId": self.row.id, "processKey": self.row.process_key, "businessKey": self.row.business_key}
        may = frozenset({"events:write", RESERVED_EVENTS})
        publisher = Principal("system", "system:process", "process engine", self.row.organization_id, may)
        self.context.call("PublishEventCommand", {"event": event, "data": {**about, **data}}, publisher)

    def _begins_something(self, event: str) -> bool:
        tx, organization_id = self.context.tx, self.row.organization_id
        return tx.remembered(
            ("begun", organization_id, event),
            lambda: bool(start_tables.triggered_by(tx, organization_id, "event", event)),
        )


_CARRY_OUT: dict[type[Any], Callable[[Step, Any], None]] = {
    effects.SendCommand: Step.send,
    effects.RunScript: Step.run_script,
    effects.Decide: Step.decide,
    effects.CallProcess: Step.call,
    effects.OpenTimer: Step.open_timer,
    effects.OpenMessageWait: Step.open_message,
    effects.OpenSignalWait: Step.open_signal,
    effects.OpenConditionWait: Step.open_condition,
    effects.OpenUserTask: Step.open_user_task,
    effects.Incident: Step.incident,
    effects.CloseWait: Step.close,
    effects.EmitMessage: Step.emit_message,
    effects.EmitSignal: Step.emit_signal,
    effects.Thrown: Step.tell_thrown,
    effects.History: Step.record,
    effects.Completed: Step.completed,
    effects.Cancelled: Step.cancelled,
    effects.Ignored: Step.ignored,
}


def starter_of(row: Any) -> Principal:
    """Return who started an instance, with the permissions it had then."""
    return Principal("system", row.starter_id, row.starter_name, row.organization_id, frozenset(row.permissions))


def _starter(principal: Principal, caller: Any) -> dict[str, Any]:
    """Who a new instance acts for: whoever starts it, or who the calling one acts for."""
    if caller is not None:
        return {"starter_id": caller.starter_id, "starter_name": caller.starter_name, "permissions": caller.permissions}
    permissions = sorted(principal.permissions)
    return {"starter_id": principal.id, "starter_name": principal.name, "permissions": permissions}
