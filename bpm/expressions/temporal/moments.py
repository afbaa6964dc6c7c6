"""A date and a time of day together."""

from dataclasses import dataclass
from typing import Self

from .dates import CivilDate
from .ordered import DAY, NANOSECONDS, Ordered
from .times import Time
from .zones import Zone, offset_of_local, offset_of_moment


@dataclass(frozen=True, slots=True, eq=False)
class DateTime(Ordered):
    """A date and a time of day, whose zone is that of both.

    `is_repeated`: the clock of its region had shown the same once before, an hour or so earlier, and was then put back.
    """

    date: CivilDate
    time: Time
    is_repeated: bool = False

    @classmethod
    def at(cls, position: int, zone: Zone | None = None) -> Self:
        """The moment so many nanoseconds after 1970, in UTC if there is a zone."""
        offset = 0 if zone is None else offset_of_moment(zone, position)
        days, nanoseconds = divmod(position + offset * NANOSECONDS, DAY)
        day = CivilDate.at(days)
        is_repeated = zone is not None and offset_of_local(zone, day, nanoseconds) != offset
        return cls(day, Time(nanoseconds, zone), is_repeated)

    @property
    def position(self) -> int:
        """The nanoseconds since 1970, in UTC if there is a zone."""
        return self.date.position * DAY + self.time.nanoseconds - (self.offset or 0) * NANOSECONDS

    @property
    def is_zoned(self) -> bool:
        """Whether it has a zone."""
        return self.time.is_zoned

    @property
    def offset(self) -> int | None:
        """Its distance from UTC in seconds."""
        zone = self.time.zone
        return None if zone is None else offset_of_local(zone, self.date, self.time.nanoseconds, self.is_repeated)

    @property
    def canonical(self) -> str:
        """The same text for moments that are equal: fractions of a second do not count."""
        return f"<DateTime {self.is_zoned} {self.position // NANOSECONDS}>"

    def _is_at(self, other: "DateTime") -> bool:
        """Whether both are the same second (DMN 1.5, table 45)."""
        return self.canonical == other.canonical
