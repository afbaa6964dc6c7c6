"""Times of day, with a zone or without."""

from dataclasses import dataclass

from .dates import CivilDate
from .ordered import DAY, NANOSECONDS, Ordered
from .zones import Zone, offset_of_local

_ANY_DAY = CivilDate(2000, 1, 1)
"""The day on which a time in a region is compared with others."""


@dataclass(frozen=True, slots=True, eq=False)
class Time(Ordered):
    """A time of day: the nanoseconds since midnight on the local clock, and its zone."""

    nanoseconds: int
    zone: Zone | None = None

    def __post_init__(self) -> None:
        """Refuse what no clock shows; raises ValueError."""
        if not 0 <= self.nanoseconds < DAY:
            raise ValueError("a day has 24 hours")

    @property
    def position(self) -> int:
        """The nanoseconds since midnight, in UTC if there is a zone."""
        return self.nanoseconds - (self.offset or 0) * NANOSECONDS

    @property
    def is_zoned(self) -> bool:
        """Whether it has a zone."""
        return self.zone is not None

    @property
    def offset(self) -> int | None:
        """Its distance from UTC in seconds."""
        return None if self.zone is None else offset_of_local(self.zone, _ANY_DAY, self.nanoseconds)

    @property
    def canonical(self) -> str:
        """The same text for times that are equal: fractions of a second do not count."""
        return f"<Time {self.is_zoned} {self.position // NANOSECONDS}>"

    def _is_at(self, other: "Time") -> bool:
        """Whether both show the same hour, minute and second (DMN 1.5, table 45)."""
        return self.canonical == other.canonical
