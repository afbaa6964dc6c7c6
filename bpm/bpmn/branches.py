"""Which tokens of an instance are branches: among many of one scope, and stored each by itself with all inside it."""

from collections import Counter
from collections.abc import Container, Iterator

from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.elements.containers import loops
from bpm.bpmn.state import ROOT, Instance


def find_branches(process: CompiledProcess, instance: Instance) -> frozenset[int]:
    """The ids of the tokens at hand that can be stored by themselves.

    Those at joins stay with the instance, as they are asked for whenever another one arrives; where joins ask what may
    still come, all do. So do those with a condition, which is asked at every change, and those inside which something
    is stored by itself: what is inside a branch is at hand when the branch is.
    """
    crowded = {scope for scope, number in instance.active.items() if number > loops.MOST_TOGETHER}
    if not crowded or process.merging:
        return frozenset()
    tokens = [token for token in instance.tokens.values() if token.element not in process.joins]
    found = {token.id for token in tokens if token.scope in crowded}
    return frozenset(found & set(_occupied(instance)) - set(_bound(process, instance, found)))


def _occupied(instance: Instance) -> Iterator[int]:
    """The tokens that wait for something, or run something inside."""
    yield from (wait.token for wait in instance.waits.values())
    yield from (scope.token for scope in instance.scopes.values() if scope.token is not None)


def _bound(process: CompiledProcess, instance: Instance, found: Container[int]) -> Iterator[int]:
    """Those of the tokens found that have to stay."""
    around = _around(instance, found)
    at_hand = Counter(token.scope for token in instance.tokens.values())
    for key, scope in instance.scopes.items():
        node = process.nodes[scope.element] if scope.element is not None else None
        is_crowded = instance.active[key] > loops.MOST_TOGETHER or instance.active[key] != at_hand[key]
        if is_crowded or (node is not None and node.keeps_apart(scope.note)):
            yield around[key]
    for wait in instance.waits.values():
        token = instance.tokens.get(wait.token)
        if token is not None and wait.kind == "condition":
            yield token.id if token.id in found else around[token.scope]


def _around(instance: Instance, found: Container[int]) -> dict[int, int]:
    """The token found inside which each scope is, 0 for none."""
    around = {ROOT: 0}
    for key, scope in instance.scopes.items():
        if scope.token is not None:
            host = instance.tokens[scope.token]
            around[key] = host.id if host.id in found else around[host.scope]
    return around
