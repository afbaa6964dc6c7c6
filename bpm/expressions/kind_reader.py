"""The names of types in an expression: `number`, `list<string>`, `context<a: number>`, `function<date> -> boolean`."""

from .errors import ExpressionError
from .kinds import ANY, Kind, context_of, function_of, list_of, range_of
from .reader import Reader

MAX_DEPTH = 16


class KindReader(Reader):
    """Reads types."""

    def kind(self, depth: int = 0) -> Kind:
        """Parse a type, with what it is made of in angle brackets."""
        column = self.token.column
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the type is nested deeper than {MAX_DEPTH}", column)
        if self.peek().value in ("<", "<>") and self.sees("list", "range", "context", "function"):
            word = self.take().value
            if word == "context":
                return self.context_kind(depth)
            if word == "function":
                return self.function_kind(depth)
            self.expect("<")
            element = self.kind(depth + 1)
            self.expect(">")
            return list_of(element) if word == "list" else range_of(element)
        return self.named_kind()

    def context_kind(self, depth: int) -> Kind:
        """Parse `<name: type>` after `context`."""
        entries: dict[str, Kind] = {}
        self.expect("<")
        while not entries or self.skip(","):
            name = self.new_name(":")
            self.expect(":")
            entries[name] = self.kind(depth + 1)
        self.expect(">")
        return context_of(entries)

    def function_kind(self, depth: int) -> Kind:
        """Parse `<type, type> -> type` after `function`."""
        parameters: list[Kind] = []
        if not self.skip("<>"):
            self.expect("<")
            while not parameters or self.skip(","):
                parameters.append(self.kind(depth + 1))
            self.expect(">")
        self.expect("-")
        self.expect(">")
        return function_of(tuple(parameters), self.kind(depth + 1))

    def named_kind(self) -> Kind:
        """Parse the name of a type, of up to four words."""
        kinds = self.environment.kinds
        if (name := self.known_name()) in kinds:
            return kinds[name]
        for count in range(4, 0, -1):
            name = " ".join(str(self.peek(ahead).value) for ahead in range(count))
            if name in kinds:
                self.at += count
                return kinds[name]
        raise ExpressionError(
            f"expected a type such as string, number or list instead of {self.token}", self.token.column
        )

    def kind_after_colon(self) -> Kind:
        """Parse `: type` if it is there."""
        return self.kind() if self.skip(":") else ANY
