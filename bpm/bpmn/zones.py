"""Local times with the name of their zone, such as `2026-06-01T09:00:00[Europe/Berlin]`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bpm.expressions.temporal.zones import known_zone


def read_moment(text: str) -> datetime:
    """Read an ISO 8601 date and time, in its zone; raises ValueError.

    The zone stands behind it in brackets, or behind an @ as in FEEL. Beside an offset, the offset says which moment
    is meant. A local time that a change of the clocks leaves out is as much later; of one that comes twice the first
    is meant. Without a zone or an offset it is UTC.
    """
    local, name = _split(text)
    moment = datetime.fromisoformat(local)
    zone = find_zone(name) if name is not None else None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=zone or UTC)
    return moment.astimezone(zone) if zone else moment


def find_zone(name: str) -> ZoneInfo:
    """The zone of a name; raises ValueError when there is none."""
    zone = known_zone(name)
    if zone is None:
        raise ValueError(f"there is no time zone '{name}'")
    return zone


def zone_name(moment: datetime) -> str:
    """The name of the zone that a moment is in; empty if it has an offset only."""
    return moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) else ""


def _split(text: str) -> tuple[str, str | None]:
    for opening, closing in (("[", "]"), ("@", "")):
        local, mark, name = text.partition(opening)
        if mark and name.endswith(closing):
            return local, name.removesuffix(closing)
    return text, None
