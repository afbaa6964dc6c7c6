"""Comparisons, membership, arithmetic, and `??`."""

from collections.abc import Mapping
from typing import Any

from bpm.metering import Meter

from . import juel, syntax, values
from .closures import any_met, default, is_among, is_equal
from .functions import FUNCTIONS
from .node_compiler import NodeCompiler
from .paths import Evaluator
from .values import ARITHMETIC, ORDERINGS, compare, holds, same

_TESTS = (syntax.Range, syntax.Test)


class ComparisonCompiler(NodeCompiler):
    """Compiles operators between two values."""

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
            compare = juel.compare if self.is_juel else values.compare
            return lambda scope, meter: compare(operator, left(scope, meter), right(scope, meter), meter)
        if operator in ARITHMETIC:
            calculate = juel.calculate if self.is_juel else values.calculate
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
            same = juel.same if self.is_juel else values.same
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
        if isinstance(container, syntax.ListOf) and self.has_tests(container):
            are_tests = self.is_feel and container.are_tests
            tests = [self.membership(left, item if are_tests else _alone(item), lenient) for item in container.items]
            return any_met(tests)
        right = self.compile(container, lenient)
        contains = is_among if self.is_feel else holds
        return lambda scope, meter: contains(right(scope, meter), left(scope, meter), meter)

    def has_tests(self, container: syntax.ListOf) -> bool:
        """Whether elements of a list are asked by themselves, because they aren't values, or may be lists or ranges."""
        asked = self.is_feel and container.are_tests
        return any(isinstance(i, _TESTS) or (asked and not isinstance(i, syntax.Literal)) for i in container.items)

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


def _is_null(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Literal) and node.value is None


def _alone(node: syntax.Node) -> syntax.Node:
    """An element of a list with ranges or tests, as the container of one test."""
    return node if isinstance(node, _TESTS) else syntax.ListOf(node.column, (node,))
