"""One check of a value against a compiled schema: what is known already, and what it has cost.

Whether a part of the value satisfies a schema is worked out once, however many alternatives ask for it. The cost is
therefore at most the number of schemas times the number of values, never a power of the data's depth.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bpm.metering import Meter, OverBudget

MAX_NESTING = 200
"""How many schemas may be under way inside one another, as in a list of lists of lists."""

Path = tuple[str | int, ...]


class SchemaProblem(NamedTuple):
    """A sentence about the value at `path`."""

    path: Path
    sentence: str


class Keyword:
    """One keyword of a schema with its value, such as `minLength: 3`; it holds for values that it is not about."""

    def holds(self, value: Any, check: "SchemaCheck") -> bool:
        """Whether the value satisfies it."""
        raise NotImplementedError

    def sentence(self, value: Any, check: "SchemaCheck") -> str:
        """What is wrong with a value for which it does not hold."""
        raise NotImplementedError

    def problems(self, value: Any, path: Path, check: "SchemaCheck") -> Iterator[SchemaProblem]:
        """Everything that is wrong with a value, in the parts that are to blame."""
        if not self.holds(value, check):
            yield SchemaProblem(path, self.sentence(value, check))

    def evaluated(self, value: Any, check: "SchemaCheck") -> Iterable[str | int]:
        """The keys or places of the value that it has looked at, which `unevaluated…` leaves alone."""
        return ()


class SchemaNode:
    """A compiled schema; `alias` is the schema that it means, when it is nothing but a reference."""

    __slots__ = ("alias", "is_shared", "keywords", "source")

    def __init__(self, source: Any) -> None:
        self.source = source
        self.keywords: tuple[Keyword, ...] = ()
        self.is_shared = False
        self.alias: SchemaNode | None = None


class SchemaCheck:
    """Checks one value; remembers what it found, and charges a meter for each step."""

    __slots__ = ("blamed", "depth", "known", "meter", "seen")

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.depth = 0
        self.blamed: set[tuple[int, Path]] = set()
        self.known: dict[tuple[int, int], bool] = {}
        self.seen: dict[tuple[int, int], frozenset[str | int]] = {}

    def holds(self, node: SchemaNode, value: Any) -> bool:
        """Whether a value satisfies a schema; one that is asked about itself is taken to be satisfied."""
        if node.alias is not None:
            node = node.alias
        meter = self.meter
        meter.left -= 1
        if meter.left < 0:
            meter.refuse()
        if not node.keywords:
            return True
        kind: type = value.__class__
        if kind is not dict and kind is not list and not node.is_shared:
            return self._satisfies(node, value)
        key = (id(node), id(value))
        known = self.known.get(key)
        if known is None:
            self.known[key] = True
            known = self.known[key] = self._satisfies(node, value)
        return known

    def _satisfies(self, node: SchemaNode, value: Any) -> bool:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise OverBudget(f"the data is nested deeper than {MAX_NESTING} schemas can follow; use a flatter form")
        satisfied = True
        for keyword in node.keywords:
            if not keyword.holds(value, self):
                satisfied = False
                break
        self.depth -= 1
        return satisfied

    def problems(self, node: SchemaNode, value: Any, path: Path = ()) -> Iterator[SchemaProblem]:
        """Everything that is wrong with a value, each schema asked once; nothing if the schema holds."""
        node = node.alias or node
        key = (id(node), path)
        if key in self.blamed or self.holds(node, value):
            return
        self.blamed.add(key)
        for keyword in node.keywords:
            if not keyword.holds(value, self):
                yield from keyword.problems(value, path, self)

    def evaluated(self, node: SchemaNode, value: Any) -> frozenset[str | int]:
        """The keys or places of a value that a schema has looked at; none if it does not hold."""
        node = node.alias or node
        key = (id(node), id(value))
        known = self.seen.get(key)
        if known is None:
            self.seen[key] = frozenset()
            known = self.seen[key] = self._evaluated(node, value)
        return known

    def _evaluated(self, node: SchemaNode, value: Any) -> frozenset[str | int]:
        if not self.holds(node, value):
            return frozenset()
        found: set[str | int] = set()
        for keyword in node.keywords:
            found.update(keyword.evaluated(value, self))
        self.meter.charge(len(found) + len(node.keywords))
        return frozenset(found)
