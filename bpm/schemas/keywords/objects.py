"""Keywords about objects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from ..check import Keyword, Path, SchemaCheck, SchemaNode, SchemaProblem
from ..leaves import Pattern
from ..sentences import were_unexpected

Object = dict[str, Any]


class Required(Keyword):
    """`required`."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether an object has these properties."""
        if not isinstance(value, dict):
            return True
        check.meter.charge(len(self.names) // 8)
        return all(name in value for name in self.names)

    def problems(self, value: Any, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """Name each property that is missing."""
        for name in self.names:
            if name not in value:
                yield SchemaProblem(path, f'"{name}" is a required property')


class DependentRequired(Keyword):
    """`dependentRequired`: who has one property must have others."""

    def __init__(self, dependencies: Mapping[str, Required]) -> None:
        self.dependencies = dependencies

    def _concerned(self, value: object, check: SchemaCheck) -> Iterator[Required]:
        if isinstance(value, dict):
            check.meter.charge(len(self.dependencies) // 8)
            yield from [required for name, required in self.dependencies.items() if name in value]

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the others are there."""
        return all(required.holds(value, check) for required in self._concerned(value, check))

    def problems(self, value: object, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """Name each property that is missing."""
        for required in self._concerned(value, check):
            yield from required.problems(value, path, check)


class DependentSchemas(Keyword):
    """`dependentSchemas`: who has a property must satisfy a schema."""

    def __init__(self, schemas: Mapping[str, SchemaNode]) -> None:
        self.schemas = schemas

    def _concerned(self, value: object, check: SchemaCheck) -> list[SchemaNode]:
        if not isinstance(value, dict):
            return []
        check.meter.charge(len(self.schemas) // 8)
        return [node for name, node in self.schemas.items() if name in value]

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the schemas of the properties that are there hold."""
        return all(check.holds(node, value) for node in self._concerned(value, check))

    def problems(self, value: object, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """What these schemas complain of."""
        for node in self._concerned(value, check):
            yield from check.problems(node, value, path)

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """What these schemas have looked at."""
        for node in self._concerned(value, check):
            yield from check.evaluated(node, value)


class Properties(Keyword):
    """`properties`, `patternProperties` and `additionalProperties`, which are about one another."""

    def __init__(
        self,
        named: Mapping[str, SchemaNode],
        patterns: Sequence[tuple[Pattern, SchemaNode]],
        additional: SchemaNode | None,
    ) -> None:
        self.named = named
        self.patterns = patterns
        self.additional = additional
        self.forbids_more = additional is not None and additional.source is False

    def _of_one(self, name: str, check: SchemaCheck) -> list[SchemaNode]:
        """The schemas of a property."""
        nodes = [self.named[name]] if name in self.named else []
        for pattern, node in self.patterns:
            if pattern.matches(name, check.meter):
                nodes.append(node)
        if not nodes and self.additional is not None:
            nodes.append(self.additional)
        return nodes

    def _looked_at(self, value: Object, check: SchemaCheck) -> Iterator[tuple[str, list[SchemaNode]]]:
        """Each property that has schemas, with them."""
        if self.patterns or self.additional is not None:
            for name in value:
                check.meter.charge(1)
                if nodes := self._of_one(name, check):
                    yield name, nodes
            return
        few, many = (self.named, value) if len(self.named) < len(value) else (value, self.named)
        check.meter.charge(len(few) // 4)
        for name in few:
            if name in many:
                yield name, [self.named[name]]

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether every property satisfies its schemas."""
        if not isinstance(value, dict):
            return True
        fields = cast("Object", value)
        if not self.patterns and self.additional is not None:
            return self._all_hold(fields, self.named, self.additional, check)
        for name, nodes in self._looked_at(fields, check):
            for node in nodes:
                if not check.holds(node, fields[name]):
                    return False
        return True

    def _all_hold(
        self, fields: Object, named: Mapping[str, SchemaNode], additional: SchemaNode, check: SchemaCheck
    ) -> bool:
        """The same without patterns, where each property has exactly one schema."""
        return all(check.holds(named.get(name, additional), value) for name, value in fields.items())

    def problems(self, value: Any, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """What the schemas of the properties complain of; names that are not allowed in one sentence."""
        unexpected: list[str] = []
        for name, nodes in self._looked_at(value, check):
            for node in nodes:
                if node is self.additional and self.forbids_more:
                    unexpected.append(name)
                else:
                    yield from check.problems(node, value[name], (*path, name))
        if unexpected:
            yield SchemaProblem(path, f"Additional properties are not allowed {were_unexpected(unexpected)}")

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """The properties that have schemas."""
        if isinstance(value, dict):
            for name, _ in self._looked_at(cast("Object", value), check):
                yield name


class PropertyNames(Keyword):
    """`propertyNames`."""

    def __init__(self, node: SchemaNode) -> None:
        self.node = node

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether every name satisfies the schema."""
        if isinstance(value, dict):
            for name in cast("Object", value):
                if not check.holds(self.node, name):
                    return False
        return True

    def problems(self, value: Any, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """What the schema complains of in each name."""
        for name in value:
            yield from check.problems(self.node, name, path)
