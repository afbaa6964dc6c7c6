"""Tree -> closures. Each kind of node becomes one function of the scope; nothing is interpreted later."""

from collections.abc import Mapping
from typing import Any, cast

from bpm.metering import Meter
from bpm.number import whole

from . import juel, syntax, values
from .call_compiler import CallCompiler
from .closures import (
    conditional,
    context,
    counted,
    elements,
    list_of,
    logic,
    object_of,
    or_null,
    truth,
)
from .comparison_compiler import ComparisonCompiler
from .errors import ExpressionError
from .feel_lists import STEPS_PER_TURN, chosen
from .intervals import compared, interval
from .loop_compiler import LoopCompiler
from .name_compiler import NameCompiler
from .parser import MAX_DEPTH
from .paths import Evaluator, pick
from .scopes import Frame
from .values import is_empty

_MISPLACED: dict[type[syntax.Node], str] = {
    syntax.Range: "a range stands only after 'in'",
    syntax.Test: "a test without a left side stands only after 'in'",
    syntax.Function: "a function can't stand here; only sort() takes one",
    syntax.Steps: "low..high stands only in a loop",
}


class Compiler(NameCompiler, ComparisonCompiler, CallCompiler, LoopCompiler):
    """Compiles one expression."""

    def compile(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """See `NodeCompiler.compile`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH}", node.column)
        evaluator = self.strict(node, lenient)
        self.depth -= 1
        if isinstance(node, syntax.Literal):
            return evaluator
        return or_null(evaluator) if lenient else counted(evaluator)

    def strict(self, node: syntax.Node, lenient: bool) -> Evaluator:  # noqa: C901 - one line a kind of node
        """The evaluator of `node` itself; `lenient` counts for its parts."""
        match node:
            case syntax.Literal(value=value):
                return lambda _, __: value
            case syntax.Name() | syntax.Member():
                return self.path(node, lenient)
            case syntax.Index(target=target, key=key) if self.is_feel:
                place = self.compile(key, lenient=True)
                return chosen(self.compile(target, lenient), place, self.inside("item", key, lenient))
            case syntax.Index(target=target, key=key):
                return self.index(self.compile(target, lenient), self.compile(key, lenient))
            case syntax.Filter(target=target, condition=condition) if self.is_feel:
                return chosen(self.compile(target, lenient), None, self.inside("item", condition, lenient))
            case syntax.Filter(target=target, condition=condition):
                return self.filter(self.compile(target, lenient), condition, lenient)
            case syntax.Unary():
                return self.unary(node, lenient)
            case syntax.Binary():
                return self.binary(node, lenient)
            case syntax.Logic(operator=operator, parts=parts):
                return logic(operator, [self.condition(part, lenient) for part in parts], lenient)
            case syntax.Conditional(test=test, yes=yes, no=no):
                branches = self.compile(yes, lenient), self.compile(no, lenient)
                return conditional(self.condition(test, lenient), *branches, lenient)
            case syntax.ListOf(items=items) if all(isinstance(item, syntax.Literal) for item in items):
                constants = [cast("syntax.Literal", item).value for item in items]
                return lambda _, __: list(constants)
            case syntax.ListOf(items=items):
                return list_of([self.compile(item, lenient) for item in items])
            case syntax.ObjectOf(entries=entries):
                return self.context(entries, lenient)
            case syntax.Call():
                return self.call(node, lenient)
            case syntax.Loop():
                return self.feel_loop(node, lenient) if self.is_feel else self.loop(node, lenient)
            case syntax.InstanceOf(value=value, kind=kind):
                instance = self.compile(value, lenient)
                return lambda scope, meter: kind.holds(instance(scope, meter), meter)
            case syntax.Apply():
                return self.apply(node, lenient)
            case syntax.Function() if self.is_feel:
                return self.function(node, lenient)
            case syntax.Range() if self.is_feel:
                return self.range(node, lenient)
            case syntax.Test(operator=operator, value=value) if self.is_feel:
                self.is_temporal = True
                end = self.compile(value, lenient)
                return lambda scope, meter: compared(operator, end(scope, meter))
            case _:
                raise ExpressionError(_MISPLACED[type(node)], node.column)

    def index(self, target: Evaluator, key: Evaluator) -> Evaluator:
        """`target[key]` with a computed key."""

        def choose(scope: Mapping[str, Any], meter: Meter) -> Any:
            place = whole(key(scope, meter))
            return pick(target(scope, meter), place, "the value", False)

        return choose

    def filter(self, target: Evaluator, condition: syntax.Node, lenient: bool) -> Evaluator:
        """`target[condition]`: the condition sees `item` and, before all others, the item's own names."""
        holds_for = self.inside("item", condition, lenient)

        def choose(scope: Mapping[str, Any], meter: Meter) -> Any:
            frame = Frame(scope)
            chosen: list[Any] = []
            for item in elements(target(scope, meter)):
                meter.charge(STEPS_PER_TURN)
                frame.look_at(item)
                if truth(holds_for(frame, meter), "a filter", lenient):
                    chosen.append(item)
            return chosen

        return choose

    def context(self, entries: tuple[tuple[str, syntax.Node], ...], lenient: bool) -> Evaluator:
        """`{name: value}`; in FEEL a value sees the entries before it (DMN 1.3, 10.3.2.6)."""
        if not self.is_feel or len(entries) < 2:
            return object_of({name: self.compile(value, lenient) for name, value in entries})
        before = len(self.local)
        evaluators: dict[str, Evaluator] = {}
        for name, value in entries:
            evaluators[name] = self.compile(value, lenient)
            self.local.append(name)
        del self.local[before:]
        return context(evaluators)

    def condition(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """What is asked whether it is true."""
        evaluator = self.compile(node, lenient)
        return juel.as_condition(evaluator) if self.is_juel else evaluator

    def unary(self, node: syntax.Unary, lenient: bool) -> Evaluator:
        """`-x`, `not x`, and `empty x`, for which a missing value is empty.

        The opposite of null is null in FEEL, and true in JUEL, where null counts as false (Expression Language,
        "Coerce A to Boolean").
        """
        if node.operator == "empty":
            value = self.compile(node.operand, lenient=True)
            return lambda scope, meter: is_empty(value(scope, meter))
        if node.operator == "-":
            operand = self.compile(node.operand, lenient)
            negate = juel.negate if self.is_juel else values.negate
            return lambda scope, meter: negate(operand(scope, meter), meter)
        operand = self.condition(node.operand, lenient)
        of_null = None if self.is_feel or not lenient else True

        def negated(scope: Mapping[str, Any], meter: Meter) -> bool | None:
            value = operand(scope, meter)
            if value is None and of_null:
                return of_null
            value = truth(value, "'not'", lenient)
            return None if value is None else not value

        return negated

    def range(self, node: syntax.Range, lenient: bool) -> Evaluator:
        """`[low..high]` as a value."""
        self.is_temporal = True
        low, high = self.compile(node.low, lenient), self.compile(node.high, lenient)
        ends = node.includes_low, node.includes_high
        return lambda scope, meter: interval(low(scope, meter), high(scope, meter), *ends, meter)
