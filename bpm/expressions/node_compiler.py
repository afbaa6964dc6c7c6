"""What every part of the compiler needs: how a part of a node is compiled, and which names are known there."""

from abc import ABC, abstractmethod

from . import syntax
from .environment import PLAIN, Environment
from .marks import ExpressionDialect
from .paths import Evaluator


class NodeCompiler(ABC):
    """The state of one compilation; afterwards `names` are the expression's top-level names.

    `is_temporal` tells whether its result may hold dates or ranges, which are to leave it as text.
    """

    def __init__(self, dialect: ExpressionDialect, environment: Environment = PLAIN) -> None:
        self.is_feel = dialect is ExpressionDialect.FEEL
        self.is_juel = dialect is ExpressionDialect.JUEL
        self.environment = environment
        self.is_temporal = False
        self.names: set[str] = set()
        self.local: list[str] = []
        self.depth = 0

    @abstractmethod
    def compile(self, node: syntax.Node, lenient: bool) -> Evaluator:
        """The evaluator of `node`; a lenient one gives null where a strict one raises Unsuitable."""

    def inside(self, variable: str, node: syntax.Node, lenient: bool) -> Evaluator:
        """Compile `node` where `variable` is known."""
        self.local.append(variable)
        evaluator = self.compile(node, lenient)
        self.local.pop()
        return evaluator
