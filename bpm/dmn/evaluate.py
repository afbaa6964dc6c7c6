"""Decisions ready to be evaluated, with what they require."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpm.dmn.boxed import BoxedEntry, closure
from bpm.dmn.conversions import fitted, given
from bpm.dmn.decision_table import Row, Table
from bpm.dmn.failures import DecisionFailed
from bpm.expressions import CLOCK, EvaluationError, Evaluator, evaluated, to_json
from bpm.expressions.function_values import FunctionValue
from bpm.expressions.kinds import ANY, Kind, ListKind, list_of
from bpm.metering import MAX_MESSAGE_STEPS, Meter, OverBudget, budget

Scope = dict[str, Any]

ENTRIES_PER_STEP = 25
"""Copying so many values is about the work of one operator."""


@dataclass(frozen=True, slots=True)
class Boxed:
    """The logic of a decision that is no table: any other expression."""

    name: str
    evaluate: Evaluator

    def rows(self, scope: Mapping[str, Any], meter: Meter) -> list[Row]:
        """Its value as the only row."""
        return [{self.name: self.evaluate(scope, meter)}]

    def result(self, rows: Sequence[Row]) -> Any:
        """The value."""
        return rows[0][self.name]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A business knowledge model: a function that decisions call by its name."""

    id: str
    name: str
    parameters: tuple[BoxedEntry, ...]
    body: Evaluator
    result: Kind = ANY
    requires: tuple["Knowledge | DecisionService", ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A decision; `requires` are the ones whose results it sees under their names, `inputs` its data with their types.

    `knowledge` are the functions that it can call. `version_tag` is what its author calls this version.
    """

    id: str
    name: str
    variable: str
    logic: Boxed | Table
    requires: tuple["DecisionTable", ...] = field(default=())
    knowledge: tuple["Knowledge | DecisionService", ...] = ()
    inputs: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    kind: Kind = ANY
    version_tag: str = ""


@dataclass(frozen=True, slots=True)
class DecisionService:
    """Decisions to be called together, as a function or as a decision of its own.

    Its parameters are data and decisions whose results are given (`given`: their ids by name); its value is that of
    its decision, or a context of the values of several.
    """

    id: str
    name: str
    parameters: tuple[BoxedEntry, ...]
    given: Mapping[str, str]
    decisions: tuple[DecisionTable, ...]
    kind: Kind = ANY
    version_tag: str = ""


Decision = DecisionTable | DecisionService


def decide(decision: Decision, variables: Mapping[str, Any], now: Any, shape: str = "") -> Any:
    """Evaluate a decision at the time `now`; raises DecisionFailed.

    `shape` is empty for DMN's own result, or one of Camunda 7's: singleEntry, singleResult, collectEntries,
    resultList.
    """

    def run(scope: Mapping[str, Any], meter: Meter) -> Any:
        evaluation = Evaluation(meter, now)
        if isinstance(decision, DecisionService):
            rows = [{decision.name: evaluation.service(decision, scope)}]
            return _SHAPES[shape](rows) if shape else rows[0][decision.name]
        rows = evaluation.rows(decision, evaluation.read(decision, scope))
        return _SHAPES[shape](rows) if shape else evaluation.result(decision, rows)

    return run_bounded(run, variables, now)


def run_bounded(run: Evaluator, variables: Mapping[str, Any], now: Any) -> Any:
    """Return the value of an evaluation as JSON; raises DecisionFailed, also beyond the steps of one message."""
    try:
        with budget(MAX_MESSAGE_STEPS):
            return to_json(evaluated(run, {**variables, CLOCK: now}, MAX_MESSAGE_STEPS))
    except (EvaluationError, OverBudget) as error:
        raise DecisionFailed(str(error)) from error


class Evaluation:
    """One evaluation of a decision: what it has found out so far, and its meter."""

    def __init__(self, meter: Meter, now: Any) -> None:
        self._meter = meter
        self._now = now
        self._known: dict[str, Any] = {}
        self._functions: dict[str, FunctionValue] = {}

    def read(self, decision: DecisionTable, variables: Mapping[str, Any]) -> Scope:
        """The variables as a scope, in which every input that is needed has its type."""
        scope = self._copied(variables)
        for name, kind in _inputs(decision).items():
            if name in scope:
                scope[name] = given(scope[name], kind, name, self._meter)
        return scope

    def rows(self, decision: DecisionTable, scope: Scope) -> list[Row]:
        """The rows of a decision, those that it requires evaluated before."""
        return decision.logic.rows(self.scope(decision, scope), self._meter)

    def scope(self, decision: DecisionTable, scope: Scope) -> Scope:
        """What a decision sees: the variables, and the results of those that it requires."""
        inner = self._copied(scope) if decision.requires or decision.knowledge else scope
        for required in decision.requires:
            inner[required.variable] = self.value(required, scope)
        for knowledge in decision.knowledge:
            inner[knowledge.name] = self.function(knowledge)
        return inner

    def value(self, decision: DecisionTable, scope: Scope) -> Any:
        """The result of a decision, found once."""
        if decision.id not in self._known:
            self._known[decision.id] = self.result(decision, self.rows(decision, scope))
        return self._known[decision.id]

    def result(self, decision: DecisionTable, rows: list[Row]) -> Any:
        """The result that rows are, of the decision's type."""
        logic, kind = decision.logic, decision.kind
        if isinstance(logic, Table) and logic.is_list and not isinstance(kind, ListKind):
            kind = list_of(kind)
        return fitted(logic.result(rows), kind, f"the result of '{decision.name or decision.id}'", self._meter)

    def function(self, knowledge: Knowledge | DecisionService) -> FunctionValue:
        """What is called by a name; a business knowledge model sees itself, and what it requires."""
        if knowledge.id in self._functions:
            return self._functions[knowledge.id]
        names = tuple(each.name for each in knowledge.parameters)
        kinds = tuple(each.kind for each in knowledge.parameters)
        if isinstance(knowledge, DecisionService):
            return FunctionValue(names, self._service_of(knowledge), kinds, knowledge.kind)
        scope: Scope = {CLOCK: self._now}
        made = FunctionValue(names, closure(names, knowledge.body, scope), kinds, knowledge.result)
        scope |= {each.name: self.function(each) for each in knowledge.requires}
        scope[knowledge.name] = self._functions[knowledge.id] = made
        return made

    def service(self, service: DecisionService, variables: Mapping[str, Any]) -> Any:
        """The value of a service called with variables as its parameters."""
        values = [given(variables.get(each.name), each.kind, each.name, self._meter) for each in service.parameters]
        result = self._service_of(service)(values, self._meter)
        return fitted(result, service.kind, f"the result of '{service.name}'", self._meter)

    def _service_of(self, service: DecisionService) -> Callable[[Sequence[Any], Meter], Any]:
        def run(values: Sequence[Any], meter: Meter) -> Any:
            inner = Evaluation(meter, self._now)
            scope: Scope = {CLOCK: self._now}
            for parameter, value in zip(service.parameters, values, strict=True):
                if parameter.name in service.given:
                    inner._known[service.given[parameter.name]] = value
                scope[parameter.name] = value
            results = {each.variable: inner.value(each, scope) for each in service.decisions}
            return results if len(results) > 1 else next(iter(results.values()))

        return run

    def _copied(self, scope: Mapping[str, Any]) -> Scope:
        """Copy a scope, which may hold very many variables: that is counted as work."""
        self._meter.charge(len(scope) // ENTRIES_PER_STEP)
        return dict(scope)


def _inputs(decision: DecisionTable) -> dict[str, Kind]:
    """The data that a decision and those it requires look at, with their types."""
    found: dict[str, Kind] = {}
    waiting, seen = [decision], set[str]()
    while waiting:
        each = waiting.pop()
        if each.id not in seen:
            seen.add(each.id)
            found |= each.inputs
            waiting += each.requires
    return found


def _at_most_one(rows: list[Row]) -> Row | None:
    if len(rows) > 1:
        raise DecisionFailed(f"the decision gave {len(rows)} results, and one is wanted")
    return rows[0] if rows else None


def _entry(row: Row) -> Any:
    if len(row) > 1:
        raise DecisionFailed(f"the decision has {len(row)} outputs, and one is wanted: {', '.join(row)}")
    return next(iter(row.values()), None)


def _single_entry(rows: list[Row]) -> Any:
    row = _at_most_one(rows)
    return None if row is None else _entry(row)


_SHAPES: Mapping[str, Callable[[list[Row]], Any]] = {
    "singleEntry": _single_entry,
    "singleResult": _at_most_one,
    "collectEntries": lambda rows: [_entry(row) for row in rows],
    "resultList": lambda rows: rows,
}
