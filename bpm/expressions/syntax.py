"""The tree between parser and compiler: one frozen class a kind of expression."""

from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

from .kinds import Kind


@dataclass(frozen=True, slots=True)
class Node:
    """An expression and the column, from 1, at which it stands."""

    column: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a text, true, false or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A top-level name, looked up in the scope."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`target.key`, `target["key"]` or `target[0]` with a key known when compiled."""

    target: Node
    key: str | int


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`target[key]` with a key computed when evaluated."""

    target: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`target[condition]`: the elements for which the condition holds."""

    target: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `not x` or `empty x`."""

    operator: OneOf["-", "not", "empty"]
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left operator right` for comparisons, arithmetic, membership and `??`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a and b and c` or `a or b or c`, flat however long."""

    operator: OneOf["and", "or"]
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`if test then yes else no`, also written `test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Range(Node):
    """`[low..high]`, each end closed or open; only in FEEL a value of its own."""

    low: Node
    high: Node
    includes_low: bool
    includes_high: bool


@dataclass(frozen=True, slots=True)
class Steps(Node):
    """`low..high` of a loop, which counts down when it starts at the higher end."""

    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Test(Node):
    """`> value` and the other comparisons whose left side is what is looked at; in FEEL also a range."""

    operator: str
    value: Node


@dataclass(frozen=True, slots=True)
class Function(Node):
    """`function(a, b: number) body`; only in FEEL it stands anywhere, else where a built-in function takes one."""

    parameters: tuple[str, ...]
    kinds: tuple[Kind, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """`[a, b, c]`, or the tests of `x in (a, b, c)`, of which each is asked by itself."""

    items: tuple[Node, ...]
    are_tests: bool = False


@dataclass(frozen=True, slots=True)
class ObjectOf(Node):
    """`{name: value, "other name": value}`."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(a, b)`; the function is one of the built-in ones, `kinds` what it wants by the names given."""

    function: str
    arguments: tuple[Node, ...]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """`f(a, b)` of a function that is a value; `names` are those of the arguments, if they have some."""

    target: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """`value instance of type`."""

    value: Node
    kind: Kind


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """`for x in list return body`, `some x in list satisfies body`, `every …`.

    `each` is a `for` around another one: what the inner one gives is collected, not the lists. `is_inner` marks a
    loop that was written as the second list of another one.
    """

    kind: OneOf["for", "each", "some", "every"]
    variable: str
    domain: Node
    body: Node
    is_inner: bool = False
