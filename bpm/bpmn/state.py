"""What a running instance is made of: small immutable records in dictionaries, and their compact JSON.

An `Instance` is a value. `advance` never changes the one it is given; callers store `to_json()` and compare
`version` when they write it back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, cast

from bpm.bpmn.large import Large, LargeKey, LargeValues
from bpm.bpmn.unloaded import NOTHING_ABSENT, PartLoader, UnloadedCounts
from bpm.exact_json import read_json, write_plain

ROOT = 0
TURN = "#"
"""Ends the key of a repeated activity's single turn, beside the activity as a whole; no XML id may hold it."""


def element_of(key: str) -> str:
    """The id of the element that a node belongs to."""
    return key.partition(TURN)[0]


class Status(StrEnum):
    """RUNNING: work for a machine is under way; WAITING: only people, messages and timers can go on.

    `is_final` tells whether nothing can happen to the instance any more.
    """

    is_final: bool

    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"

    def __init__(self, name: str) -> None:
        self.is_final = name in ("COMPLETED", "CANCELLED")


class Token(NamedTuple):
    """A token at an element of a scope, and the sequence flow it came by.

    `element` is the key of a node: the element's id, with `TURN` behind it for one turn of a repeated activity, or
    with `TURN` and a word for what is done beside the element.
    """

    id: int
    element: str
    scope: int
    flow: str | None = None


PROCESS = Token(0, "", ROOT)
"""Stands for the process itself, as the host of its scope; it is no token that moves."""


class Wait(NamedTuple):
    """What a resting token waits for. `element` answers it: the token's own, or an event that listens beside it.

    `kind` is command, script, user, message, signal, timer, condition, call, decision, adHoc, pause or incident;
    `attempt` grows with each retry and fences late answers; `data` is the element's own small JSON. `token` 0 is the
    process itself.
    """

    id: int
    kind: str
    element: str
    token: int
    attempt: int = 1
    data: Any = None


class Scope(NamedTuple):
    """A process, sub-process or turn that is running, opened by the node `element` for the resting `token`.

    `parent` is the scope around it; `note` is what the node keeps about it, as small JSON.
    """

    element: str | None = None
    token: int | None = None
    parent: int | None = None
    note: Any = None


class Done(NamedTuple):
    """An activity that completed and can be compensated: its own variables, and what was done inside it."""

    element: str
    variables: Mapping[str, Any]
    inner: "list[Done]"


class Caller(NamedTuple):
    """What the instances that call this one catch: codes of errors and of escalations, null for any code."""

    errors: list[str | None]
    escalations: list[str | None]

    def catches(self, kind: str, code: str | None) -> bool:
        """Whether somebody outside catches this."""
        return any(each in (None, code) for each in self.codes(kind))

    def codes(self, kind: str) -> list[str | None]:
        """The codes of this kind that somebody outside catches."""
        return {"error": self.errors, "escalation": self.escalations}.get(kind, [])


class Pending(NamedTuple):
    """Where an instance stopped in the middle of a trigger, because it had gone as far as it may in one go.

    `moving` are the tokens on their way, `emptied` the scopes that lost their last one, `steps_left` how many
    elements the trigger may still activate, `changed` whether conditions are to be asked. `wait_id` is the wait that
    goes on from here: of kind pause, which a worker answers, or with `is_halted` an incident.
    """

    moving: list[Token]
    emptied: list[int]
    steps_left: int
    changed: bool
    wait_id: int
    is_halted: bool


Kept = dict[tuple[str, int], dict[int, Any]]
"""What repeated activities keep: by ITEMS or OUTPUTS and the scope around the turns, then by the turn's index."""
ITEMS, OUTPUTS = "items", "outputs"


Arrivals = dict[str | None, tuple[int, ...]]
"""The ids of the tokens that rest at a join in a scope, by the flow they came by; the first one came first."""


def _empty() -> dict[Any, Any]:
    # Calling dict[int, Token] instead would take four times as long, for each instance that starts.
    return {}


@dataclass(slots=True)
class Instance:
    """The state of one process instance; `Instance()` is one that has not started.

    `active` counts the tokens of each scope, `variables` are JSON values by name in each scope, `done` what could be
    compensated in each scope, `counter` is the last id given to a token, wait or scope. `caller` is set when
    another instance waits for this one. `pending` is set between the pieces of a long trigger; `unattended` counts
    the elements activated since something last came from outside. `locals` are the values of the input mappings that
    the output mappings of resting tokens will see, by the token's id; `beside` is what is kept for scripts and
    listeners that run beside an element, by the token's id as well. `kept` are the items and outputs of repeated
    activities. `absent` counts what is not at hand, which `part_loader` gives; `has_large` tells whether some
    variables are a `Large`, whose value it gives as well. `arrived` says which tokens rest at joins, by the join
    and the scope; it is not stored, and None until somebody asks.
    """

    status: Status = Status.RUNNING
    version: int = 0
    counter: int = 0
    scopes: dict[int, Scope] = field(default_factory=lambda: {ROOT: Scope()})
    active: dict[int, int] = field(default_factory=lambda: {ROOT: 0})
    variables: dict[int, dict[str, Any]] = field(default_factory=lambda: {ROOT: {}})
    tokens: dict[int, Token] = field(default_factory=_empty)
    waits: dict[int, Wait] = field(default_factory=_empty)
    done: dict[int, tuple[Done, ...]] = field(default_factory=_empty)
    caller: Caller | None = None
    pending: Pending | None = None
    unattended: int = 0
    locals: dict[int, dict[str, Any]] = field(default_factory=_empty)
    beside: dict[int, dict[str, Any]] = field(default_factory=_empty)
    kept: Kept = field(default_factory=_empty)
    absent: UnloadedCounts = NOTHING_ABSENT
    part_loader: PartLoader | None = field(default=None, compare=False)
    has_large: bool = False
    arrived: dict[tuple[str, int], Arrivals] | None = field(default=None, compare=False)

    def next_id(self) -> int:
        """A new id, unique in the instance."""
        self.counter += 1
        return self.counter

    def copy(self) -> "Instance":
        """A copy that can be changed without changing this one; variables are copied when first written."""
        return Instance(
            self.status,
            self.version,
            self.counter,
            self.scopes.copy(),
            self.active.copy(),
            self.variables.copy(),
            self.tokens.copy(),
            self.waits.copy(),
            self.done.copy(),
            self.caller,
            self.pending,
            self.unattended,
            self.locals.copy(),
            self.beside.copy(),
            self.kept.copy(),
            self.absent,
            self.part_loader,
            self.has_large,
            None if self.arrived is None else {join: flows.copy() for join, flows in self.arrived.items()},
        )

    def absorb(self, turn: Mapping[str, Any]) -> tuple[int, ...]:
        """Take in a turn that was not at hand, as JSON values; gives the ids of its waits."""
        self._add(turn)
        self.absent = self.absent.plus(len(turn["t"]), [row[1] for row in turn["w"]], -1)
        return tuple([row[0] for row in turn["w"]])

    def put_in_order(self) -> None:
        """Put scopes and waits into the order in which they were opened, as if none had ever been absent."""
        self.scopes.update([(key, self.scopes.pop(key)) for key in sorted(self.scopes)])
        self.waits.update([(key, self.waits.pop(key)) for key in sorted(self.waits)])

    def _add(self, state: Mapping[str, Any]) -> None:
        """Take in scopes, and what is in them, from their JSON."""
        self.arrived = None
        for key, *scope, active, variables in state["x"]:
            self.scopes[key], self.active[key], self.variables[key] = Scope(*scope), active, variables
        self.tokens.update({row[0]: Token(*row) for row in state["t"]})
        self.waits.update({row[0]: Wait(*row) for row in state["w"]})
        self.done.update({int(scope): read_done(rows) for scope, rows in state.get("d", {}).items()})
        self.locals.update({int(token): values for token, values in state.get("l", {}).items()})
        self.beside.update({int(token): values for token, values in state.get("b", {}).items()})
        for scope, name, version, number, size, is_secret in state.get("g", ()):
            self.has_large = True
            self.variables[scope][name] = Large(LargeKey(version, number), size, is_secret, self.part_loader)

    @property
    def root_variables(self) -> Mapping[str, Any]:
        """The variables of the process itself."""
        return LargeValues(self.variables[ROOT]) if self.has_large else self.variables[ROOT]

    def large_values(self) -> Iterator[tuple[int, str, Large]]:
        """What stands in the place of large values, each with its scope and its name."""
        for scope, values in self.variables.items() if self.has_large else ():
            for name, value in values.items():
                if type(value) is Large:
                    yield scope, name, value

    def large_rows(self) -> list[list[Any]]:
        """The same as JSON."""
        return [[scope, name, *one.key, one.size, one.is_secret] for scope, name, one in self.large_values()]

    def to_json(self) -> str:
        """The state as compact JSON: under 300 bytes for one waiting token, variables aside."""
        state: dict[str, Any] = {"s": self.status, "v": self.version, "n": self.counter, **self.content()}
        if self.caller:
            state["c"] = self.caller
        if self.pending:
            state["p"] = self.pending
        if self.unattended:
            state["u"] = self.unattended
        if self.kept:
            state["k"] = [[*key, list(values.items())] for key, values in self.kept.items()]
        if self.absent != NOTHING_ABSENT:
            state["a"] = self.absent
        return write_plain(state).decode()

    def content(self) -> dict[str, Any]:
        """The scopes and all that is in them, as `absorb` takes it in."""
        content: dict[str, Any] = {
            "x": [[key, *scope, self.active[key], self._stored(key)] for key, scope in self.scopes.items()],
            "t": list(self.tokens.values()),
            "w": list(self.waits.values()),
        }
        if self.done:
            content["d"] = self.done
        if self.locals:
            content["l"] = self.locals
        if self.beside:
            content["b"] = self.beside
        if large := self.large_rows():
            content["g"] = large
        return content

    def _stored(self, scope: int) -> dict[str, Any]:
        """The variables of a scope as they are stored: null in the place of large values, which the rest names."""
        values = self.variables[scope]
        if not self.has_large:
            return values
        return {name: None if type(value) is Large else value for name, value in values.items()}

    @classmethod
    def from_json(cls, text: str | bytes, part_loader: PartLoader | None = None) -> "Instance":
        """The instance that `to_json` wrote; what is not in the text the part loader has."""
        state = read_json(text, allow_inf_nan=False)
        instance = cls(
            status=Status(state["s"]),
            version=state["v"],
            counter=state["n"],
            scopes={},
            active={},
            variables={},
            caller=Caller(*state["c"]) if "c" in state else None,
            pending=_read_pending(*state["p"]) if "p" in state else None,
            unattended=state.get("u", 0),
            kept={(kind, scope): dict(values) for kind, scope, values in state.get("k", ())},
            absent=UnloadedCounts(*state["a"]) if "a" in state else NOTHING_ABSENT,
            part_loader=part_loader,
        )
        instance._add(state)
        return instance


def _read_pending(moving: list[Any], *others: Any) -> Pending:
    return Pending([Token(*row) for row in moving], *others)


def read_done(rows: Any) -> tuple[Done, ...]:
    """What was done, from its JSON."""
    return tuple([Done(row[0], row[1], list(read_done(row[2]))) for row in cast("list[Any]", rows)])


def done_keys(done: Iterable[Done]) -> list[str]:
    """The keys of what was done, of all that was done inside as well."""
    return [key for one in done for key in (one.element, *done_keys(one.inner))]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that a script changed: new values by name, null for the ones it deleted."""
    changed = {name: value for name, value in after.items() if name not in before or not _same(before[name], value)}
    return changed | {name: None for name in before if name not in after}


def _same(left: Any, right: Any) -> bool:
    # 1, 1.0 and true are equal in Python and different in JSON.
    return left == right and type(left) is type(right)
