"""Calls of built-in functions, and functions that are values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bpm.metering import Meter

from . import syntax
from .errors import EvaluationError, ExpressionError, Unsuitable
from .feel_arguments import fitting
from .function_values import FunctionValue, invoke
from .functions import FUNCTIONS, BuiltinFunction, nearest_function
from .functions.parameters import kinds as kinds_of
from .node_compiler import NodeCompiler
from .paths import Evaluator
from .scopes import Frame
from .values import bounded, extent


class CallCompiler(NodeCompiler):
    """Compiles calls and functions."""

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
            except ZeroDivisionError as error:
                raise Unsuitable(f"{name}(): division by zero") from error
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


def _reading_scope(function: BuiltinFunction, arguments: Sequence[Evaluator]) -> Evaluator:
    """The call of a function that is given the scope, which costs nothing to hand over."""

    def call(scope: Mapping[str, Any], meter: Meter) -> Any:
        given = [argument(scope, meter) for argument in arguments]
        meter.charge(function.steps + sum(map(extent, given)))
        return function.call(scope, *given)

    return call
