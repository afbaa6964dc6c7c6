"""What is stored of an instance beside its state: turns of repeated activities, values of theirs, and large values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Index, bindparam, delete, func, select, update
from sqlmodel import Field

from bpm.bpmn.large import LargeKey
from bpm.bpmn.state import ITEMS, OUTPUTS
from bpm.process.rows import PartRow
from bpm.process.wait_tables import WAITS
from bpm.store import Row, Transaction
from bpm.store.records import Records

TURN = "turn"
"""The kind of a part that is a turn."""
LARGE = "value"
"""The kind of a part that is a large value; the others are those of `bpm.bpmn.state.Kept`."""


class ProcessPart(Row, table=True):
    """A part of an instance's state; `data` is the engine's own JSON, `size` its length before it was sealed.

    A turn is stored by its scope, under number 0, with the scope around the turns and the turn it is part of.
    A value that is kept for turns is stored by the scope around the turns and the turn's index, a large value by its
    `LargeKey`.
    """

    __table_args__ = (Index("ix_process_part_body", "instance_id", "body"),)

    instance_id: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    scope: int = Field(primary_key=True)
    number: int = Field(primary_key=True, default=0)
    body: int | None = None
    around: int = 0
    size: int
    data: str


PARTS = ProcessPart.table()

_OF = PARTS.c.instance_id == bindparam("instance_")
_KEY = (_OF, PARTS.c.kind == bindparam("kind_"), PARTS.c.scope == bindparam("scope_"))
_RECORDS = Records(PartRow, PARTS)
_ONE = _RECORDS.select.where(*_KEY, PARTS.c.number == bindparam("number_"))
_VALUES = select(PARTS.c.number, PARTS.c.data).where(*_KEY)
_TURNS = _RECORDS.select.where(_OF, PARTS.c.kind == TURN).order_by(PARTS.c.scope)
_TURNS_OF = _TURNS.where(PARTS.c.body == bindparam("body_"))
_INSIDE = _TURNS.where(PARTS.c.around.in_(bindparam("around_", expanding=True)))
_CHANGE = (
    update(PARTS)
    .where(_OF, PARTS.c.kind == TURN, PARTS.c.scope == bindparam("scope_"))
    .values(data=bindparam("data_"), size=bindparam("size_"))
)
_REMOVE = delete(PARTS).where(_OF, PARTS.c.kind == TURN, PARTS.c.scope == bindparam("scope_"))
_VALUES_OF = (_OF, PARTS.c.kind.in_((ITEMS, OUTPUTS)), PARTS.c.scope.in_(bindparam("scopes_", expanding=True)))
_SIZE_OF_VALUES = select(func.coalesce(func.sum(PARTS.c.size), 0)).where(*_VALUES_OF)
_REMOVE_VALUES = delete(PARTS).where(*_VALUES_OF)
_REMOVE_LARGE = delete(PARTS).where(
    _OF, PARTS.c.kind == LARGE, PARTS.c.scope == bindparam("version_"), PARTS.c.number == bindparam("number_")
)
_REMOVE_ALL = delete(PARTS).where(_OF)
_TURN_OF_WAIT = select(WAITS.c.turn).where(
    WAITS.c.instance_id == bindparam("instance_"), WAITS.c.wait_id == bindparam("wait_")
)
_PLACE_WAIT = (
    update(WAITS)
    .where(WAITS.c.instance_id == bindparam("instance_"), WAITS.c.wait_id == bindparam("wait_"))
    .values(turn=bindparam("turn_"))
)


def turn_of_wait(tx: Transaction, instance_id: int, wait_id: int) -> int | None:
    """Return the turn that a wait is part of; None for none, or for a wait that has ended."""
    return tx.reading.execute(_TURN_OF_WAIT, {"instance_": instance_id, "wait_": wait_id}).scalar()


def place_waits(tx: Transaction, instance_id: int, turns: Mapping[int, int]) -> None:
    """Say of waits that have rows which turns they are part of."""
    rows = [{"instance_": instance_id, "wait_": wait_id, "turn_": turn} for wait_id, turn in turns.items()]
    if rows:
        tx.connection.execute(_PLACE_WAIT, rows)


def find_part(tx: Transaction, instance_id: int, kind: str, scope: int, number: int = 0) -> PartRow | None:
    """Return one part, or None."""
    keys = {"instance_": instance_id, "kind_": kind, "scope_": scope, "number_": number}
    return _RECORDS.first(tx.reading, _ONE, **keys)


def values_of(tx: Transaction, instance_id: int, kind: str, scope: int) -> Sequence[Any]:
    """Return the numbers and the data of the values of a kind that are kept for a scope."""
    return tx.reading.execute(_VALUES, {"instance_": instance_id, "kind_": kind, "scope_": scope}).all()


def turns_of(tx: Transaction, instance_id: int, body: int | None) -> list[PartRow]:
    """Return the turns around which a scope is, with those inside them; None: every turn of the instance."""
    if body is None:
        return _RECORDS.all(tx.reading, _TURNS, instance_=instance_id)
    found = _RECORDS.all(tx.reading, _TURNS_OF, instance_=instance_id, body_=body)
    around = [row.scope for row in found]
    while around:
        inside = _RECORDS.all(tx.reading, _INSIDE, instance_=instance_id, around_=around)
        found += inside
        around = [row.scope for row in inside]
    return found


def insert_parts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write parts that are new."""
    if rows:
        tx.connection.execute(PARTS.insert(), rows)


def change_turns(tx: Transaction, instance_id: int, turns: Mapping[int, tuple[str, int]]) -> None:
    """Write turns anew, each its data and size."""
    rows = [
        {"instance_": instance_id, "scope_": scope, "data_": data, "size_": size}
        for scope, (data, size) in turns.items()
    ]
    if rows:
        tx.connection.execute(_CHANGE, rows)


def remove_turns(tx: Transaction, instance_id: int, scopes: Iterable[int]) -> None:
    """Remove turns that have ended."""
    rows = [{"instance_": instance_id, "scope_": scope} for scope in scopes]
    if rows:
        tx.connection.execute(_REMOVE, rows)


def remove_values(tx: Transaction, instance_id: int, scopes: Iterable[int]) -> int:
    """Remove the values kept for some scopes; returns how large they were together."""
    keys = {"instance_": instance_id, "scopes_": list(scopes)}
    size: int = tx.reading.execute(_SIZE_OF_VALUES, keys).scalar_one()
    tx.connection.execute(_REMOVE_VALUES, keys)
    return size


def remove_large(tx: Transaction, instance_id: int, keys: Iterable[LargeKey]) -> None:
    """Remove large values that an instance has no more."""
    rows = [{"instance_": instance_id, "version_": key.version, "number_": key.number} for key in keys]
    if rows:
        tx.connection.execute(_REMOVE_LARGE, rows)


def remove_parts(tx: Transaction, instance_id: int) -> None:
    """Remove all that is stored beside an instance's state."""
    tx.connection.execute(_REMOVE_ALL, {"instance_": instance_id})
