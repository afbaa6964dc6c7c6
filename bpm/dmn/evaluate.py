"""Decisions ready to be evaluated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpm.dmn.unary import INPUT, Test
from bpm.expressions import CLOCK, EvaluationError, Expression, equal, to_json
from bpm.metering import MAX_MESSAGE_STEPS, OverBudget, budget, charge

Scope = dict[str, Any]
Row = dict[str, Any]

ENTRIES_PER_STEP = 25
"""Copying or comparing so many values is about the work of one operator."""
LISTS = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")
"""The hit policies whose result is a list."""


class DecisionFailed(Exception):
    """A decision gave no answer; the sentence says why."""


@dataclass(frozen=True, slots=True)
class LiteralDecision:
    """A decision by one expression."""

    name: str
    expression: Expression

    def rows(self, scope: Scope) -> list[Row]:
        """Its value as the only row."""
        return [{self.name: self.expression.evaluate(scope)}]

    def result(self, rows: Sequence[Row]) -> Any:
        """The value."""
        return rows[0][self.name]


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """A row of a table: a test for each input, an expression for each output (None: empty)."""

    tests: tuple[Test, ...]
    outputs: tuple[Expression | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table (DMN 1.3, chapter 8).

    `priorities` are the output values of each column in their order, where the file lists them; `defaults` the
    outputs when no rule matches.
    """

    inputs: tuple[Expression, ...]
    outputs: tuple[str, ...]
    rules: tuple[DecisionRule, ...]
    policy: str = "UNIQUE"
    aggregation: str = ""
    priorities: tuple[tuple[Any, ...], ...] = ()
    defaults: tuple[Expression | None, ...] = ()

    def rows(self, scope: Scope) -> list[Row]:
        """The outputs that count by the hit policy."""
        values, tested = [expression.evaluate(scope) for expression in self.inputs], _copied(scope)
        matching = (rule for rule in self.rules if self._matches(rule, values, tested))
        if self.policy == "FIRST":
            first = next(matching, None)
            return [self._row(first.outputs, scope)] if first else self._default(scope)
        hits = [self._row(rule.outputs, scope) for rule in matching]
        if not hits:
            return self._default(scope)
        return _POLICIES[self.policy](self, hits)

    def result(self, rows: Sequence[Row]) -> Any:
        """One value or context, or for the policies that hit several a list of them."""
        shown = [self._shown(row) for row in rows]
        if self.policy in LISTS and not self.aggregation:
            return shown
        return shown[0] if shown else None

    def _shown(self, row: Row) -> Any:
        return row[self.outputs[0]] if len(self.outputs) == 1 else row

    def _matches(self, rule: DecisionRule, values: Sequence[Any], tested: Scope) -> bool:
        """Whether every test of a rule is met; each finds its column's value in the one scope that all share."""
        for test, value in zip(rule.tests, values, strict=True):
            tested[INPUT] = value
            if not test(tested):
                return False
        return True

    def _row(self, outputs: Sequence[Expression | None], scope: Scope) -> Row:
        pairs = zip(self.outputs, outputs, strict=True)
        return {name: None if output is None else output.evaluate(scope) for name, output in pairs}

    def _default(self, scope: Scope) -> list[Row]:
        if self.aggregation == "COUNT":
            return [{self.outputs[0]: 0}]
        return [self._row(self.defaults, scope)] if any(self.defaults) else []

    def _only(self, hits: list[Row]) -> list[Row]:
        if len(hits) > 1:
            raise DecisionFailed(f"{len(hits)} rules match, and the hit policy UNIQUE allows one")
        return hits

    def _any(self, hits: list[Row]) -> list[Row]:
        if not all(equal(hit, hits[0]) for hit in hits):
            raise DecisionFailed("rules with different outputs match, which the hit policy ANY does not allow")
        return hits[:1]

    def _by_priority(self, hits: list[Row]) -> list[Row]:
        return sorted(hits, key=self._priority)

    def _first_by_priority(self, hits: list[Row]) -> list[Row]:
        return self._by_priority(hits)[:1]

    def _priority(self, row: Row) -> list[int]:
        charge(sum(map(len, self.priorities)) // ENTRIES_PER_STEP)
        columns = zip(self.outputs, self.priorities, strict=True)
        return [order.index(row[name]) if row[name] in order else len(order) for name, order in columns]

    def _in_order(self, hits: list[Row]) -> list[Row]:
        return hits

    def _collect(self, hits: list[Row]) -> list[Row]:
        if not self.aggregation:
            return hits
        name = self.outputs[0]
        values = [hit[name] for hit in hits if hit[name] is not None]
        if self.aggregation != "COUNT" and any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
            raise DecisionFailed(f"{self.aggregation} needs numbers, not {values!r:.100}")
        return [{name: _AGGREGATIONS[self.aggregation](values)}]


_AGGREGATIONS: Mapping[str, Callable[[list[Any]], Any]] = {
    "SUM": sum,
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
    "COUNT": len,
}
# pyright: reportPrivateUsage=false
_POLICIES: Mapping[str, Callable[[Table, list[Row]], list[Row]]] = {
    "UNIQUE": Table._only,
    "ANY": Table._any,
    "PRIORITY": Table._first_by_priority,
    "COLLECT": Table._collect,
    "RULE ORDER": Table._in_order,
    "OUTPUT ORDER": Table._by_priority,
}
POLICIES = ("FIRST", *_POLICIES)
AGGREGATIONS = tuple(_AGGREGATIONS)


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A decision; `requires` are the ones whose results it sees under their names."""

    id: str
    name: str
    variable: str
    logic: LiteralDecision | Table
    requires: tuple["DecisionTable", ...] = field(default=())


def decide(decision: DecisionTable, variables: Mapping[str, Any], now: Any, shape: str = "") -> Any:
    """Evaluate a decision at the time `now`; raises DecisionFailed.

    `shape` is empty for DMN's own result, or one of Camunda 7's: singleEntry, singleResult, collectEntries,
    resultList.
    """
    try:
        with budget(MAX_MESSAGE_STEPS):
            rows = _rows(decision, {**variables, CLOCK: now}, {})
            return to_json(_SHAPES[shape](rows) if shape else decision.logic.result(rows))
    except (EvaluationError, OverBudget) as error:
        raise DecisionFailed(str(error)) from error


def _rows(decision: DecisionTable, scope: Scope, known: dict[str, Any]) -> list[Row]:
    inner = _copied(scope) if decision.requires else scope
    for required in decision.requires:
        if required.id not in known:
            rows = _rows(required, inner, known)
            known[required.id] = required.logic.result(rows)
        inner[required.variable] = known[required.id]
    return decision.logic.rows(inner)


def _copied(scope: Scope) -> Scope:
    """Copy a scope, which may hold very many variables: that is counted as work."""
    charge(len(scope) // ENTRIES_PER_STEP)
    return scope.copy()


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
