"""What the repeated activities of a run keep for their turns: the items of those to come, and what each came to."""

from collections.abc import Sequence
from typing import Any

from bpm.bpmn.state import ITEMS, OUTPUTS, Instance


class LoopValues:
    """Keeps values by the scope around the turns and a turn's index; what is not at hand the part loader has."""

    __slots__ = ("_instance", "_own")

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._own: set[tuple[str, int]] = set()

    def put_items(self, body: int, items: Sequence[Any]) -> None:
        """Keep the items of the turns."""
        self._writable(ITEMS, body).update(enumerate(items))

    def item(self, body: int, index: int) -> Any:
        """The item of a turn."""
        here, part_loader = self._instance.kept.get((ITEMS, body), {}), self._instance.part_loader
        return here[index] if index in here or part_loader is None else part_loader.item(body, index)

    def put_output(self, body: int, index: int, value: Any) -> None:
        """Keep what a turn came to."""
        self._writable(OUTPUTS, body)[index] = value

    def outputs(self, body: int) -> dict[int, Any]:
        """What the turns came to that have ended."""
        here, part_loader = self._instance.kept.get((OUTPUTS, body), {}), self._instance.part_loader
        return here if part_loader is None else {**part_loader.outputs(body), **here}

    def _writable(self, kind: str, body: int) -> dict[int, Any]:
        """The values of a scope, copied before they are written for the first time."""
        key = (kind, body)
        if key not in self._own:
            self._own.add(key)
            self._instance.kept[key] = dict(self._instance.kept.get(key, {}))
        return self._instance.kept[key]
