"""Calls of built-in functions, and functions as values."""

from . import syntax
from .errors import ExpressionError
from .functions import FUNCTIONS
from .functions.parameters import form_with
from .kinds import Kind
from .node_parser import NodeParser
from .words import TESTS


class CallParser(NodeParser):
    """Parses calls and functions."""

    def call(self, function: str, column: int) -> syntax.Node:
        """Parse the arguments of a built-in function."""
        self.expect("(")
        arguments, names = self.arguments()
        kinds: tuple[str, ...] = ()
        if names:
            arguments, kinds = self.placed(function, arguments, names, column)
        built_in = FUNCTIONS[function]
        if not built_in.least <= len(arguments) <= built_in.most:
            count = len(arguments)
            raise ExpressionError(f"{function}() takes {built_in.arity} arguments, not {count}", column)
        return syntax.Call(column, function, arguments, kinds)

    def placed(
        self, function: str, arguments: tuple[syntax.Node, ...], names: tuple[str, ...], column: int
    ) -> tuple[tuple[syntax.Node, ...], tuple[str, ...]]:
        """Named arguments in the order of the parameters, null for one left out between others; and their types."""
        form = form_with(function, names)
        if not form:
            raise ExpressionError(f"{function}() has no parameters {', '.join(names)}", column)
        given = dict(zip(names, arguments, strict=True))
        while form[-1][0] not in given:
            form = form[:-1]
        placed = tuple(given.get(name) or syntax.Literal(column, None) for name, _ in form)
        return placed, tuple(kind for _, kind in form)

    def arguments(self) -> tuple[tuple[syntax.Node, ...], tuple[str, ...]]:
        """Parse arguments up to the closing bracket, and their names, which all have or none."""
        arguments: list[syntax.Node] = []
        names: list[str] = []
        while not self.skip(")"):
            if arguments:
                self.expect(",", ")")
            if name := self.argument_name():
                names.append(name)
            arguments.append(self.test() if self.sees(*TESTS) else self.expression())
        if names and len(names) != len(arguments):
            raise ExpressionError("either all arguments have names, or none", self.token.column)
        return tuple(arguments), tuple(names)

    def argument_name(self) -> str:
        """Take FEEL's `name:` in front of an argument if it is there."""
        start = self.at
        if self.is_feel and self.token.kind == "name":
            words = [self.known_name()]
            while not words[0] and self.token.kind == "name":
                words.append(self.take().value)
            if self.skip(":"):
                return words[0] or " ".join(words[1:])
        self.at = start
        return ""

    def function(self) -> syntax.Node:
        """Parse `function(a, b: number) body`."""
        column = self.take().column
        self.expect("(")
        parameters: dict[str, Kind] = {}
        while not self.skip(")"):
            if parameters:
                self.expect(",", ")")
            name = self.new_name(",", ":", ")")
            if name in parameters:
                raise ExpressionError(f"two parameters are called {name}", column)
            parameters[name] = self.kind_after_colon()
        if self.sees("external"):
            raise ExpressionError("external functions are not evaluated; write the body in FEEL", self.token.column)
        return syntax.Function(column, tuple(parameters), tuple(parameters.values()), self.expression())
