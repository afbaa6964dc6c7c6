"""Every configuration in memory, found by path and method at the same cost whether there are 10 or 10,000."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from bpm.repeating import RepeatingTask
from bpm.store import Database, Transaction, organizations
from router.config import place_among
from router.config_secrets import references_in
from router.paths import PARAMETER, is_reserved
from router.rule import Rule, hide_alike
from router.tables import revisions
from router.tables.configs import RuleRow
from router.tables.revisions import ConfigChanges

POLL_SECONDS = 0.5
"""How often another process's changes are looked for; they must be live within a second."""


@dataclass(slots=True)
class Slot:
    """A configuration's row and, once a request asked for it, the rule compiled from it."""

    row: RuleRow
    compiled: Rule | None = None

    @property
    def place(self) -> int:
        """Where the rule stands among those at its address; those from before there was an order are the last."""
        return place_among(self.row.definition.get("order"))


@dataclass(slots=True)
class PathNode:
    """The rules at one place of the path tree in their order, and the places below it."""

    literals: "dict[str, PathNode]" = field(default_factory=dict[str, "PathNode"])
    parameter: "PathNode | None" = None
    slots: list[Slot] = field(default_factory=list[Slot])


class Routes:
    """Configurations in memory, each compiled at its first use."""

    def __init__(self, compile_rule: Callable[[RuleRow], Rule]) -> None:
        """Take how a row becomes a rule."""
        self._compile = compile_rule
        self._rows: dict[int, Slot] = {}
        self._root = PathNode()
        self._exact: dict[str, PathNode] = {}
        self._keys: dict[str, PathNode] = {}
        self._referring: dict[int, frozenset[str]] = {}
        self._switched_off: frozenset[int] = frozenset()

    def __len__(self) -> int:
        """How many configurations there are."""
        return len(self._rows)

    def add(self, row: RuleRow) -> None:
        """Bring in a configuration."""
        slot = Slot(row)
        self._rows[row.id] = slot
        if named := references_in(row.definition):
            self._referring[row.id] = frozenset(named)
        if row.is_contested:
            return
        self._keys[row.key] = PathNode(slots=[slot])
        slots = self._node(row.path).slots
        slots.append(slot)
        slots.sort(key=lambda each: each.place)
        _forget_compiled(slots)

    def remove(self, config_id: int) -> None:
        """Forget a configuration, if it is known."""
        slot = self._rows.pop(config_id, None)
        self._referring.pop(config_id, None)
        if slot is None:
            return
        if slot.row.is_contested:
            return
        self._keys.pop(slot.row.key, None)
        slots = self._node(slot.row.path).slots
        slots[:] = [each for each in slots if each is not slot]
        _forget_compiled(slots)
        if not slots:
            self._exact.pop(slot.row.path, None)

    def find(self, path: str) -> PathNode | None:
        """Return the rules that answer `path` (without the prefix): a literal path, one with parameters, or a key."""
        if is_reserved(path):
            return None
        return self._exact.get(path) or _descend(self._root, path.split("/"), 0) or self._keys.get(path)

    def rules_at(self, path: str) -> list[Rule]:
        """Return the rules that answer `path` in their order."""
        node = self.find(path)
        return [self.rule(slot) for slot in node.slots] if node is not None else []

    def rules_beside(self, rule: Rule) -> list[Rule]:
        """Return the other rules of a rule's organisation and address, whatever its parameters are called."""
        node: PathNode | None = self._root
        for segment in rule.path.split("/"):
            node = node and (node.parameter if PARAMETER.fullmatch(segment) else node.literals.get(segment))
        rules = [self.rule(slot) for slot in node.slots] if node is not None else []
        return [each for each in rules if each.organization_id == rule.organization_id and each.id != rule.id]

    def rule(self, slot: Slot) -> Rule:
        """Return the slot's rule, compiled at its first use together with those at its address."""
        if slot.compiled is not None:
            return slot.compiled
        beside = [] if slot.row.is_contested else self._node(slot.row.path).slots
        slots = [slot, *(each for each in beside if each is not slot)]
        rules = hide_alike([self._compile(each.row) for each in slots])
        for each, rule in zip(slots, rules, strict=True):
            each.compiled = rule.at_rest() if self.rests(rule.organization_id) else rule
        assert slot.compiled is not None
        return slot.compiled

    def by_id(self, config_id: int) -> Rule | None:
        """Return the rule of a configuration as it is now, or None when it was deleted."""
        slot = self._rows.get(config_id)
        return self.rule(slot) if slot is not None else None

    @property
    def references(self) -> dict[str, frozenset[str]]:
        """The references among the secrets of active rules, by the rules' keys."""
        slots = ((self._rows[config_id], named) for config_id, named in self._referring.items())
        return {slot.row.key: named for slot, named in slots if slot.row.is_enabled}

    def compile_anew(self, changed: Collection[str]) -> None:
        """Have rules made anew at their next use that lacked a secret, or refer to one that has changed."""
        for config_id, named in self._referring.items():
            slot = self._rows[config_id]
            if slot.compiled is not None and (_lacks_secret(slot.compiled) or not named.isdisjoint(changed)):
                slot.compiled = None

    def rests(self, organization_id: int) -> bool:
        """Tell whether an organisation is switched off, so that its requests wait."""
        return organization_id in self._switched_off

    def _node(self, path: str) -> PathNode:
        node, literal = self._root, True
        for segment in path.split("/"):
            if PARAMETER.fullmatch(segment):
                literal = False
                node.parameter = node.parameter or PathNode()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, PathNode())
        if literal:
            self._exact[path] = node
        return node


class RouteTable(Routes):
    """The routes of all configurations; `refresh` brings in what changed, in this or another process."""

    def __init__(self, database: Database, compile_rule: Callable[[RuleRow], Rule]) -> None:
        """Take where the configurations are and how a row becomes a rule."""
        super().__init__(compile_rule)
        self._database = database
        self._seen = 0
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        failure = "the routes could not be refreshed, the old ones go on"
        self._watcher = RepeatingTask("bpm-routes", self.refresh, POLL_SECONDS, failure=failure)

    async def start(self) -> None:
        """Load everything and begin to watch for other processes' changes."""
        await self.refresh()
        self._watcher.start()

    async def stop(self) -> None:
        """Stop watching."""
        await self._watcher.stop()

    async def catch_up(self) -> bool:
        """Do as `refresh` does, once for all who ask at the same time; tell whether a configuration had changed."""
        seen = self._seen
        if self._next is None:
            self._next = asyncio.create_task(self.refresh(), name="bpm-routes-now")
        await asyncio.shield(self._next)
        return self._seen != seen

    async def refresh(self) -> None:
        """Bring in every change whose commit has returned."""
        async with self._lock:
            self._next = None  # who asks from now on may know of a later change
            changes, switched_off = await self._database.read(self._changes)
            for config_id in changes.ids:
                self.remove(config_id)
            for row in changes.rows:
                self.add(row)
            self._seen = changes.newest
            self._switch(switched_off)

    def _changes(self, tx: Transaction) -> tuple[ConfigChanges, frozenset[int]]:
        return revisions.changed_configs(tx, self._seen), organizations.switched_off(tx)

    def _switch(self, switched_off: frozenset[int]) -> None:
        """Have the rules of organisations that were switched on or off made anew at their next use."""
        switched = switched_off ^ self._switched_off
        self._switched_off = switched_off
        if switched:
            for slot in self._rows.values():
                if slot.row.organization_id in switched:
                    slot.compiled = None


def _lacks_secret(rule: Rule) -> bool:
    return rule.verifier is not None and bool(rule.verifier.faults)


def _forget_compiled(slots: Iterable[Slot]) -> None:
    """Have rules compiled anew at their next use: what one hides, those beside it hide, too."""
    for slot in slots:
        slot.compiled = None


def _descend(node: PathNode, segments: list[str], at: int) -> PathNode | None:
    """Walk down, literal before parameter, going back where a literal leads nowhere."""
    if at == len(segments):
        return node if node.slots else None
    literal = node.literals.get(segments[at])
    if literal is not None:
        found = _descend(literal, segments, at + 1)
        if found is not None:
            return found
    if node.parameter is not None and segments[at]:
        return _descend(node.parameter, segments, at + 1)
    return None
