"""Whether a regular expression can be made to take exponential time: whether some text has ever more ways to match.

The expression is read as an automaton whose states are its places for one character. It is ambiguous without bound
when two different walks by the same text lead from one state back to it (Weber and Seidl, *On the degree of ambiguity
of finite automata*, 1991): a match that fails after such a text tries every mixture of both.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

codes: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

CHARACTERS = [*map(chr, range(128)), "\xa0", "\xb2", "\xe9", "\u0660", "\u20ac", "\u3042"]
"""One of each kind that expressions tell apart."""
MANY = 10
"""A part that may be repeated so often counts as one without a bound."""

Part = Any


class Automaton:
    """The places of an expression, and how many ways lead from each to the next without a character between."""

    def __init__(self, parts: Iterable[Part], flags: int = 0) -> None:
        self.characters: list[frozenset[str]] = []
        self._steps: defaultdict[int, list[int]] = defaultdict(list)
        self._nodes = 0
        self._at: dict[int, int] = {}
        self._place_at: dict[int, int] = {}
        self._flags = flags
        self.inner: list[Automaton] = []
        self._sequence(parts, self._node())
        self.ways = {place: self._ways(self._at[place]) for place in range(len(self.characters))}

    def _node(self) -> int:
        self._nodes += 1
        return self._nodes - 1

    def _sequence(self, parts: Iterable[Part], begin: int) -> int:
        for code, value in parts:
            begin = self._part(code, value, begin)
        return begin

    def _part(self, code: Any, value: Any, begin: int) -> int:
        match code:
            case codes.LITERAL | codes.NOT_LITERAL | codes.IN | codes.ANY | codes.CATEGORY | codes.RANGE:
                return self._place(_taken(code, value, self._flags), begin)
            case codes.BRANCH:
                return self._joined([self._sequence(branch, begin) for branch in value[1]])
            case codes.SUBPATTERN:
                return self._sequence(value[3], begin)
            case codes.ATOMIC_GROUP:
                return self._closed(value, begin)
            case codes.POSSESSIVE_REPEAT:
                return self._closed(value[2], begin)
            case codes.MAX_REPEAT | codes.MIN_REPEAT:
                least, most, body = value
                return self._repeated(least, most, body, begin)
            case codes.ASSERT | codes.ASSERT_NOT:
                self.inner.append(Automaton(value[1], self._flags))
                return begin
            case _:
                return begin

    def _place(self, characters: Iterable[str], begin: int) -> int:
        self.characters.append(frozenset(characters))
        place, entry, end = len(self.characters) - 1, self._node(), self._node()
        self._steps[begin].append(entry)
        self._place_at[entry], self._at[place] = place, end
        return end

    def _closed(self, body: Part, begin: int) -> int:
        """Add what is never tried in another way once it has matched: as one place, for what it may hold."""
        inside = Automaton(body, self._flags)
        self.inner.append(inside)
        return self._joined([begin, self._place(frozenset[str]().union(*inside.characters), begin)])

    def _joined(self, ends: Iterable[int]) -> int:
        joined = self._node()
        for end in ends:
            self._steps[end].append(joined)
        return joined

    def _repeated(self, least: Any, most: Any, body: Any, begin: int) -> int:
        for _ in range(min(int(least), 2)):
            begin = self._sequence(body, begin)
        if int(most) >= MANY:
            loop = self._joined([begin])
            self._steps[self._sequence(body, loop)].append(loop)
            return self._joined([loop])
        ends = [begin]
        for _ in range(min(int(most) - int(least), 2)):
            ends.append(self._sequence(body, ends[-1]))
        return self._joined(ends)

    def _ways(self, node: int) -> dict[int, int]:
        """Count the ways from a node to each place, none of which passes a node three times."""
        found: defaultdict[int, int] = defaultdict(int)

        def walk(at: int, passed: tuple[int, ...]) -> None:
            if at in self._place_at:
                found[self._place_at[at]] += 1
            for following in self._steps[at]:
                if passed.count(following) < 2:
                    walk(following, (*passed, following))

        walk(node, (node,))
        return found


def _taken(code: Any, value: Any, flags: int) -> Iterator[str]:
    matches = _test(code, value, flags)
    return (character for character in CHARACTERS if matches(character))


def _test(code: Any, value: Any, flags: int) -> Callable[[str], bool]:
    if code is codes.ANY:
        return lambda character: bool(flags & re.DOTALL) or character != "\n"
    if code is codes.LITERAL:
        return lambda character: character == chr(value)
    if code is codes.NOT_LITERAL:
        return lambda character: character != chr(value)
    if code is codes.RANGE:
        return lambda character: value[0] <= ord(character) <= value[1]
    if code is codes.CATEGORY:
        return lambda character: re.fullmatch(_CATEGORIES[value], character, flags & re.ASCII) is not None
    tests = [_test(each, inside, flags) for each, inside in value if each is not codes.NEGATE]
    is_negated = any(each is codes.NEGATE for each, _ in value)
    return lambda character: any(test(character) for test in tests) != is_negated


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}


def is_explosive(pattern: str | bytes, flags: int = 0) -> bool:
    """Tell whether some text has exponentially many ways to match."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    return _is_explosive(Automaton(parser.parse(text, flags), flags))


def _is_explosive(automaton: Automaton) -> bool:
    if any(map(_is_explosive, automaton.inner)):
        return True
    groups = _groups({place: set(ways) for place, ways in automaton.ways.items()})
    same = {place: number for number, group in enumerate(groups) for place in group}
    for place, ways in automaton.ways.items():
        if any(count > 1 and same[place] == same[other] for other, count in ways.items()):
            return True
    pairs: dict[tuple[int, int], set[tuple[int, int]]] = {}
    waiting = [(place, place) for place in automaton.ways]
    while waiting:
        one, other = pair = waiting.pop()
        if pair in pairs:
            continue
        pairs[pair] = {
            (after, beside)
            for after in automaton.ways[one]
            for beside in automaton.ways[other]
            if same[after] == same[one]
            and same[beside] == same[other]
            and automaton.characters[after] & automaton.characters[beside]
        }
        waiting += pairs[pair]
    for group in _groups(pairs):
        if any(one == other for one, other in group) and any(one != other for one, other in group):
            return True
    return False


def _groups(edges: dict[Any, set[Any]]) -> list[set[Any]]:
    """Return the strongly connected components (Kosaraju)."""
    order: list[Any] = []
    seen: set[Any] = set()
    for root in edges:
        stack = [(root, iter(edges[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            node, following = stack[-1]
            onward = next((each for each in following if each not in seen), None)
            if onward is None:
                order.append(stack.pop()[0])
            else:
                seen.add(onward)
                stack.append((onward, iter(edges[onward])))
    back: defaultdict[Any, set[Any]] = defaultdict(set)
    for node, following in edges.items():
        for each in following:
            back[each].add(node)
    groups: list[set[Any]] = []
    taken: set[Any] = set()
    for root in reversed(order):
        group, waiting = set[Any](), [root]
        while waiting:
            node = waiting.pop()
            if node not in taken:
                taken.add(node)
                group.add(node)
                waiting += back[node]
        if group:
            groups.append(group)
    return groups
