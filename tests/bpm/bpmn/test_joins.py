"""Inclusive joins on random graphs against the standard's own words, played by brute force (BPMN 2.0.2, 13.4.3)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.bpmn import Instance, InvalidDefinition, Status, advance, load
from bpm.bpmn.effects import OpenUserTask
from bpm.bpmn.state import Token
from bpm.bpmn.triggers import CompleteUserTask, Start
from tests.bpm.bpmn.player import NOON, Player, flow, flows, model

Edge = tuple[int, int]
Graph = tuple[list[str], list[Edge], frozenset[Edge]]
Marking = Counter[Edge]
Fired = Counter[int]
State = tuple[Marking, Fired]
Move = tuple[int, list[Edge]]
KINDS = {"user": "userTask", "or": "inclusiveGateway", "and": "parallelGateway"}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Nodes and edges. Only people close a circle, so that no circle runs by itself; `shut` are false conditions."""
    kinds = ["start", *draw(st.lists(st.sampled_from(["user", "user", "or", "or", "and"]), min_size=2, max_size=7))]
    count = len(kinds)
    edges = {(draw(st.integers(0, target - 1)), target) for target in range(1, count)}
    forward = [(a, b) for b in range(1, count) for a in range(b)]
    edges |= draw(st.sets(st.sampled_from(forward), max_size=6))
    back = [(a, b) for a in range(1, count) for b in range(1, a + 1) if kinds[a] == "user"]
    if back:
        edges |= draw(st.sets(st.sampled_from(back), max_size=2))
    ordered = sorted(edges)
    first = {a: next(edge for edge in ordered if edge[0] == a) for a, _ in ordered}
    open_edges = [edge for edge in ordered if kinds[edge[0]] == "or" and edge != first[edge[0]]]
    shut = draw(st.sets(st.sampled_from(open_edges))) if open_edges else set[Edge]()
    return kinds, ordered, frozenset(shut)


class Game:
    """The token game: a marking counts the tokens on each edge; a person's token stays on the edge it came by."""

    def __init__(self, kinds: list[str], edges: list[Edge], shut: frozenset[Edge]) -> None:
        self.kinds = kinds
        self.into = {node: [edge for edge in edges if edge[1] == node] for node in range(len(kinds))}
        self.out = {node: [edge for edge in edges if edge[0] == node] for node in range(len(kinds))}
        self.shut = shut

    def ends(self, edge: Edge, gateway: int, seen: tuple[Edge, ...] = ()) -> set[Edge]:
        """Where every path that starts with an edge and does not visit a gateway enters it."""
        if edge[1] == gateway:
            return {edge}
        found: set[Edge] = set()
        for after in self.out[edge[1]]:
            if after not in seen:
                found |= self.ends(after, gateway, (*seen, after))
        return found

    def is_enabled(self, gateway: int, marking: Marking) -> bool:
        """The standard's condition, path by path."""
        filled = {edge for edge in self.into[gateway] if marking[edge]}
        empty = set(self.into[gateway]) - filled
        if not filled:
            return False
        for edge in [edge for edge, tokens in marking.items() if tokens and edge[1] != gateway]:
            ends = self.ends(edge, gateway)
            if ends & empty and not ends & filled:
                return False
        return True

    def fire(self, node: int, used: Iterable[Edge], marking: Marking, fired: Fired) -> State:
        """The state after a node has taken tokens from some edges."""
        marking, fired = marking.copy(), fired.copy()
        marking.subtract(used)
        marking.update(edge for edge in self.out[node] if edge not in self.shut)
        fired[node] += 1
        return +marking, fired

    def settle(self, marking: Marking, fired: Fired) -> list[State]:
        """Every state the game can come to rest in; inclusive joins go when nothing else can."""
        waiting, rests = [(marking, fired)], list[State]()
        seen: set[object] = set()
        while waiting:
            marking, fired = waiting.pop()
            key = frozenset(marking.items()), frozenset(fired.items())
            if key in seen:
                continue
            seen.add(key)
            moves = list(self.moves(marking))[:1] or list(self.joins(marking))
            if moves:
                waiting += [self.fire(node, used, marking, fired) for node, used in moves]
            else:
                rests.append((marking, fired))
        return rests

    def moves(self, marking: Marking) -> Iterator[Move]:
        """What goes on whatever others do."""
        for node, kind in enumerate(self.kinds):
            into = self.into[node]
            is_join = kind == "and" and len(into) > 1
            is_free = kind in ("and", "or") and len(into) == 1
            if (is_join or is_free) and all(marking[edge] for edge in into):
                yield node, into

    def joins(self, marking: Marking) -> Iterator[Move]:
        """Inclusive joins that may go on."""
        for node, kind in enumerate(self.kinds):
            if kind == "or" and len(self.into[node]) > 1 and self.is_enabled(node, marking):
                yield node, [edge for edge in self.into[node] if marking[edge]]


def write(kinds: list[str], edges: list[Edge], shut: frozenset[Edge]) -> str:
    """The graph as BPMN; what is shut has a condition that never holds, a gateway's first edge is its default."""
    body = '<startEvent id="n0"/>'
    for number, kind in enumerate(kinds[1:], 1):
        outgoing = [edge for edge in edges if edge[0] == number]
        default = f' default="n{outgoing[0][0]}-n{outgoing[0][1]}"' if kind == "or" and outgoing else ""
        body += f'<{KINDS[kind]} id="n{number}"{default}/>'
    for edge in edges:
        a, b = (f"n{node}" for node in edge)
        is_conditional = kinds[edge[0]] == "or" and f'default="{a}-{b}"' not in body
        body += flow(a, b, "=false" if edge in shut else "=true") if is_conditional else flows(f"{a} > {b}")
    return body


def unneeded_defaults(kinds: list[str], edges: list[Edge], shut: frozenset[Edge]) -> set[Edge]:
    """The first edges of gateways that have another open one: a default is taken only when nothing else is."""
    gateways = [[edge for edge in edges if edge[0] == node] for node, kind in enumerate(kinds) if kind == "or"]
    return {outgoing[0] for outgoing in gateways if set(outgoing[1:]) - shut}


def edge_of(token: Token) -> Edge:
    """The edge that a token came by, whose flow is named for its ends."""
    assert token.flow is not None
    source, target = token.flow.split("-")
    return int(source[1:]), int(target[1:])


def state_of(player: Player) -> State:
    """The engine's state in the game's terms."""
    marking = Counter(map(edge_of, player.instance.tokens.values()))
    fired = Counter(int(name[1:]) for name in player.trace)
    del fired[0]
    return marking, fired


@settings(max_examples=400, deadline=None)
@given(graph=graphs(), choices=st.lists(st.integers(0, 20), max_size=8))
def test_inclusive_joins_agree_with_the_standards_words(graph: Graph, choices: list[int]) -> None:
    """After every person's work the tokens stand where the token game may leave them."""
    kinds, edges, shut = graph
    game = Game(kinds, edges, shut | unneeded_defaults(kinds, edges, shut))
    player = Player(write(kinds, edges, shut)).start()
    rests = game.settle(Marking(game.out[0]), Fired())
    assert state_of(player) in rests
    for choice in choices:
        tasks = [wait for wait in player.instance.waits.values() if wait.kind == "user"]
        if not tasks or player.status is Status.ERROR:
            break
        wait = tasks[choice % len(tasks)]
        node, edge = int(wait.element[1:]), edge_of(player.instance.tokens[wait.token])
        marking, fired = state_of(player)
        player.do_wait(wait.id)
        assert state_of(player) in game.settle(*game.fire(node, [edge], marking, fired))


def test_too_many_inclusive_joins_are_refused() -> None:
    """They would take gigabytes to prepare; the refusal comes at once."""
    tasks = "".join(f'<task id="t{number}"/>' for number in range(1100))
    chain = flows("s > " + " > ".join(f"t{number}" for number in range(1100)))
    joined = flows(*[f"t{number} > g" for number in range(1000)])
    body = f'<startEvent id="s"/>{tasks}<inclusiveGateway id="g"/>{chain}{joined}'
    with pytest.raises(InvalidDefinition, match="1,000 incoming flows beside 1,102 elements, which is too much"):
        load(model(body))


def test_a_join_that_cannot_be_left_stays_one_incident() -> None:
    """What happens elsewhere does not try it again."""
    body = (
        '<startEvent id="s"/><inclusiveGateway id="f"/><inclusiveGateway id="j"/><userTask id="u"/><userTask id="v"/>'
        '<userTask id="n"/>'
        + flows("s > f", "f > a", "f > b", "a > j", "b > j", "f > u", "u > v")
        + '<task id="a"/><task id="b"/>'
        + flow("j", "n", "=go")
    )
    player = Player(body).start(go=False)
    assert player.waiting == ["j", "u"]
    failures = player.events.count("j failed")
    player.do("u")
    assert (player.waiting, player.events.count("j failed")) == (["j", "v"], failures)
    assert player.retry("j", go=True).waiting == ["n", "v"]


class Watched(dict[int, Token]):
    """Tokens that count how many of them somebody has looked at."""

    looked_at = 0

    def copy(self) -> "Watched":
        return Watched(self)

    def values(self) -> Any:
        for token in super().values():
            Watched.looked_at += 1
            yield token


@pytest.mark.parametrize("kind", ["parallelGateway", "inclusiveGateway", "complexGateway"])
def test_an_arrival_looks_at_no_other_tokens(kind: str) -> None:
    """Those that rest at joins are found once; a join that waits for what may still come looks for one such token."""
    branches = [f"t{number}" for number in range(40)]
    condition = "<activationCondition>=activationCount &gt;= 40</activationCondition>" if kind[0] == "c" else ""
    body = '<startEvent id="s"/><parallelGateway id="f"/><endEvent id="e"/>' + flows("s > f", "j > e")
    body += f'<{kind} id="j">{condition}</{kind}>' + "".join(f'<userTask id="{name}"/>' for name in branches)
    process = load(model(body + flows(*(f"f > {name} > j" for name in branches))))
    instance, effects = advance(process, Instance(), Start({}), NOON)
    instance.tokens = Watched(instance.tokens)
    Watched.looked_at = 0
    for wait in [effect.wait_id for effect in effects if isinstance(effect, OpenUserTask)]:
        instance, _ = advance(process, instance, CompleteUserTask(wait, {}), NOON)
    assert instance.status is Status.COMPLETED
    assert Watched.looked_at <= 3 * len(branches)
