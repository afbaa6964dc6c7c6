"""Time zones for scripts: read as bytes before the file system is closed, parsed when one is asked for."""

import io
import zoneinfo
from importlib import resources
from pathlib import Path

DATA: dict[str, bytes] = {}
"""The compiled form (TZif, RFC 9636) of every zone of the machine, by its key."""

_parsed: dict[str, zoneinfo.ZoneInfo] = {}


def load() -> None:
    """Read all zones into memory; the standard library's objects for them would be ten times as large."""
    for key in zoneinfo.available_timezones():
        DATA[key] = _read(key)


def zone(key: str) -> zoneinfo.ZoneInfo:
    """Return a zone, the same object each time; raises ZoneInfoNotFoundError."""
    if type(key) is not str or key not in DATA:
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}")
    if key not in _parsed:
        _parsed[key] = zoneinfo.ZoneInfo.from_file(io.BytesIO(DATA[key]), key=key)
    return _parsed[key]


def keys() -> set[str]:
    """Return the keys of all zones."""
    return set(DATA)


def _read(key: str) -> bytes:
    for root in zoneinfo.TZPATH:
        path = Path(root, key)
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *key.split("/")).read_bytes()
