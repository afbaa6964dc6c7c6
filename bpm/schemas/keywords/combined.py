"""Keywords that combine schemas on the same value, and what the schemas beside them have not looked at."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from bpm.shown import shown

from ..check import Keyword, Path, SchemaCheck, SchemaNode, SchemaProblem
from ..sentences import were_unexpected


class AllOf(Keyword):
    """`allOf`, and a reference beside other keywords."""

    def __init__(self, nodes: Sequence[SchemaNode]) -> None:
        self.nodes = nodes

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether all hold."""
        return all(check.holds(node, value) for node in self.nodes)

    def problems(self, value: object, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """What each complains of."""
        for node in self.nodes:
            yield from check.problems(node, value, path)

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """What each has looked at."""
        for node in self.nodes:
            yield from check.evaluated(node, value)


class AnyOf(AllOf):
    """`anyOf`."""

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether one holds at least."""
        return any(check.holds(node, value) for node in self.nodes)

    def problems(self, value: object, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """Say that none holds."""
        yield SchemaProblem(path, f"{shown(value)} is not valid under any of the schemas listed in the 'anyOf' keyword")


class OneOf(AllOf):
    """`oneOf`."""

    def _holding(self, value: object, check: SchemaCheck) -> int:
        found = 0
        for node in self.nodes:
            found += check.holds(node, value)
            if found > 1:
                break
        return found

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether exactly one holds."""
        return self._holding(value, check) == 1

    def problems(self, value: object, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """Say whether none holds or several."""
        words = "more than one" if self._holding(value, check) else "any"
        negation = "" if words == "more than one" else "not "
        yield SchemaProblem(
            path, f"{shown(value)} is {negation}valid under {words} of the schemas listed in the 'oneOf' keyword"
        )


class Not(Keyword):
    """`not`."""

    def __init__(self, node: SchemaNode) -> None:
        self.node = node

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the schema does not hold."""
        return not check.holds(self.node, value)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Show the schema."""
        return f"{shown(self.node.source)} is not allowed for {shown(value)}"


class Nothing(Keyword):
    """The schema `false`."""

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """It holds for nothing."""
        return False

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Show the value."""
        return f"False schema does not allow {shown(value)}"


class IfThenElse(Keyword):
    """`if`, `then` and `else`."""

    def __init__(self, test: SchemaNode, then: SchemaNode | None, otherwise: SchemaNode | None) -> None:
        self.test = test
        self.then = then
        self.otherwise = otherwise

    def _branch(self, value: object, check: SchemaCheck) -> SchemaNode | None:
        return self.then if check.holds(self.test, value) else self.otherwise

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the schema of the branch that is taken holds."""
        branch = self._branch(value, check)
        return branch is None or check.holds(branch, value)

    def problems(self, value: object, path: Path, check: SchemaCheck) -> Iterator[SchemaProblem]:
        """What the schema of that branch complains of."""
        branch = self._branch(value, check)
        if branch is not None:
            yield from check.problems(branch, value, path)

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """What the test and the branch have looked at."""
        yield from check.evaluated(self.test, value)
        branch = self._branch(value, check)
        if branch is not None:
            yield from check.evaluated(branch, value)


class Unevaluated(Keyword):
    """`unevaluatedProperties` and `unevaluatedItems`; `beside` are the keywords that stand next to it."""

    def __init__(self, node: SchemaNode, beside: Sequence[Keyword], kind: type) -> None:
        self.node = node
        self.beside = beside
        self.kind = kind

    def _left(self, value: Any, check: SchemaCheck) -> Iterator[tuple[str | int, Any]]:
        """The properties or items that nothing beside has looked at."""
        if not isinstance(value, self.kind):
            return
        looked_at: set[str | int] = set()
        for keyword in self.beside:
            looked_at.update(keyword.evaluated(value, check))
        check.meter.charge(len(looked_at) + len(value))
        is_object = isinstance(value, dict)
        entries = cast("dict[str, Any]", value).items() if is_object else enumerate(cast("list[Any]", value))
        yield from (entry for entry in entries if entry[0] not in looked_at)

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether what is left satisfies the schema."""
        return all(check.holds(self.node, item) for _, item in self._left(value, check))

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Name what is left."""
        wrong = [entry for entry in self._left(value, check) if not check.holds(self.node, entry[1])]
        if self.kind is dict:
            return f"Unevaluated properties are not allowed {were_unexpected([str(name) for name, _ in wrong])}"
        return f"Unevaluated items are not allowed {were_unexpected([shown(item, 40) for _, item in wrong])}"

    def evaluated(self, value: object, check: SchemaCheck) -> Iterable[str | int]:
        """All that is left."""
        return [place for place, _ in self._left(value, check)]
