"""The large values of an instance, each in a row of its own: a step writes those that are new, and reads few."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bpm.bpmn.large import Large, LargeKey
from bpm.bpmn.state import Instance
from bpm.exact_json import write_plain
from bpm.process import part_tables
from bpm.security.redaction import holds_secret
from bpm.security.secret_names import is_credential_name
from bpm.security.written_secrets import may_hold_secret
from bpm.store import Transaction

MOST_IN_STATE = 16 * 1024
"""The values of a scope stay in its state as long as they are not larger than this together, as JSON."""
SMALL = 1024
"""Those that are smaller than this always do."""


class LargeRows:
    """Which large values of an instance have rows, and which it has now; `is_secret` when there is a secret in one."""

    def __init__(self, tx: Transaction, instance_id: int) -> None:
        """Work in a transaction."""
        self._tx = tx
        self._instance_id = instance_id
        self._stored: dict[LargeKey, int] = {}
        self._held: dict[LargeKey, int] = {}
        self._new: dict[LargeKey, str] = {}
        self.is_secret = False

    def know(self, rows: Iterable[Sequence[Any]]) -> None:
        """Remember the values that a state or turn names."""
        self._stored |= {LargeKey(version, number): size for _, _, version, number, size, _ in rows}

    def set_apart(self, instance: Instance) -> Instance:
        """Return the instance with a `Large` in the place of each large value; with none when it has ended."""
        if instance.status.is_final:
            instance = _in_one_piece(instance)
        elif found := _find_large(instance):
            instance = self._replace(instance, found)
        self._held = {large.key: large.size for _, _, large in instance.large_values()}
        self.is_secret = any(large.is_secret for _, _, large in instance.large_values())
        return instance

    def _replace(self, instance: Instance, found: Iterable[tuple[int, str, str]]) -> Instance:
        """Put a `Large` in the place of some values, each a scope, a name and the value as JSON or the text it is."""
        instance = instance.copy()
        instance.has_large = True
        for number, (scope, name, written) in enumerate(found):
            value, key = instance.variables[scope][name], LargeKey(instance.version, number)
            text = self._new[key] = write_plain(value).decode() if written is value else written
            is_suspect = is_credential_name(name) or may_hold_secret(text)
            large = Large.of(value, key, len(text), is_secret=is_suspect and holds_secret({name: value}))
            instance.variables[scope] = {**instance.variables[scope], name: large}
        return instance

    def take_new(self) -> Mapping[LargeKey, str]:
        """Return the values that have no row yet, as JSON; now they have."""
        new = {key: text for key, text in self._new.items() if key in self._held}
        self._new = {}
        self._stored |= {key: self._held[key] for key in new}
        return new

    def remove_gone(self) -> int:
        """Remove the rows of values that the instance has no more; returns how large they were together."""
        gone = self._stored.keys() - self._held.keys()
        part_tables.remove_large(self._tx, self._instance_id, gone)
        return sum(self._stored.pop(key) for key in gone)


def _in_one_piece(instance: Instance) -> Instance:
    """What an instance that has ended is kept as."""
    if not instance.has_large:
        return instance
    instance = instance.copy()
    for scope, name, large in list(instance.large_values()):
        instance.variables[scope] = {**instance.variables[scope], name: large.value}
    instance.has_large = False
    return instance


def _find_large(instance: Instance) -> list[tuple[int, str, str]]:
    """Find the values that are to be stored by themselves; each is written once, to see how large it is."""
    texts = {scope: _texts(values) for scope, values in instance.variables.items()}
    full = {scope: found for scope, found in texts.items() if sum(map(len, found.values())) > MOST_IN_STATE}
    return [(scope, name, text) for scope, found in full.items() for name, text in found.items() if len(text) >= SMALL]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that are at hand, and lists and objects as JSON."""
    return {name: _as_text(value) for name, value in values.items() if isinstance(value, str | list | dict)}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else write_plain(value).decode()
