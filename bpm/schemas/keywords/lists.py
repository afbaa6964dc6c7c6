"""Keywords about lists."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from bpm.canonical import canonical
from bpm.shown import shown

from ..check import Keyword, Path, SchemaCheck, SchemaNode, SchemaProblem
from ..sentences import counted

List = list[Any]


class Items(Keyword):
    """`prefixItems` and `items`; of the older drafts `items` and `additionalItems`."""

    def __init__(self, first: Sequence[SchemaNode], rest: SchemaNode | None, is_additional: bool = False) -> None:
        self.first = first
        self.rest = rest
        self.forbids_more = is_additional and rest is not None and rest.source is False

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether every item satisfies its schema."""
        if not isinstance(value, list):
            return True
        items = cast("List", value)
        for node, item in zip(self.first, items, strict=False):
            if not check.holds(node, item):
                return False
        if self.rest is not None and (self.rest.keywords or self.rest.alias):
            for item in items[len(self.first) :] if self.first else items:
                if not check.holds(self.rest, item):
                    return False
        return True

    def problems(self, value: Any, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """What the schemas complain of in each item; items that are not allowed in one sentence."""
        for place, (node, item) in enumerate(zip(self.first, value, strict=False)):
            yield from check.problems(node, item, (*path, place))
        if self.rest is None or len(value) <= len(self.first):
            return
        if self.forbids_more:
            extra = ", ".join(shown(item, 40) for item in value[len(self.first) :][:10])
            verb = "was" if len(value) == len(self.first) + 1 else "were"
            yield SchemaProblem(path, f"Additional items are not allowed ({extra} {verb} unexpected)")
            return
        for place in range(len(self.first), len(value)):
            yield from check.problems(self.rest, value[place], (*path, place))

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """The places that have a schema."""
        if not isinstance(value, list):
            return ()
        length = len(cast("List", value))
        check.meter.charge(length)
        return range(length if self.rest is not None else min(length, len(self.first)))


class Contains(Keyword):
    """`contains` with `minContains` and `maxContains`."""

    def __init__(self, node: SchemaNode, least: float | None, most: float | None, evaluates: bool) -> None:
        self.node = node
        self.least = 1 if least is None else least
        self.most = most
        self.evaluates = evaluates

    def _places(self, value: List, check: SchemaCheck) -> Iterator[int]:
        for place, item in enumerate(value):
            if check.holds(self.node, item):
                yield place

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether as many items satisfy the schema."""
        if not isinstance(value, list):
            return True
        found = sum(1 for _ in self._places(cast("List", value), check))
        return found >= self.least and (self.most is None or found <= self.most)

    def sentence(self, value: Any, check: SchemaCheck) -> str:
        """Say how many there are, and how many are wanted."""
        found = sum(1 for _ in self._places(value, check))
        if not found and self.least:
            return f"None of {shown(value)} are valid under the given schema"
        wanted = f"at least {self.least:g}" if found < self.least else f"at most {self.most:g}"
        return f"{shown(value)} has {counted(found, 'item')} valid under the given schema, {wanted} must be"

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """The places of the items that satisfy the schema."""
        return self._places(cast("List", value), check) if self.evaluates and isinstance(value, list) else ()


class UniqueItems(Keyword):
    """`uniqueItems`."""

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether no two items are equal."""
        if not isinstance(value, list):
            return True
        items = cast("List", value)
        known: set[str] = set()
        for item in items:
            known.add(canonical(item, check.meter))
        return len(known) == len(items)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Show the list."""
        return f"{shown(value)} has non-unique elements"
