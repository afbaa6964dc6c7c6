"""The parts of one instance in one transaction: what was read of them, and what of them is to be written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bpm.bpmn.division import Division, StoredTurn
from bpm.bpmn.large import LargeKey
from bpm.bpmn.state import ITEMS, OUTPUTS, Instance
from bpm.bus import Context
from bpm.errors import Fenced
from bpm.exact_json import read_json, write_plain
from bpm.process import part_tables
from bpm.process.large_rows import LargeRows
from bpm.process.part_tables import LARGE, TURN
from bpm.process.rows import InstanceRow, PartRow
from bpm.process.sealing import restored_part
from bpm.security.redaction import holds_secret
from bpm.security.sealing import is_sealed, seal_text
from bpm.security.written_secrets import may_hold_secret


class Parts:
    """Reads parts when they are needed, and writes those that are new, changed or gone.

    It is the `part_loader` of the engine's instance. `size` is how large all parts are together as they are stored.
    Once something secret was found in the instance, what is written is sealed. `waits` are those that have rows,
    `turns_of_waits` the turns that they are part of.
    """

    def __init__(self, context: Context, row: InstanceRow) -> None:
        """Work in the context's transaction for an instance."""
        self._tx = context.tx
        self._box = context.box
        self._instance_id = row.id
        self._state = row.state
        self._large = LargeRows(context.tx, row.id)
        self._turns: dict[int, str] = {}
        self._seen: set[int] = set()
        self._kept: set[tuple[str, int, int]] = set()
        self._bodies: frozenset[int] = frozenset()
        self._is_secret = is_sealed(row.state)
        self.size = row.parts_size
        self.waits: set[int] = set()
        self.turns_of_waits: dict[int, int] = {}

    def restored(self) -> Instance:
        """Return what is stored of the instance itself; raises `Failed` when it can't be opened any more."""
        instance = Instance.from_json(restored_part(self._state, self._box), self)
        self._large.know(instance.large_rows())
        self.waits.update(instance.waits)
        return instance

    def know(self, bodies: frozenset[int]) -> None:
        """Remember the scopes around turns whose values may be stored."""
        self._bodies |= bodies

    def bring(self, instance: Instance, wait_id: int) -> Instance:
        """Return an instance with the turn that a wait is part of, and the turns around that."""
        scope = part_tables.turn_of_wait(self._tx, self._instance_id, wait_id)
        rows: list[PartRow] = []
        while scope and scope not in self._seen:
            row = part_tables.find_part(self._tx, self._instance_id, TURN, scope)
            if row is None:
                break
            rows.append(row)
            scope = row.around
        if rows:
            instance = instance.copy()
            for row in reversed(rows):
                self._place(instance.absorb(self._read(row)), row.scope)
        return instance

    def turns(self, body: int | None) -> Sequence[Mapping[str, Any]]:
        """See `PartLoader.turns`."""
        found = [row for row in part_tables.turns_of(self._tx, self._instance_id, body) if row.scope not in self._seen]
        turns = {row.scope: self._read(row) for row in found}
        for scope, turn in turns.items():
            self._place([row[0] for row in turn["w"]], scope)
            self._bodies |= {row[0] for row in turn["x"] if isinstance(row[4], list)}
        return list(turns.values())

    def _place(self, waits: Iterable[int], scope: int) -> None:
        """Remember waits that have rows, and their turn."""
        self.waits.update(waits)
        self.turns_of_waits.update(dict.fromkeys(waits, scope))

    def item(self, body: int, index: int) -> Any:
        """See `PartLoader.item`."""
        row = part_tables.find_part(self._tx, self._instance_id, ITEMS, body, index)
        return None if row is None else self._value(row.data)

    def outputs(self, body: int) -> Mapping[int, Any]:
        """See `PartLoader.outputs`."""
        rows = part_tables.values_of(self._tx, self._instance_id, OUTPUTS, body)
        return {row.number: self._value(row.data) for row in rows}

    def large(self, key: LargeKey) -> Any:
        """See `PartLoader.large`."""
        row = part_tables.find_part(self._tx, self._instance_id, LARGE, *key)
        if row is None:  # another process has written the instance since its row was read
            raise Fenced
        return self._value(row.data)

    def set_apart(self, instance: Instance) -> Instance:
        """Return an instance that is about to be written, with its large values set apart."""
        return self._large.set_apart(instance)

    def write(self, division: Division, *, is_secret: bool) -> None:
        """Write what has changed; all is gone when the instance has ended."""
        is_in_turn = any(may_hold_secret(turn.text) and holds_secret(turn.content) for turn in division.turns.values())
        self._is_secret |= is_secret or self._large.is_secret or is_in_turn
        if division.instance.status.is_final:
            if self.size:
                part_tables.remove_parts(self._tx, self._instance_id)
            self.size = 0
            return
        self._write_turns(division.turns)
        self._write_kept(division.kept)
        self._write_large()
        closed = self._bodies - division.bodies
        if closed and self.size:
            self.size -= part_tables.remove_values(self._tx, self._instance_id, closed)
        self._bodies = division.bodies

    def _write_turns(self, turns: Mapping[int, StoredTurn]) -> None:
        new = {scope: turn for scope, turn in turns.items() if scope not in self._turns}
        changed = {scope: turn for scope, turn in turns.items() if self._turns.get(scope, turn.text) != turn.text}
        gone = self._turns.keys() - turns.keys()
        part_tables.insert_parts(self._tx, [self._turn_row(scope, turn) for scope, turn in new.items()])
        data = {scope: (self._stored(turn.text), len(turn.text)) for scope, turn in changed.items()}
        part_tables.change_turns(self._tx, self._instance_id, data)
        part_tables.remove_turns(self._tx, self._instance_id, gone)
        placed = {wait: scope for scope, turn in new.items() for wait in turn.waits if wait in self.waits}
        part_tables.place_waits(self._tx, self._instance_id, placed)
        self.size += sum(len(turn.text) for turn in turns.values()) - sum(map(len, self._turns.values()))
        self._turns = {scope: turn.text for scope, turn in turns.items()}
        self.turns_of_waits = {wait: scope for scope, turn in turns.items() for wait in turn.waits}
        self._seen |= turns.keys()

    def _turn_row(self, scope: int, turn: StoredTurn) -> dict[str, Any]:
        return self._row(TURN, scope, 0, turn.text) | {"body": turn.body, "around": turn.around}

    def _write_kept(self, kept: Mapping[tuple[str, int, int], Any]) -> None:
        new = {key: value for key, value in kept.items() if key not in self._kept}
        texts = {key: write_plain(value).decode() for key, value in new.items()}
        self._is_secret |= any(may_hold_secret(texts[key]) and holds_secret(value) for key, value in new.items())
        rows = [self._row(*key, text) for key, text in texts.items()]
        part_tables.insert_parts(self._tx, rows)
        self.size += sum(row["size"] for row in rows)
        self._kept |= kept.keys()

    def _write_large(self) -> None:
        rows = [self._row(LARGE, *key, text) for key, text in self._large.take_new().items()]
        part_tables.insert_parts(self._tx, rows)
        self.size += sum(row["size"] for row in rows) - self._large.remove_gone()

    def _row(self, kind: str, scope: int, number: int, text: str) -> dict[str, Any]:
        return {
            "instance_id": self._instance_id,
            "kind": kind,
            "scope": scope,
            "number": number,
            "body": None,
            "around": 0,
            "size": len(text),
            "data": self._stored(text),
        }

    def _stored(self, text: str) -> str:
        return seal_text(text, self._box) if self._is_secret else text

    def _read(self, row: PartRow) -> Mapping[str, Any]:
        text = self._turns[row.scope] = restored_part(row.data, self._box)
        self._seen.add(row.scope)
        self._is_secret |= is_sealed(row.data)
        turn = read_json(text, allow_inf_nan=False)
        self._large.know(turn.get("g", ()))
        return turn

    def _value(self, data: str) -> Any:
        return read_json(restored_part(data, self._box), allow_inf_nan=False)


def whole_state(context: Context, row: InstanceRow) -> Instance:
    """Return the state of an instance with every part of it."""
    parts = Parts(context, row)
    instance = parts.restored()
    for turn in parts.turns(None) if row.parts_size else ():
        instance.absorb(turn)
    return instance
