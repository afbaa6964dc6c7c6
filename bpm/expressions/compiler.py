"""Tree -> closures. Each kind of node becomes one function of the scope; nothing is interpreted later."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from bpm.metering import Meter
from bpm.number import whole

from . import syntax
from .closures import (
    LOOPS,
    conditional,
    context,
    counted,
    default,
    elements,
    is_among,
    is_equal,
    list_of,
    logic,
    object_of,
    or_null,
    truth,
)
from .environment import PLAIN, Environment
from .errors import EvaluationError, ExpressionError, Unsuitable
from .feel_calls import built_in, fitting
from .feel_lists import PARTIAL, STEPS_PER_TURN, chosen, collected, copied, iterated, nested, quantified, steps
from .function_values import FunctionValue, invoke
from .functions import FUNCTIONS, BuiltinFunction, nearest_function
from .functions.parameters import kinds as kinds_of
from .intervals import compared, interval
from .parser import MAX_DEPTH
from .paths import Evaluator, Keys, look_up, pick, walk
from .scopes import Frame
from .values import (
    ARITHMETIC,
    ORDERINGS,
    bounded,
    calculate,
    compare,
    extent,
    holds,
    is_empty,
    negate,
    same,
)

_TESTS = (syntax.Range, syntax.Test)
_MISPLACED: dict[type[syntax.Node], str] = {
    syntax.Range: "a range stands only after 'in'",
    syntax.Test: "a test without a left side stands only after 'in'",
    syntax.Function: "a function can't stand here; only sort() takes one",
    syntax.Steps: "low..high stands only in a loop",
}


class Compiler:
    """Compiles one expression; afterwards `names` are its top-level names.

    `is_temporal` tells whether its result may hold dates or ranges, which are to leave it as text.
    """

    def __init__(self, is_feel: bool, environment: Environment = PLAIN) -> None:
        self.is_feel = is_feel
        self.environment = environment
        self.is_temporal = False
        self.names: set[str] = set()
        self.local: list[str] = []
        self.depth = 0

    def compile(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """The evaluator of `node`; a lenient one gives null where a strict one raises Unsuitable."""
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
                return logic(operator, [self.compile(part, lenient) for part in parts], lenient)
            case syntax.Conditional(test=test, yes=yes, no=no):
                branches = self.compile(yes, lenient), self.compile(no, lenient)
                return conditional(self.compile(test, lenient), *branches, lenient)
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

    def path(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """A name or value followed by keys that are known now."""
        keys: list[str | int] = []
        while isinstance(node, syntax.Member):
            keys.append(node.key)
            node = node.target
        steps: Keys = tuple(reversed(keys))
        if isinstance(node, syntax.Name):
            return self.name(node.name, steps)
        target, is_feel = self.compile(node, lenient), self.is_feel
        return lambda scope, meter: walk(target(scope, meter), steps, "the value", is_feel, meter)

    def name(self, name: str, steps: Keys) -> Evaluator:
        """A name of the scope; in a model also a built-in function as a value, where the scope has no such name."""
        if name == PARTIAL and self.is_feel:
            return copied(look_up(name, steps, True))
        if name in self.local:
            return look_up(name, steps, self.is_feel)
        if "." in name and self.environment.is_model:
            return self.dotted(name, steps)
        self.names.add(name)
        found = look_up(name, steps, self.is_feel)
        if not self.environment.is_model or name not in FUNCTIONS or steps or name in self.environment.names:
            return found
        value = built_in(name)

        def either(scope: Mapping[str, Any], meter: Meter) -> Any:
            try:
                return found(scope, meter)
            except Unsuitable:
                return value

        return either

    def dotted(self, name: str, steps: Keys) -> Evaluator:
        """A declared name such as `Person.Age`; where the scope has none of it, the path that it looks like."""
        found = look_up(name, steps, self.is_feel)
        root, *keys = name.split(".")
        path = look_up(root, (*keys, *steps), self.is_feel)

        def either(scope: Mapping[str, Any], meter: Meter) -> Any:
            try:
                return found(scope, meter)
            except Unsuitable:
                return path(scope, meter)

        return either

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

    def inside(self, variable: str, node: syntax.Node, lenient: bool) -> Evaluator:
        """Compile `node` where `variable` is known."""
        self.local.append(variable)
        evaluator = self.compile(node, lenient)
        self.local.pop()
        return evaluator

    def unary(self, node: syntax.Unary, lenient: bool) -> Evaluator:
        """`-x`, `not x`, and `empty x`, for which a missing value is empty.

        The opposite of null is null in FEEL, and true in JUEL, where null counts as false (Expression Language,
        "Coerce A to Boolean").
        """
        if node.operator == "empty":
            value = self.compile(node.operand, lenient=True)
            return lambda scope, meter: is_empty(value(scope, meter))
        operand = self.compile(node.operand, lenient)
        if node.operator == "-":
            return lambda scope, meter: negate(operand(scope, meter), meter)

        of_null = None if self.is_feel or not lenient else True

        def negated(scope: Mapping[str, Any], meter: Meter) -> bool | None:
            value = operand(scope, meter)
            if value is None and of_null:
                return of_null
            value = truth(value, "'not'", lenient)
            return None if value is None else not value

        return negated

    def binary(self, node: syntax.Binary, lenient: bool) -> Evaluator:
        """Comparison, membership, arithmetic, or `??`."""
        operator = node.operator
        if operator == "??":
            return default(self.compile(node.left, lenient=True), self.compile(node.right, lenient))
        if operator in ("=", "!="):
            return self.equality(node, lenient)
        left = self.compile(node.left, lenient)
        if operator == "in":
            return self.membership(left, node.right, lenient)
        right = self.compile(node.right, lenient)
        if operator in ORDERINGS:
            return lambda scope, meter: compare(operator, left(scope, meter), right(scope, meter), meter)
        if operator in ARITHMETIC:
            return lambda scope, meter: calculate(operator, left(scope, meter), right(scope, meter), meter)
        if operator == "contains":
            return lambda scope, meter: holds(left(scope, meter), right(scope, meter), meter)
        function = FUNCTIONS[operator]
        return lambda scope, meter: function.invoke(meter, left(scope, meter), right(scope, meter))

    def equality(self, node: syntax.Binary, lenient: bool) -> Evaluator:
        """`=` and `!=`; comparing with the word null asks whether there is a value at all."""
        asks_presence = _is_null(node.left) or _is_null(node.right)
        left = self.compile(node.left, lenient or asks_presence)
        right = self.compile(node.right, lenient or asks_presence)
        wanted = node.operator == "="
        if not self.is_feel:
            return lambda scope, meter: same(left(scope, meter), right(scope, meter), meter) is wanted

        def compare_types(scope: Mapping[str, Any], meter: Meter) -> bool | None:
            answer = is_equal(left(scope, meter), right(scope, meter), meter)
            return None if answer is None else answer is wanted

        return compare_types

    def membership(self, left: Evaluator, container: syntax.Node, lenient: bool) -> Evaluator:
        """`x in` a range, a list that may hold ranges, a text or an object."""
        if isinstance(container, syntax.Range):
            return self.within(left, container, lenient)
        if isinstance(container, syntax.Test):
            return self.meets(left, container, lenient)
        if isinstance(container, syntax.ListOf) and any(isinstance(i, _TESTS) for i in container.items):
            tests = [self.membership(left, _alone(item), lenient) for item in container.items]
            return lambda scope, meter: any(test(scope, meter) for test in tests)
        right = self.compile(container, lenient)
        contains = is_among if self.is_feel else holds
        return lambda scope, meter: contains(right(scope, meter), left(scope, meter), meter)

    def meets(self, left: Evaluator, test: syntax.Test, lenient: bool) -> Evaluator:
        """`x in > value`."""
        right, operator = self.compile(test.value, lenient), test.operator
        if operator in ("=", "!="):
            wanted = operator == "="
            return lambda scope, meter: same(left(scope, meter), right(scope, meter), meter) is wanted
        return lambda scope, meter: compare(operator, left(scope, meter), right(scope, meter), meter)

    def within(self, left: Evaluator, bounds: syntax.Range, lenient: bool) -> Evaluator:
        """`x in [low..high]` and `x between low and high`."""
        low, high = self.compile(bounds.low, lenient), self.compile(bounds.high, lenient)
        above = ">=" if bounds.includes_low else ">"
        below = "<=" if bounds.includes_high else "<"

        def inside(scope: Mapping[str, Any], meter: Meter) -> bool:
            value = left(scope, meter)
            return compare(above, value, low(scope, meter), meter) and compare(below, value, high(scope, meter), meter)

        return inside

    def call(self, node: syntax.Call, lenient: bool) -> Evaluator:
        """A built-in function, its error messages headed by its name."""
        function = FUNCTIONS[node.function]
        self.is_temporal = self.is_temporal or function.is_temporal
        arguments = [self.argument(each, lenient, function) for each in node.arguments]
        if self.is_feel:
            kinds = node.kinds or kinds_of(node.function, len(arguments))
            arguments = [fitting(argument, kind) for argument, kind in zip(arguments, kinds, strict=True)]
        if function.reads_scope:
            return _reading_scope(function, arguments)
        name, invoke = node.function, function.invoke

        def call(scope: Mapping[str, Any], meter: Meter) -> Any:
            try:
                return bounded(invoke(meter, *[argument(scope, meter) for argument in arguments]))
            except ArithmeticError as error:
                raise EvaluationError(f"{name}(): a value is too large") from error

        return call

    def argument(self, node: syntax.Node, lenient: bool, function: BuiltinFunction) -> Evaluator:
        """An argument of a built-in function: a value, or a function where it takes one."""
        if function.takes_function and isinstance(node, syntax.Function):
            return self.function(node, lenient)
        return self.compile(node, lenient or function.takes_null)

    def function(self, node: syntax.Function, lenient: bool) -> Evaluator:
        """`function(a, b) body`, which sees the names around it."""
        self.is_temporal = True
        self.local += node.parameters
        body = self.compile(node.body, lenient)
        del self.local[len(self.local) - len(node.parameters) :]

        def bind(scope: Mapping[str, Any], _: Meter) -> FunctionValue:
            def run(values: Iterable[Any], meter: Meter) -> Any:
                frame = Frame(scope)
                frame.update(zip(node.parameters, values, strict=True))
                return body(frame, meter)

            return FunctionValue(node.parameters, run, node.kinds)

        return bind

    def apply(self, node: syntax.Apply, lenient: bool) -> Evaluator:
        """`f(a, b)` of a function that is a value."""
        target = node.target
        if isinstance(target, syntax.Name) and target.name not in (*self.local, *self.environment.names):
            raise ExpressionError(nearest_function(target.name), target.column)
        self.is_temporal = True
        function = self.compile(target, lenient)
        arguments = [self.compile(each, lenient) for each in node.arguments]
        names = node.names
        return lambda scope, meter: invoke(
            function(scope, meter), [argument(scope, meter) for argument in arguments], meter, names
        )

    def range(self, node: syntax.Range, lenient: bool) -> Evaluator:
        """`[low..high]` as a value."""
        self.is_temporal = True
        low, high = self.compile(node.low, lenient), self.compile(node.high, lenient)
        ends = node.includes_low, node.includes_high
        return lambda scope, meter: interval(low(scope, meter), high(scope, meter), *ends, meter)

    def feel_loop(self, node: syntax.Loop, lenient: bool) -> Evaluator:
        """FEEL's `for`, `some` and `every`, over one list or several, each inside of the one before."""
        before = len(self.local)
        domains: list[tuple[str, Evaluator]] = []
        body: syntax.Node = node
        self.local.append(PARTIAL)
        while isinstance(body, syntax.Loop) and (not domains or body.is_inner):
            domains.append((body.variable, self.feel_domain(body.domain, lenient)))
            self.local.append(body.variable)
            body = body.body
        result = self.compile(body, lenient)
        del self.local[before:]
        turns = nested(domains, result)
        return collected(turns) if node.kind in ("for", "each") else quantified(turns, node.kind == "some")

    def feel_domain(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """What a loop of FEEL runs over."""
        if not isinstance(node, syntax.Steps):
            values = self.compile(node, lenient)
            return lambda scope, meter: iterated(values(scope, meter))
        low, high = self.compile(node.low, lenient), self.compile(node.high, lenient)
        return lambda scope, meter: steps(low(scope, meter), high(scope, meter))

    def loop(self, node: syntax.Loop, lenient: bool) -> Evaluator:
        """`for`, `some` and `every` over a list or a range of whole numbers."""
        domain = self.domain(node.domain, lenient)
        body = self.inside(node.variable, node.body, lenient)
        variable = node.variable

        def turns(scope: Mapping[str, Any], meter: Meter) -> Any:
            frame = Frame(scope)
            for item in domain(scope, meter):
                meter.charge(STEPS_PER_TURN)
                frame[variable] = item
                yield body(frame, meter)

        return LOOPS[node.kind](turns, lenient)

    def domain(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """What a loop runs over."""
        if not isinstance(node, syntax.Range | syntax.Steps):
            values = self.compile(node, lenient)
            return lambda scope, meter: elements(values(scope, meter))
        low, high = self.compile(node.low, lenient), self.compile(node.high, lenient)

        def numbers(scope: Mapping[str, Any], meter: Meter) -> range:
            first, last = low(scope, meter), high(scope, meter)
            if type(first) is not int or type(last) is not int:
                raise Unsuitable("a loop counts between two whole numbers")
            return range(first, last + 1) if first <= last else range(first, last - 1, -1)

        return numbers


def _reading_scope(function: BuiltinFunction, arguments: Sequence[Evaluator]) -> Evaluator:
    """The call of a function that is given the scope, which costs nothing to hand over."""

    def call(scope: Mapping[str, Any], meter: Meter) -> Any:
        given = [argument(scope, meter) for argument in arguments]
        meter.charge(function.steps + sum(map(extent, given)))
        return function.call(scope, *given)

    return call


def _is_null(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Literal) and node.value is None


def _alone(node: syntax.Node) -> syntax.Node:
    """An element of a list with ranges or tests, as the container of one test."""
    return node if isinstance(node, _TESTS) else syntax.ListOf(node.column, (node,))
