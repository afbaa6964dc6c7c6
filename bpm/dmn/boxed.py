"""The boxed expressions of DMN (1.5, chapter 10.2), each made one function of the scope."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpm.expressions import Evaluator, Unsuitable
from bpm.expressions.feel_lists import STEPS_PER_TURN, boolean, collected, filtered, iterated, many, quantified
from bpm.expressions.function_values import FunctionValue, invoke
from bpm.expressions.kinds import ANY, Kind, converted
from bpm.expressions.scopes import Frame
from bpm.expressions.values import size
from bpm.metering import Meter

Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BoxedEntry:
    """A part of a boxed expression under its name, and the type it must have."""

    name: str
    evaluate: Evaluator
    kind: Kind = ANY

    def value(self, scope: Scope, meter: Meter) -> Any:
        """Its value; null where it is not of the type, as DMN has it."""
        try:
            return converted(self.evaluate(scope, meter), self.kind, meter)
        except Unsuitable:
            return None


def context(entries: Sequence[BoxedEntry], result: Evaluator | None) -> Evaluator:
    """Entries that see those before them; a last one without a name is the value of all."""

    def build(scope: Scope, meter: Meter) -> Any:
        frame = Frame(scope)
        for entry in entries:
            frame[entry.name] = entry.value(frame, meter)
        size(frame, meter)
        return dict(frame) if result is None else result(frame, meter)

    return build


def listed(items: Sequence[Evaluator]) -> Evaluator:
    """A list of the values of its items."""

    def build(scope: Scope, meter: Meter) -> list[Any]:
        values = [item(scope, meter) for item in items]
        size(values, meter)
        return values

    return build


def relation(columns: Sequence[str], rows: Sequence[Sequence[Evaluator]]) -> Evaluator:
    """A list of contexts, one a row."""

    def build(scope: Scope, meter: Meter) -> list[dict[str, Any]]:
        values = [{name: cell(scope, meter) for name, cell in zip(columns, row, strict=True)} for row in rows]
        size(values, meter)
        return values

    return build


def function(parameters: Sequence[BoxedEntry], body: Evaluator, result: Kind) -> Evaluator:
    """A function that sees the names around its definition."""
    names, kinds = tuple(each.name for each in parameters), tuple(each.kind for each in parameters)

    def bind(scope: Scope, _: Meter) -> FunctionValue:
        return FunctionValue(names, closure(names, body, scope), kinds, result)

    return bind


def closure(names: Sequence[str], body: Evaluator, scope: Scope) -> Callable[[Sequence[Any], Meter], Any]:
    """What a body does with the values of its parameters, seen before the names around it."""

    def run(values: Sequence[Any], meter: Meter) -> Any:
        frame = Frame(scope)
        frame.update(zip(names, values, strict=True))
        return body(frame, meter)

    return run


def invocation(called: Evaluator, bindings: Sequence[BoxedEntry]) -> Evaluator:
    """A function called with its parameters by name."""
    names = [binding.name for binding in bindings]

    def call(scope: Scope, meter: Meter) -> Any:
        return invoke(called(scope, meter), [each.value(scope, meter) for each in bindings], meter, names)

    return call


def conditional(test: Evaluator, yes: Evaluator, no: Evaluator) -> Evaluator:
    """One of two values; null counts as false."""

    def choose(scope: Scope, meter: Meter) -> Any:
        return yes(scope, meter) if boolean(test(scope, meter), "'if'") else no(scope, meter)

    return choose


def filtering(items: Evaluator, condition: Evaluator) -> Evaluator:
    """The items for which a condition holds, which sees each as `item`."""
    return lambda scope, meter: filtered(many(items(scope, meter)), condition, scope, meter)


def iteration(kind: str, variable: str, domain: Evaluator, body: Evaluator) -> Evaluator:
    """`for`, `some` and `every`."""

    def turns(frame: Frame, meter: Meter) -> Any:
        for item in iterated(domain(frame, meter)):
            meter.charge(STEPS_PER_TURN)
            frame[variable] = item
            yield body(frame, meter)

    return collected(turns) if kind == "for" else quantified(turns, kind == "some")
