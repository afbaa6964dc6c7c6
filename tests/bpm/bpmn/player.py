"""Plays a process as its caller would, and checks after every step what must always hold."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Self, TypeVar

from bpm.bpmn import Instance, Status, advance, load
from bpm.bpmn.effects import (
    CallProcess,
    CloseWait,
    Completed,
    Decide,
    Effect,
    History,
    Ignored,
    OpenAdHoc,
    Opener,
    OpenMessageWait,
    OpenSignalWait,
    OpenTimer,
    RunScript,
    SendCommand,
)
from bpm.bpmn.engine import DEFAULT_LIMITS
from bpm.bpmn.limits import Limits
from bpm.bpmn.listener_changes import ListenerChanges
from bpm.bpmn.migration import Comparison
from bpm.bpmn.triggers import (
    ActivateActivities,
    Cancel,
    CompleteTask,
    CompleteUserTask,
    FailTask,
    GoOn,
    MessageArrived,
    Retry,
    SignalArrived,
    Skip,
    Start,
    TimerFired,
    Trigger,
)
from bpm.process.transaction_budget import TransactionBudget

Kind = TypeVar("Kind", bound=Effect)
Task = SendCommand | RunScript | Decide | CallProcess
"""The waits that a worker answers, each with the attempt it is at."""

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

DEFINITIONS = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:bpm="urn:example:bpm"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
 xmlns:custom="http://banklingo.com/schema/bpmn" targetNamespace="test">
{head}<process id="p" name="Test" isExecutable="true">
{body}
</process></definitions>"""


def model(body: str, head: str = "") -> str:
    """A file with one process."""
    return DEFINITIONS.format(body=body, head=head)


def flows(*paths: str) -> str:
    """Sequence flows along paths such as "start > task > end"; each is called "source-target"."""
    steps = [pair for path in paths for pair in pairwise(path.split(" > "))]
    return "".join(f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in steps)


def flow(source: str, target: str, condition: str) -> str:
    """A sequence flow with a condition."""
    escaped = condition.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">'
        f"<conditionExpression>{escaped}</conditionExpression></sequenceFlow>"
    )


class Player:
    """One instance being played. `waits` are the open ones by element id, `trace` the elements completed.

    With `steps` every trigger is cut into pieces of about so many elements, which follow one another at once.
    """

    def __init__(self, body: str, head: str = "", steps: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self.steps = steps
        self.process = load(model(body, head))
        self.limits = limits
        self.instance = Instance()
        self.now = NOON
        self.effects: tuple[Effect, ...] = ()
        self.history: list[History] = []
        self.open: dict[int, Opener] = {}

    def send(self, trigger: Trigger) -> Self:
        """Apply a trigger, and check purity, determinism, the state's JSON and the bookkeeping of waits."""
        before = self.instance.to_json()
        after, effects = self._advance(self.instance, trigger)
        again = self._advance(Instance.from_json(before), trigger)
        assert self.instance.to_json() == before
        assert again == (after, effects)
        assert Instance.from_json(after.to_json()) == after
        self.instance, self.effects = after, effects
        self.history += [effect for effect in effects if isinstance(effect, History)]
        for effect in effects:
            if isinstance(effect, Opener):
                self.open[effect.wait_id] = effect
            elif isinstance(effect, CloseWait):
                del self.open[effect.wait_id]
        assert set(self.open) == set(after.waits)
        check_books(after)
        if after.pending and not after.pending.is_halted and self.steps:
            return self.send(GoOn(after.pending.wait_id))
        return self

    def _advance(self, instance: Instance, trigger: Trigger) -> tuple[Instance, tuple[Effect, ...]]:
        budget = TransactionBudget(self.steps, math.inf) if self.steps else None
        return advance(self.process, instance, trigger, self.now, self.limits, budget)

    def migrate(self, body: str, head: str = "") -> list[str]:
        """Go on with another version, unless it lacks something: then the elements are given, and nothing is done."""
        newer = load(model(body, head))
        missing = Comparison(self.process, newer).missing(self.instance)
        if not missing:
            change = ListenerChanges(self.process, newer).of(self.instance, "somebody")
            self.process = newer
            if change is not None:
                self.send(change)
        return missing

    def start(self, message: str | None = None, **variables: Any) -> Self:
        return self.send(Start(variables, message))

    def complete(self, element: str, result: Any = None, **variables: Any) -> Self:
        task = self.task(element)
        return self.send(CompleteTask(task.wait_id, task.attempt, result, variables))

    def do_job(self, wait_id: int, result: Any = None, **variables: Any) -> Self:
        task = self.open[wait_id]
        assert isinstance(task, Task)
        return self.send(CompleteTask(wait_id, task.attempt, result, variables))

    def fail(self, element: str, code: str | None = None, message: str = "it broke") -> Self:
        task = self.task(element)
        return self.send(FailTask(task.wait_id, task.attempt, message, code))

    def do(self, element: str, **variables: Any) -> Self:
        return self.send(CompleteUserTask(self.wait(element).wait_id, variables))

    def do_wait(self, wait_id: int, **variables: Any) -> Self:
        return self.send(CompleteUserTask(wait_id, variables))

    def fire(self, element: str) -> Self:
        timer = self.wait_of(OpenTimer, element)
        self.now = max(self.now, timer.due)
        return self.send(TimerFired(timer.wait_id))

    def message(self, element: str, payload: Any = None) -> Self:
        return self.send(MessageArrived(self.wait_of(OpenMessageWait, element).wait_id, payload))

    def signal(self, element: str, payload: Any = None) -> Self:
        return self.send(SignalArrived(self.wait_of(OpenSignalWait, element).wait_id, payload))

    def retry(self, element: str, **variables: Any) -> Self:
        return self.send(Retry(self.wait(element).wait_id, variables))

    def send_retry(self, wait: Opener, **variables: Any) -> Self:
        return self.send(Retry(wait.wait_id, variables))

    def choose(self, element: str, *activities: str, is_last: bool = False, **variables: Any) -> Self:
        wait = self.wait_of(OpenAdHoc, element)
        return self.send(ActivateActivities(wait.wait_id, activities, variables, is_last))

    def skip(self, element: str, **variables: Any) -> Self:
        return self.send(Skip(self.wait(element).wait_id, variables))

    def cancel(self, reason: str = "") -> Self:
        return self.send(Cancel(reason))

    def later(self, **time: float) -> Self:
        self.now += timedelta(**time)
        return self

    def wait(self, element: str) -> Opener:
        """The latest wait that is open at an element."""
        return [wait for wait in self.open.values() if wait.element_id == element][-1]

    def wait_of(self, kind: type[Kind], element: str) -> Kind:
        """The latest wait of a kind that is open at an element."""
        return [wait for wait in self.open.values() if wait.element_id == element and isinstance(wait, kind)][-1]

    def task(self, element: str) -> Task:
        """The latest task of a worker that is open at an element."""
        task = self.wait(element)
        assert isinstance(task, Task)
        return task

    def effect(self, kind: type[Kind]) -> Kind:
        """The one effect of this kind in the last step."""
        (found,) = [effect for effect in self.effects if isinstance(effect, kind)]
        return found

    @property
    def waiting(self) -> list[str]:
        """The elements that wait, in alphabetical order."""
        return sorted(wait.element_id for wait in self.open.values())

    @property
    def trace(self) -> list[str]:
        """The elements completed, in their order."""
        return [record.element_id for record in self.history if record.event == "completed"]

    @property
    def events(self) -> list[str]:
        """Everything in the history as "element event"."""
        return [f"{record.element_id} {record.event}" for record in self.history]

    @property
    def status(self) -> Status:
        return self.instance.status

    @property
    def variables(self) -> dict[str, Any]:
        return dict(self.instance.root_variables)

    @property
    def ignored(self) -> str:
        """Why the last trigger was ignored; empty if it was not."""
        return "".join(effect.reason for effect in self.effects if isinstance(effect, Ignored))


def check_books(instance: Instance) -> None:
    """Tokens are conserved: each scope counts its own, each wait and each scope has the token it belongs to."""
    counts = dict.fromkeys(instance.scopes, 0)
    moving = instance.pending.moving if instance.pending else ()
    for token in [*instance.tokens.values(), *moving]:
        counts[token.scope] += 1
    assert counts == instance.active
    assert set(instance.variables) == set(instance.scopes)
    assert all(not wait.token or wait.token in instance.tokens for wait in instance.waits.values())
    assert set(instance.locals) <= {*instance.tokens, *(token.id for token in moving)}
    assert set(instance.done) <= set(instance.scopes)
    assert all(scope.token in instance.tokens for key, scope in instance.scopes.items() if key)
    if instance.version:
        assert bool(instance.tokens or instance.pending) != instance.status.is_final
        assert instance.waits or instance.status.is_final, "tokens rest and nothing can move them"
    if instance.status is Status.ERROR:
        assert any(wait.kind == "incident" for wait in instance.waits.values())


def finished(player: Player) -> bool:
    """Whether the process has completed, announcing it once."""
    return player.status is Status.COMPLETED and player.effect(Completed).variables == player.variables
