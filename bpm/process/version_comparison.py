"""What differs between two sources; large ones are compared beside the readers."""

from hashlib import sha256

from bpm.bus import Context
from bpm.model_files.comparison import ElementDifference, compare_files
from bpm.model_files.xml import read_xml
from bpm.store import PreloadRequired
from bpm.store.committed_cache import SizedLruCache
from bpm.store.preload import LARGE

KEPT_BYTES = 4 * 1024 * 1024
"""Comparisons of sources of so many characters are kept in memory, for who asks to find them."""

Differences = tuple[ElementDifference, ...]


class VersionComparisons:
    """Compares sources of processes and decisions."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._large = SizedLruCache[bytes, tuple[Differences, int]](KEPT_BYTES, lambda kept: kept[1])

    def compare(self, context: Context, before: str, after: str) -> Differences:
        """Return the elements that differ; raises `InvalidDefinition` for a source that can't be read any more."""
        size = len(before) + len(after)
        if size < LARGE or not context.tx.can_be_put_off:
            return _compare(before, after)
        name = sha256(before.encode() + b"\0" + after.encode()).digest()
        known = self._large.get(name)
        if known is None:
            raise PreloadRequired(
                size, lambda: self._large.keep(name, (_compare(before, after), size)), context.organization_id
            )
        return known[0]


def _compare(before: str, after: str) -> Differences:
    return tuple(compare_files(read_xml(before), read_xml(after)))
