"""Between the pure engine and the database: one trigger, one transaction.

    load the instance -> advance -> carry out the effects -> write instance, history and waits

Transactional commands of service tasks are run inside that transaction and answered at once; scripts, effects
and timers become jobs (`bpm.process.jobs`).
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bpm.bus import Context, Registry
from bpm.errors import BpmError, Conflict, Fenced, NotFound
from bpm.jobs import Job, JobQueue
from bpm.process import effects, tables
from bpm.process.compile import CompiledProcess, load
from bpm.process.engine import advance
from bpm.process.state import Instance
from bpm.process.triggers import CompleteTask, FailTask, Start, Trigger
from bpm.security.permissions import Principal

MAX_INLINE_COMMANDS = 200
"""After so many commands in one transaction the next becomes a job, so that no group waits for a loop."""

CACHED_DEFINITIONS = 500


@dataclass(frozen=True, slots=True)
class NewInstance:
    """What an instance is started with; `origin` keeps the same request from starting a second one."""

    variables: Mapping[str, Any]
    business_key: str | None = None
    message: str | None = None
    origin: str | None = None


class ProcessRuntime:
    """Starts and advances instances inside the caller's transaction."""

    def __init__(self, registry: Registry, jobs: JobQueue) -> None:
        """Take the messages that tasks may send and the engine that runs their jobs."""
        self._registry = registry
        self._jobs = jobs
        self._compiled: OrderedDict[int, CompiledProcess] = OrderedDict()

    def start(self, context: Context, deployed: tables.DeployedProcess, new: NewInstance) -> int:
        """Start an instance and return its id (of the first one, when the request has started one before)."""
        known = tables.instance_of_origin(context.tx, new.origin) if new.origin is not None else None
        if known is not None:
            return known
        assert deployed.id is not None
        row = {
            "organization_id": context.organization_id,
            "definition_id": deployed.id,
            "process_key": deployed.key,
            "business_key": new.business_key,
            "origin": new.origin,
            "status": "RUNNING",
            "state": Instance().to_json(),
            "state_version": 0,
            "starter_id": context.principal.id,
            "starter_name": context.principal.name,
            "permissions": sorted(context.principal.permissions),
            "correlation_id": context.envelope.root,
            "created_at": context.now(),
        }
        instance_id = tables.insert_instance(context.tx, row)
        self.advance(context, instance_id, Start(new.variables, new.message))
        return instance_id

    def advance(self, context: Context, instance_id: int, trigger: Trigger) -> None:
        """Apply a trigger and everything that follows from it in this transaction.

        Raises `NotFound` for an unknown instance, `Conflict` when the trigger came too late or does not fit.
        """
        row = tables.find_instance(context.tx, instance_id)
        if row is None or row.organization_id != context.organization_id:
            raise NotFound(f"there is no process instance {instance_id}")
        process = self.compiled(context, row.definition_id)
        step = Step(self._registry, self._jobs, context, row)
        instance = Instance.from_json(row.state)
        instance, found = advance(process, instance, trigger, context.now())
        if found and isinstance(found[0], effects.Ignored):
            raise Conflict(found[0].reason)
        step.carry_out(found)
        while step.triggers:
            instance, found = advance(process, instance, step.triggers.popleft(), context.now())
            step.carry_out(found)
        self._write(context, row, instance)

    def compiled(self, context: Context, definition_id: int) -> CompiledProcess:
        """Return a definition ready to run, compiled once per process and version."""
        process = self._compiled.get(definition_id)
        if process is None:
            deployed = tables.find_definition(context.tx.session(None), definition_id)
            if deployed is None:
                raise NotFound(f"there is no process definition {definition_id}")
            process = self._compiled[definition_id] = load(deployed.bpmn_xml)
            if len(self._compiled) > CACHED_DEFINITIONS:
                self._compiled.popitem(last=False)
        return process

    def _write(self, context: Context, row: Any, instance: Instance) -> None:
        values = {
            "status_": instance.status.value,
            "state_": instance.to_json(),
            "next_version": instance.version,
            "ended_at_": context.now() if instance.status.is_final else None,
        }
        if not tables.write_instance(context.tx, row.id, row.state_version, values):
            raise Fenced


class Step:
    """Carries out the effects of one advance; what it answers itself goes to `triggers`."""

    def __init__(self, registry: Registry, jobs: JobQueue, context: Context, row: Any) -> None:
        """Work for the instance of `row` in the context's transaction."""
        self._registry = registry
        self._jobs = jobs
        self._context = context
        self._row = row
        self._inline = 0
        self.triggers: deque[Trigger] = deque()

    def carry_out(self, found: tuple[effects.Effect, ...]) -> None:
        """Do what the engine asks for, in its order."""
        for effect in found:
            _CARRY_OUT[type(effect)](self, effect)

    def send(self, effect: effects.SendCommand) -> None:
        """Run a transactional command now; leave an effect to a worker."""
        try:
            registration = self._registry.find(effect.command)
        except NotFound as error:
            self.triggers.append(FailTask(effect.wait_id, effect.attempt, "; ".join(error.errors)))
            return
        fields = dict(effect.parameters)
        if not effect.is_mapped:
            names = {f.alias or n for n, f in registration.message_type.model_fields.items()}
            fields = {name: value for name, value in fields.items() if name in names}
        if registration.kind == "effect" or self._inline >= MAX_INLINE_COMMANDS:
            self._open(effect, "command", {"command": effect.command, "fields": fields, "retries": effect.retries})
            return
        self._inline += 1
        try:
            result = self._context.call(effect.command, fields, self.starter())
        except BpmError as error:
            code = type(error).__name__
            self.triggers.append(FailTask(effect.wait_id, effect.attempt, "; ".join(error.errors), code))
        else:
            self.triggers.append(CompleteTask(effect.wait_id, effect.attempt, result))

    def starter(self) -> Principal:
        """Return who the instance's tasks act for."""
        return starter_of(self._row)

    def run_script(self, effect: effects.RunScript) -> None:
        """Leave a script to a worker."""
        self._open(effect, "script", {"source": effect.source, "variables": dict(effect.variables)})

    def open_timer(self, effect: effects.OpenTimer) -> None:
        """Ask to be woken."""
        self._open(effect, "timer", due=effect.due)

    def open_message(self, effect: effects.OpenMessageWait) -> None:
        """Wait for a message."""
        self._open(effect, "message", name=effect.name, key=effect.key)

    def open_user_task(self, effect: effects.OpenUserTask) -> None:
        """Offer a task to people."""
        data = {
            "formKey": effect.form_key,
            "assignee": effect.assignee,
            "candidateUsers": list(effect.candidate_users),
            "candidateGroups": list(effect.candidate_groups),
            "priority": effect.priority,
            "variables": dict(effect.variables) if effect.variables is not None else None,
        }
        self._open(effect, "user", data, due=effect.due, name=effect.name)

    def incident(self, effect: effects.Incident) -> None:
        """Keep what somebody has to look at, and tell."""
        self._open(effect, "incident", {"message": effect.message, "code": effect.code})
        self._publish("process.incident", {"elementId": effect.element_id, "message": effect.message})

    def close(self, effect: effects.CloseWait) -> None:
        """Forget a wait."""
        tables.close_wait(self._context.tx, self._row.id, effect.wait_id)

    def emit(self, effect: effects.EmitMessage) -> None:
        """Send a message to whoever waits for it, now or soon."""
        fields = {"messageName": effect.name, "correlationKey": effect.key, "variables": dict(effect.payload)}
        self._context.later("CorrelateMessageCommand", fields)

    def record(self, effect: effects.History) -> None:
        """Write a line of history."""
        row = {
            "instance_id": self._row.id,
            "element_id": effect.element_id,
            "event": effect.event,
            "at": effect.when,
            "token": effect.token,
            "values": dict(effect.values),
            "flows": list(effect.flows),
        }
        self._context.tx.append(tables.HISTORY, row)

    def completed(self, _effect: effects.Completed) -> None:
        """Tell that the instance has ended."""
        self._publish("process.completed", {})

    def cancelled(self, effect: effects.Cancelled) -> None:
        """Tell that the instance was cancelled."""
        self._publish("process.cancelled", {"reason": effect.reason})

    def ignored(self, _effect: effects.Ignored) -> None:
        """Drop an answer of our own that is not waited for any more: the instance ended meanwhile."""

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
        now = self._context.now()
        woken = kind in tables.JOB_KINDS
        due = due or (now if woken else None)
        row = {
            "instance_id": self._row.id,
            "wait_id": effect.wait_id,
            "organization_id": self._row.organization_id,
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
        tables.open_wait(self._context.tx, row)
        if woken and due is not None:
            self._jobs.enqueue(self._context.tx, Job(tables.KIND, f"{self._row.id}.{effect.wait_id}", 0, due))

    def _publish(self, event: str, data: dict[str, Any]) -> None:
        if not self._registry.knows("PublishEventCommand"):
            return
        about = {"instanceId": self._row.id, "processKey": self._row.process_key, "businessKey": self._row.business_key}
        publisher = Principal(
            "system", "system:process", "process engine", self._row.organization_id, frozenset({"events:write"})
        )
        self._context.call("PublishEventCommand", {"event": event, "data": {**about, **data}}, publisher)


_CARRY_OUT: dict[type[Any], Callable[[Step, Any], None]] = {
    effects.SendCommand: Step.send,
    effects.RunScript: Step.run_script,
    effects.OpenTimer: Step.open_timer,
    effects.OpenMessageWait: Step.open_message,
    effects.OpenUserTask: Step.open_user_task,
    effects.Incident: Step.incident,
    effects.CloseWait: Step.close,
    effects.EmitMessage: Step.emit,
    effects.History: Step.record,
    effects.Completed: Step.completed,
    effects.Cancelled: Step.cancelled,
    effects.Ignored: Step.ignored,
}


def starter_of(row: Any) -> Principal:
    """Return who started an instance, with the permissions it had then."""
    return Principal("system", row.starter_id, row.starter_name, row.organization_id, frozenset(row.permissions))
