"""Operands in brackets: groups, lists, ranges and objects."""

from . import syntax
from .errors import ExpressionError
from .path_parser import PathParser
from .tokens import Token
from .words import TESTS


class BracketParser(PathParser):
    """Parses what begins with a bracket."""

    def group(self) -> syntax.Node:
        """Parse `(expression)`, the open range `(low..high]`, or the tests of `x in (a, b)`."""
        opening = self.take()
        if self.is_feel and self.sees(*TESTS):
            test = self.test()
            self.expect(")")
            return test
        first = self.expression()
        if self.sees(".."):
            return self.range_of(opening, first)
        if self.sees(","):
            self.take()
            return syntax.ListOf(opening.column, (first, *self.items(")")), are_tests=True)
        self.expect(")")
        return first

    def list_of(self) -> syntax.Node:
        """Parse `[a, b]` or the closed range `[low..high]`."""
        opening = self.take()
        if self.skip("]"):
            return syntax.ListOf(opening.column, ())
        first = self.expression()
        if self.sees(".."):
            return self.range_of(opening, first)
        if self.skip("]"):
            return syntax.ListOf(opening.column, (first,))
        self.expect(",", "]")
        return syntax.ListOf(opening.column, (first, *self.items("]")))

    def open_range(self) -> syntax.Node:
        """Parse `]low..high[`, FEEL's other way to write open ends."""
        return self.range_of(self.take(), self.expression())

    def range_of(self, opening: Token, low: syntax.Node) -> syntax.Node:
        """Parse `..high` and the closing bracket, which says whether the end is included."""
        self.expect("..")
        high = self.expression()
        closing = self.expect("]", ")", "[")
        return syntax.Range(opening.column, low, high, opening.value == "[", closing.value == "]")

    def object_of(self) -> syntax.Node:
        """Parse `{name: value}`."""
        column = self.take().column
        entries: list[tuple[str, syntax.Node]] = []
        while not self.skip("}"):
            if entries:
                self.expect(",", "}")
            column_of_name = self.token.column
            name = self.take().value if self.token.kind == "string" else self.new_name(":")
            if self.is_feel and any(name == known for known, _ in entries):
                raise ExpressionError(f"the entry {name} stands twice", column_of_name)
            self.names.add(name)
            self.expect(":")
            entries.append((name, self.expression()))
        return syntax.ObjectOf(column, tuple(entries))
