"""Names of the scope, and the keys after them."""

from collections.abc import Mapping
from typing import Any

from bpm.metering import Meter

from . import syntax
from .errors import Unsuitable
from .feel_arguments import built_in
from .feel_lists import PARTIAL, copied
from .functions import FUNCTIONS
from .node_compiler import NodeCompiler
from .paths import Evaluator, Keys, look_up, walk


class NameCompiler(NodeCompiler):
    """Compiles names and paths."""

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
