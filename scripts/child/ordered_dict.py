"""`collections.OrderedDict` for scripts, on top of `dict`.

That of the standard library keeps its order beside the dictionary, in C: keys that change it while they are compared
leave it with freed memory.
"""

import reprlib
from collections.abc import Iterable
from typing import Any, Self, cast

Items = dict[Any, Any]


class OrderedDict(dict[Any, Any]):
    """A dictionary that can be put in another order, and is equal to another only in the same order."""

    def move_to_end(self, key: Any, last: bool = True) -> None:
        """Make a key the last one, or the first; raises KeyError."""
        value = self.pop(key)
        others = [] if last else list(self.items())
        if others:
            self.clear()
        self[key] = value
        self.update(others)

    def popitem(self, last: bool = True) -> tuple[Any, Any]:
        """Remove the last item, or the first, and return it; raises KeyError when there is none."""
        if last or not self:
            return super().popitem()
        key = next(iter(self))
        return key, self.pop(key)

    def copy(self) -> "OrderedDict":
        """Return a copy in the same order."""
        return OrderedDict(self)

    @classmethod
    def fromkeys(cls, iterable: Iterable[Any], value: Any = None) -> Self:  # type: ignore[override]
        """Return one with these keys, each with the same value."""
        return cls((key, value) for key in iterable)

    def __eq__(self, other: object) -> bool:
        if not super().__eq__(other) or not isinstance(other, dict):
            return False
        return not isinstance(other, OrderedDict) or list(self) == list(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> Any:
        return self._joined(self, cast("Items", other)) if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return self._joined(cast("Items", other), self) if isinstance(other, dict) else NotImplemented

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        return f"OrderedDict({list(self.items())!r})" if self else "OrderedDict()"

    @staticmethod
    def _joined(first: Items, second: Items) -> "OrderedDict":
        joined = OrderedDict(first)
        joined.update(second)
        return joined
