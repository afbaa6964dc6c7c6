"""What stands after an operand: `.name`, `[key]`, `[condition]`, and the call of a value."""

from . import syntax
from .call_parser import CallParser
from .errors import ExpressionError
from .functions import FUNCTIONS, nearest_function
from .words import BOOLEAN, METHODS, NOT_OPERANDS


class PathParser(CallParser):
    """Parses paths."""

    def path(self, target: syntax.Node) -> syntax.Node:
        """Parse the `.name` and `[key]` after an operand."""
        while self.sees(".", "[", "(") and (self.is_feel or not isinstance(target, syntax.Range)):
            column = self.token.column
            if self.is_feel and self.sees("(") and self.is_callable(target):
                self.take()
                target = syntax.Apply(column, target, *self.arguments())
            elif self.skip("."):
                target = syntax.Member(column, target, self.expect_name())
            elif self.sees("[") and not self.starts_filter():
                break
            elif self.skip("["):
                target = self.bracket(target, column)
            elif isinstance(target, syntax.Name):
                raise ExpressionError(nearest_function(target.name), target.column)
            elif isinstance(target, syntax.Member) and target.key in METHODS:
                raise ExpressionError(f"methods such as .{target.key}() can't be called; {METHODS[target.key]}", column)
            else:
                raise ExpressionError("only the built-in functions can be called", column)
        return target

    def starts_filter(self) -> bool:
        """Whether a value follows the bracket, which otherwise closes a range such as `]1..5[`."""
        after = self.peek()
        if after.kind == "operator":
            return after.value in ("(", "[", "{", "]", "-", "@", "!")
        return after.kind != "end" and after.value not in NOT_OPERANDS

    def is_callable(self, target: syntax.Node) -> bool:
        """Whether a function may stand there; outside of a model, Java's methods are likelier on a name's members."""
        return self.environment.is_model or not (isinstance(target, syntax.Member) and target.key in METHODS)

    def bracket(self, target: syntax.Node, column: int) -> syntax.Node:
        """Parse `key]`, and tell a key from a filter's condition."""
        key = self.expression()
        self.expect("]")
        if isinstance(key, syntax.Unary) and isinstance(key.operand, syntax.Literal) and key.operator == "-":
            key = syntax.Literal(key.column, -key.operand.value)
        if isinstance(key, syntax.Literal) and type(key.value) in (int, str):
            return syntax.Member(column, target, self.position(key))
        if _is_condition(key):
            return syntax.Filter(column, target, key)
        return syntax.Index(column, target, key)

    def position(self, key: syntax.Literal) -> str | int:
        """A constant key; FEEL counts elements from 1."""
        if not self.is_feel or isinstance(key.value, str) or key.value < 0:
            return key.value
        if key.value == 0:
            raise ExpressionError("FEEL counts from 1: the first element is [1]", key.column)
        return key.value - 1


def _is_condition(node: syntax.Node) -> bool:
    """Whether a bracket holds a filter's condition: anything that can only be true or false."""
    match node:
        case syntax.Logic() | syntax.Loop(kind="some" | "every") | syntax.Unary(operator="not" | "empty"):
            return True
        case syntax.Binary(operator=operator):
            return operator in BOOLEAN
        case syntax.Call(function=function):
            return FUNCTIONS[function].is_condition
        case _:
            return False
