"""What dates, times and durations share: a place on a line, by which they are ordered."""

from typing import Any

NANOSECONDS = 1_000_000_000
MINUTE = 60 * NANOSECONDS
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Ordered:
    """A value with a `position`; only values of one class, both with a zone or both without, have an order."""

    __slots__ = ()

    @property
    def position(self) -> int:
        """Its place on the line, in the smallest unit of its class."""
        raise NotImplementedError

    @property
    def is_zoned(self) -> bool:
        """Whether it knows how far it is from UTC."""
        return False

    @property
    def canonical(self) -> str:
        """A text that is the same for equal values."""
        return f"<{type(self).__name__} {self.is_zoned} {self.position}>"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._is_at(other)

    def __hash__(self) -> int:
        return hash((type(self), self.canonical))

    def __lt__(self, other: Any) -> bool:
        return self.position < self._beside(other).position

    def __le__(self, other: Any) -> bool:
        return self.position <= self._beside(other).position

    def __gt__(self, other: Any) -> bool:
        return self.position > self._beside(other).position

    def __ge__(self, other: Any) -> bool:
        return self.position >= self._beside(other).position

    def _is_at(self, other: Any) -> bool:
        return self.is_zoned == other.is_zoned and self.position == other.position

    def _beside(self, other: "Ordered") -> "Ordered":
        if type(self) is not type(other) or self.is_zoned != other.is_zoned:
            raise TypeError("these have no order")
        return other
