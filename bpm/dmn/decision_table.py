"""Decision tables, ready to be evaluated (DMN 1.5, chapter 8)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpm.dmn.conversions import fitted, given
from bpm.dmn.failures import DecisionFailed
from bpm.dmn.unary import INPUT, Test
from bpm.expressions import Evaluator
from bpm.expressions.kinds import Kind
from bpm.expressions.scopes import Frame
from bpm.expressions.temporal import Ordered
from bpm.expressions.values import NUMBERS, calculate, compare, describe, same
from bpm.metering import Meter

Scope = Mapping[str, Any]
Row = dict[str, Any]

ENTRIES_PER_STEP = 25
"""Comparing so many values is about the work of one operator."""
LISTS = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")
"""The hit policies whose result is a list."""


@dataclass(frozen=True, slots=True)
class Input:
    """A column that is tested: what it looks at, the type this must have, and how messages name it."""

    evaluate: Evaluator
    kind: Kind
    label: str

    def value(self, scope: Scope, meter: Meter) -> Any:
        """The value that the column's cells test; raises DecisionFailed when it is not of the type.

        Editors write "string" where nobody chose a type: a date that the column calculates is none the less one.
        """
        value = self.evaluate(scope, meter)
        if self.kind.name == "string" and isinstance(value, Ordered):
            return value
        return given(value, self.kind, self.label, meter)


@dataclass(frozen=True, slots=True)
class Output:
    """A column of results: its name, its type, and its values in the order of their priority."""

    name: str
    kind: Kind
    priorities: tuple[Any, ...]

    def value(self, evaluate: Evaluator | None, scope: Scope, meter: Meter) -> Any:
        """The value of a cell, null if it is empty; raises DecisionFailed when it is not of the type."""
        if evaluate is None:
            return None
        return fitted(evaluate(scope, meter), self.kind, f"the output '{self.name}'", meter)


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """A row of a table: a test for each input, an expression for each output (None: empty)."""

    tests: tuple[Test, ...]
    outputs: tuple[Evaluator | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table; `defaults` are the outputs when no rule matches."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[DecisionRule, ...]
    policy: str = "UNIQUE"
    aggregation: str = ""
    defaults: tuple[Evaluator | None, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether its result is a list, whose elements have the decision's type."""
        return self.policy in LISTS and not self.aggregation

    def value(self, scope: Scope, meter: Meter) -> Any:
        """What the table comes to."""
        return self.result(self.rows(scope, meter))

    def matching(self, scope: Scope, meter: Meter) -> Iterator[tuple[int, DecisionRule]]:
        """Each rule that matches with its number, from 1."""
        values = [column.value(scope, meter) for column in self.inputs]
        tested = Frame(scope)
        numbered = enumerate(self.rules, 1)
        return ((number, rule) for number, rule in numbered if _matches(rule, values, tested, meter))

    def rows(self, scope: Scope, meter: Meter) -> list[Row]:
        """The outputs that count by the hit policy."""
        return self.outcome((rule for _, rule in self.matching(scope, meter)), scope, meter)

    def outcome(self, matching: Iterator[DecisionRule], scope: Scope, meter: Meter) -> list[Row]:
        """The outputs that count of rules that match; FIRST asks for no more than one."""
        if self.policy == "FIRST":
            first = next(matching, None)
            return [self._row(first.outputs, scope, meter)] if first else self._default(scope, meter)
        hits = [self._row(rule.outputs, scope, meter) for rule in matching]
        if not hits:
            return self._default(scope, meter)
        return _POLICIES[self.policy](self, hits, meter)

    def result(self, rows: Sequence[Row]) -> Any:
        """One value or context, or for the policies that hit several a list of them."""
        shown = [row[self.outputs[0].name] if len(self.outputs) == 1 else row for row in rows]
        if self.is_list:
            return shown
        return shown[0] if shown else None

    def _row(self, cells: Sequence[Evaluator | None], scope: Scope, meter: Meter) -> Row:
        columns = zip(self.outputs, cells, strict=True)
        return {column.name: column.value(cell, scope, meter) for column, cell in columns}

    def _default(self, scope: Scope, meter: Meter) -> list[Row]:
        if self.aggregation == "COUNT":
            return [{self.outputs[0].name: 0}]
        return [self._row(self.defaults, scope, meter)] if any(self.defaults) else []

    def _only(self, hits: list[Row], _: Meter) -> list[Row]:
        if len(hits) > 1:
            raise DecisionFailed(f"{len(hits)} rules match, and the hit policy UNIQUE allows one")
        return hits

    def _any(self, hits: list[Row], meter: Meter) -> list[Row]:
        if not all(same(hit, hits[0], meter) for hit in hits):
            raise DecisionFailed("rules with different outputs match, which the hit policy ANY does not allow")
        return hits[:1]

    def _by_priority(self, hits: list[Row], meter: Meter) -> list[Row]:
        meter.charge(len(hits) * sum(len(column.priorities) for column in self.outputs) // ENTRIES_PER_STEP)
        return sorted(hits, key=self._priority)

    def _first_by_priority(self, hits: list[Row], meter: Meter) -> list[Row]:
        return self._by_priority(hits, meter)[:1]

    def _priority(self, row: Row) -> list[int]:
        orders = [(row[column.name], column.priorities) for column in self.outputs]
        return [order.index(value) if value in order else len(order) for value, order in orders]

    def _in_order(self, hits: list[Row], _: Meter) -> list[Row]:
        return hits

    def _collect(self, hits: list[Row], meter: Meter) -> list[Row]:
        if not self.aggregation:
            return hits
        name = self.outputs[0].name
        values = [hit[name] for hit in hits if hit[name] is not None]
        if self.aggregation != "COUNT":
            _check_kinds(self.aggregation, values)
        return [{name: _AGGREGATIONS[self.aggregation](values, meter)}]


def _matches(rule: DecisionRule, values: Sequence[Any], tested: Frame, meter: Meter) -> bool:
    """Whether every test of a rule is met; each finds its column's value in the one scope that all share."""
    meter.charge(1)
    for test, value in zip(rule.tests, values, strict=True):
        tested[INPUT] = value
        if not test(tested, meter):
            return False
    return True


def _check_kinds(aggregation: str, values: Sequence[Any]) -> None:
    """Raise DecisionFailed unless all are numbers or, where the least or greatest is wanted, dates and times alike."""
    strange = next((value for value in values if type(value) not in NUMBERS), None)
    if strange is None:
        return
    if aggregation != "SUM" and isinstance(strange, Ordered) and all(type(each) is type(strange) for each in values):
        return
    needed = "numbers" if aggregation == "SUM" else "numbers, or dates, times or durations of one kind"
    raise DecisionFailed(f"{aggregation} needs {needed}, not {describe(strange)}")


def _sum(values: list[Any], meter: Meter) -> Any:
    total: Any = 0
    for value in values:
        total = calculate("+", total, value, meter)
    return total


def _extreme(symbol: str) -> Callable[[list[Any], Meter], Any]:
    def choose(values: list[Any], meter: Meter) -> Any:
        best = values[0] if values else None
        for value in values[1:]:
            best = value if compare(symbol, value, best, meter) else best
        return best

    return choose


_AGGREGATIONS: Mapping[str, Callable[[list[Any], Meter], Any]] = {
    "SUM": _sum,
    "MIN": _extreme("<"),
    "MAX": _extreme(">"),
    "COUNT": lambda values, _: len(values),
}
# pyright: reportPrivateUsage=false
_POLICIES: Mapping[str, Callable[[Table, list[Row], Meter], list[Row]]] = {
    "UNIQUE": Table._only,
    "ANY": Table._any,
    "PRIORITY": Table._first_by_priority,
    "COLLECT": Table._collect,
    "RULE ORDER": Table._in_order,
    "OUTPUT ORDER": Table._by_priority,
}
POLICIES = ("FIRST", *_POLICIES)
AGGREGATIONS = tuple(_AGGREGATIONS)
