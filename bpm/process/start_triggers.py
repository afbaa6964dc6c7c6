"""What begins instances by itself: kept in step with the newest active version of each process."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bpm.bpmn.compiler.compile import CompiledProcess
from bpm.bpmn.timers import next_time
from bpm.bpmn.view import View
from bpm.bus import Context
from bpm.errors import Exhausted, Forbidden, Invalid
from bpm.expressions import EvaluationError, Expression
from bpm.jobs import Job, JobQueue
from bpm.process import definition_tables, start_tables
from bpm.process.definition_cache import FreshProcess
from bpm.process.definition_tables import DeployedProcess
from bpm.process.instances import InstanceState, NewInstance
from bpm.process.rows import ScheduleRow
from bpm.process.runtime import ProcessRuntime
from bpm.security.permissions import Principal
from bpm.security.stored_principal import StoredPrincipal
from bpm.store import Transaction

REFUSED_PAUSE = timedelta(minutes=1)
"""How long a timer waits whose process may not be started at the moment."""

log = structlog.get_logger("bpm.process")


class ProcessStarts:
    """Arms and disarms what begins instances, and begins them."""

    def __init__(self, runtime: ProcessRuntime, jobs: JobQueue) -> None:
        """Take who runs instances, and the engine that wakes the timers."""
        self._runtime = runtime
        self._jobs = jobs

    def refresh(self, context: Context, key: str, fresh: FreshProcess | None = None) -> None:
        """Listen for the newest active version of a process, and for no other.

        `fresh` is the version that was just deployed, which need not be compiled again here.
        """
        definition_tables.lock_versions(context.tx, context.organization_id, key)
        ids = definition_tables.version_ids(context.organization_id, key)
        newest = definition_tables.newest_definition(context.session, key, active=True)
        ready = self._runtime.deployed
        if fresh is not None:
            ready.keep(context.tx, fresh)
        process = ready.process(context, newest.id) if newest is not None and newest.id is not None else None
        triggers = _triggers(newest, process) if newest is not None and process is not None else []
        start_tables.replace_triggers(context.tx, ids, triggers)
        start_tables.remove_schedules(context.tx, ids)
        if newest is not None and process is not None:
            for element_id, timer in process.start_timers.items():
                try:
                    due, data = timer.schedule(View({}, context.now()))
                except EvaluationError as error:
                    raise Invalid(f"the timer of {element_id!r}: {error}") from error
                self._set(context, newest, element_id, due, data)

    def hears(self, tx: Transaction, organization_id: int, name: str) -> bool:
        """Whether an event of this name begins something."""
        return bool(start_tables.triggered_by(tx, organization_id, "event", name))

    def triggered(self, context: Context, kind: str, name: str) -> Sequence[Any]:
        """Return what begins by a message, signal or event of this name."""
        return start_tables.triggered_by(context.tx, context.organization_id, kind, name)

    def conditions(self, context: Context, key: str | None, limit: int) -> Sequence[tuple[Any, Expression]]:
        """Return what begins by a condition, of one process if it is named, each with the condition."""
        rows = start_tables.start_conditions(context.tx, context.organization_id, key, limit)
        process = self._runtime.deployed.process
        return [(row, process(context, row.definition_id).start_conditions[row.element_id]) for row in rows]

    def begin(self, context: Context, definition_id: int, new: NewInstance) -> InstanceState | None:
        """Begin an instance; None when the definition has been switched off meanwhile."""
        deployed = definition_tables.find_startable(context.tx, context.organization_id, definition_id)
        if deployed is None or not deployed.is_active:
            return None
        return self._runtime.start(context, deployed, new)

    def begin_by_itself(self, context: Context, definition_id: int, new: NewInstance) -> InstanceState | None:
        """Begin an instance that nobody asked for, on behalf of those who deployed it and switched it on.

        Raises `Forbidden` when they may start no process any more.
        """
        starter = self.starter(context, definition_id)
        if starter is None:
            return None
        context.require(starter, "processes:write", "Starting a process")
        return self.begin(context, definition_id, replace(new, starter=starter))

    def starter(self, context: Context, definition_id: int) -> Principal | None:
        """Return whom the instances act for that a definition begins by itself."""
        deployed = definition_tables.find_definition(context.session, definition_id)
        return self_starter(deployed) if deployed is not None else None

    def is_of(self, context: Context, definition_id: int, key: Any) -> bool:
        """Whether a definition is a version of the process of this id."""
        deployed = definition_tables.find_definition(context.session, definition_id)
        return deployed is not None and deployed.key == key

    def fire(self, context: Context, definition_id: int, element_id: str, turn: int) -> InstanceState | None:
        """Begin the instance that a timer is for, and set its next time; None when it was done already.

        While whom it would act for may start no process, the timer tries again minute by minute. When its cause has
        begun as many as it may, none begins.
        """
        row = start_tables.find_schedule(context.tx, definition_id, element_id)
        if row is None or row.turn != turn:
            return None
        again = next_time(row.data, context.now()) if row.data else None
        try:
            with context.tx.savepoint():
                if not self._set_again(context, row, *(again or (None, None))):
                    return None
                return self.begin_by_itself(context, definition_id, NewInstance({}, element=element_id))
        except Forbidden as refusal:
            reason = "; ".join(refusal.errors)
            log.warning("a timer begins no process", definition=definition_id, element=element_id, reason=reason)
            self._set_again(context, row, context.now() + REFUSED_PAUSE, row.data)
            return None
        except Exhausted as refusal:
            log.warning("a timer begins no process", definition=definition_id, element=element_id, reason=str(refusal))
            self._set_again(context, row, *(again or (None, None)))
            return None

    def _set_again(self, context: Context, row: ScheduleRow, due: datetime | None, data: Any) -> bool:
        """Set a timer's next time, if it has one; False when somebody else did."""
        if not start_tables.set_again(context.tx, row, due, data):
            return False
        if due is not None:
            job = _job(row.definition_id, row.element_id, row.turn + 1, due, context.organization_id)
            self._jobs.enqueue(context.tx, job)
        return True

    def _set(self, context: Context, deployed: DeployedProcess, element_id: str, due: datetime, data: Any) -> None:
        """Set a timer, in the place of one whose job is still to come; raises `Exhausted`.

        What a process sets counts as what it begins: it could deploy two of itself, whose timers would begin anew.
        """
        assert deployed.id is not None
        envelope = context.envelope
        context.causes.count_instance(envelope, envelope.depth)
        row = {
            "organization_id": deployed.organization_id,
            "definition_id": deployed.id,
            "element_id": element_id,
            "turn": 0,
            "due_at": due,
            "data": data,
            "cause": envelope.root if envelope.depth else None,
        }
        start_tables.insert_schedule(context.tx, row)
        job = _job(deployed.id, element_id, 0, due, deployed.organization_id)
        self._jobs.cancel(context.tx, job)
        self._jobs.enqueue(context.tx, job)


def self_starter(deployed: DeployedProcess) -> Principal:
    """Return whom the instances act for that a version begins by itself."""
    author = StoredPrincipal(
        id=deployed.author_id,
        name=deployed.author_name or deployed.author_id,
        organization_id=deployed.organization_id,
        permissions=deployed.permissions,
        authority=definition_tables.authors_of(deployed).to_json(),
    )
    return author.acting("process", definition_tables.starters_of(deployed))


def _job(definition_id: int, element_id: str, turn: int, due: datetime, organization_id: int) -> Job:
    return Job(start_tables.KIND, f"{definition_id}.{element_id}", turn, due, organization_id)


def _triggers(deployed: DeployedProcess, process: CompiledProcess) -> list[dict[str, Any]]:
    """The rows for the names that begin a process."""
    named: list[tuple[str, str, str | None]] = [("event", name, None) for name in deployed.trigger_events]
    named += [("message", name, element) for name, element in process.starts.items() if name is not None]
    named += [("signal", name, element) for name, element in process.start_signals.items()]
    named += [(start_tables.CONDITION, process.id, element) for element in process.start_conditions]
    return [
        {
            "organization_id": deployed.organization_id,
            "definition_id": deployed.id,
            "kind": kind,
            "name": name,
            "element_id": element,
        }
        for kind, name, element in named
    ]
