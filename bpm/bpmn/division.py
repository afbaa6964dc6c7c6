"""Takes an instance apart for its store: each of many turns by itself, so that an answer to one touches no other.

`divide` gives what is stored as the instance's own state, and the parts beside it. `Instance.absorb` takes a turn in
again, and the instance's `part_loader` gives the engine those it asks for. A branch, one of many tokens that wait in
one scope, is stored as a turn is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpm.bpmn.branches import find_branches
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.state import ROOT, Instance, Scope
from bpm.exact_json import write_plain

_OF_SCOPES = ("scopes", "active", "variables", "done")
_OF_TOKENS = ("tokens", "locals", "beside")


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn or a branch with all inside it, but for the turns there that are stored by themselves.

    `body` is the scope around the turns, or that of the branches; `around` the turn that this one is part of, 0 for
    none. `content` is what `Instance.absorb` takes, `text` the same as JSON; `waits` are the ids of its waits.
    """

    body: int
    around: int
    content: Mapping[str, Any]
    text: str
    waits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Division:
    """What remains of an instance, and what is stored beside it.

    `turns` are by their scope, branches by their token, `kept` are the values of turns by kind, scope and index.
    `bodies` are the scopes whose turns' values may be stored beside the instance.
    """

    instance: Instance
    turns: Mapping[int, StoredTurn] = field(default_factory=dict[int, StoredTurn])
    kept: Mapping[tuple[str, int, int], Any] = field(default_factory=dict[tuple[str, int, int], Any])
    bodies: frozenset[int] = frozenset()


def divide(process: CompiledProcess, instance: Instance) -> Division:
    """Take an instance apart; the turns of one in the midst of a trigger stay with it."""
    bodies = bodies_of(process, instance)
    branches = find_branches(process, instance) if instance.pending is None else frozenset[int]()
    if not bodies and not branches:
        return Division(instance)
    rest = instance.copy()
    rest.arrived = None
    kept = {
        (kind, body, index): value
        for kind, body in instance.kept
        if body in bodies
        for index, value in rest.kept.pop((kind, body)).items()
    }
    turns = _move_turns(process, rest, branches) if instance.pending is None else {}
    return Division(rest, turns, kept, bodies)


def bodies_of(process: CompiledProcess, instance: Instance) -> frozenset[int]:
    """The scopes around turns whose values are stored one by one."""
    noted = [(key, scope) for key, scope in instance.scopes.items() if scope.element is not None]
    return frozenset([key for key, scope in noted if process.nodes[scope.element or ""].keeps_apart(scope.note)])


def _move_turns(process: CompiledProcess, rest: Instance, branches: frozenset[int]) -> dict[int, StoredTurn]:
    """Move the turns and branches that are stored by themselves out of what remains."""
    owners = _owners(process, rest, branches)
    token_owners = {
        token.id: token.id if token.id in branches else owners[token.scope] for token in rest.tokens.values()
    }
    moved = dict.fromkeys([owner for owner in (*owners.values(), *token_owners.values()) if owner])
    if not moved:
        return {}
    places = {owner: _place(rest, owner) for owner in moved}
    parts = {owner: Instance(scopes={}, active={}, variables={}, has_large=rest.has_large) for owner in moved}
    wait_owners = {wait.id: token_owners.get(wait.token, ROOT) for wait in rest.waits.values()}
    for names, ids in (_OF_SCOPES, owners), (_OF_TOKENS, token_owners), (("waits",), wait_owners):
        for key, owner in ids.items():
            if owner:
                _move(names, key, rest, parts[owner])
    kinds = [wait.kind for part in parts.values() for wait in part.waits.values()]
    rest.absent = rest.absent.plus(sum(len(part.tokens) for part in parts.values()), kinds)
    return {key: _turn(parts[key], body, owners[body]) for key, body in places.items()}


def _place(instance: Instance, owner: int) -> int:
    """The scope around a turn, or that of a branch."""
    scope = instance.scopes.get(owner)
    return instance.tokens[owner].scope if scope is None else scope.parent or ROOT


def _owners(process: CompiledProcess, instance: Instance, branches: frozenset[int]) -> dict[int, int]:
    """The turn or branch that each scope is part of; 0 for those that remain."""
    owners = {ROOT: ROOT}
    for key, scope in instance.scopes.items():
        if scope.token in branches:
            owners[key] = scope.token or ROOT
        elif key != ROOT:
            owners[key] = key if _is_apart(process, instance, scope) else owners[scope.parent or ROOT]
    return owners


def _is_apart(process: CompiledProcess, instance: Instance, scope: Scope) -> bool:
    around = instance.scopes[scope.parent or ROOT]
    is_turn = around.token is not None and around.token == scope.token and around.element is not None
    return is_turn and process.nodes[around.element or ""].has_turns_apart(around.note)


def _move(names: Sequence[str], key: int, source: Instance, target: Instance) -> None:
    for name in names:
        entries = getattr(source, name)
        if key in entries:
            getattr(target, name)[key] = entries.pop(key)


def _turn(part: Instance, body: int, outer: int) -> StoredTurn:
    content = part.content()
    return StoredTurn(body, outer, content, write_plain(content).decode(), tuple(part.waits))
