"""What every part of the parser needs: how the expression in a part is parsed, alone or in a list."""

from abc import ABC, abstractmethod

from . import syntax
from .kind_reader import KindReader
from .words import COMPARISON, TESTS


class NodeParser(KindReader, ABC):
    """Parses expressions in the parts of others."""

    @abstractmethod
    def expression(self, floor: int = 0) -> syntax.Node:
        """Parse an operand and the operators after it that bind tighter than `floor`."""

    def items(self, closing: str) -> tuple[syntax.Node, ...]:
        """Parse expressions between commas up to the closing bracket."""
        items: list[syntax.Node] = []
        while not self.skip(closing):
            if items:
                self.expect(",", closing)
            items.append(self.test() if self.sees(*TESTS) else self.expression())
        return tuple(items)

    def test(self) -> syntax.Node:
        """Parse `> value`."""
        operator = self.take()
        return syntax.Test(operator.column, operator.value, self.expression(COMPARISON))
