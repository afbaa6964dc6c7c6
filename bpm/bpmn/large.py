"""Large values, which may be stored by themselves and are read only when somebody asks for them.

In an instance's `variables` a `Large` stands in the place of such a value. Nobody else meets one: what reads variables
is given `LargeValues`, or a view made of them.
"""

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Any, NamedTuple

from bpm.bpmn.unloaded import PartLoader


class LargeKey(NamedTuple):
    """Which stored value it is: the version of the instance that wrote it, and its number among those."""

    version: int
    number: int


class Large:
    """Stands for a value that is stored by itself; `size` is its length as JSON.

    `is_secret` tells whether a secret was found in it. Two are equal if they stand for the same stored value.
    """

    __slots__ = ("_read", "_shelf", "_value", "is_secret", "key", "size")

    def __init__(self, key: LargeKey, size: int, is_secret: bool, part_loader: PartLoader | None) -> None:
        """Stand for a value that the part loader has."""
        self.key = key
        self.size = size
        self.is_secret = is_secret
        self._shelf = part_loader
        self._read = False
        self._value: Any = None

    @classmethod
    def of(cls, value: Any, key: LargeKey, size: int, *, is_secret: bool) -> "Large":
        """Stand for a value that is at hand, and is to be stored."""
        large = cls(key, size, is_secret, None)
        large._read, large._value = True, value
        return large

    @property
    def value(self) -> Any:
        """The value, which is read once."""
        if not self._read:
            assert self._shelf is not None, "large values are read from a part_loader"
            self._read, self._value = True, self._shelf.large(self.key)
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Large) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class LargeValues(dict[str, Any]):
    """Values by name; the large ones are read when they are asked for, in whatever way."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return value.value if type(value) is Large else value

    def __iter__(self) -> Iterator[str]:
        # With a method of its own, dict(self) and {**self} ask for each value instead of copying what is there.
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """See `dict.get`."""
        value = super().get(name, default)
        return value.value if type(value) is Large else value

    def items(self) -> Any:
        """See `dict.items`."""
        return ItemsView(self)

    def values(self) -> Any:
        """See `dict.values`."""
        return ValuesView(self)

    def copy(self) -> dict[str, Any]:
        """See `dict.copy`."""
        return dict(self)

    def __eq__(self, other: object) -> bool:
        return dict(self) == other

    __hash__ = None

    def unread_at(self, name: str) -> Any:
        """A value as it is, maybe a `Large`."""
        return super().__getitem__(name)

    def unread(self) -> dict[str, Any]:
        """A copy in which a `Large` still stands in the place of each large value."""
        return dict(super().items())


def is_large(values: Mapping[str, Any], name: str) -> bool:
    """Whether a value is a large one, without reading it."""
    return isinstance(values, LargeValues) and type(values.unread_at(name)) is Large
