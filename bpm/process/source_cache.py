"""What sources stand for, kept in memory within a weight; a large source is read beside the writer."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from bpm.bus import Context
from bpm.process.sealing import restored_source
from bpm.store import PreloadRequired, Transaction
from bpm.store.committed_cache import CommittedCache, SizedLruCache
from bpm.store.preload import LARGE

T = TypeVar("T")

CACHED_BYTES = 16 * 1024 * 1024
"""Sources of so many bytes are kept in memory, compiled; that takes about fifteen times as much."""


class CompiledSource(NamedTuple, Generic[T]):
    """What a source stands for, and how many characters it has."""

    made: T
    size: int


def _size(compiled: CompiledSource[Any]) -> int:
    return compiled.size


def _one(_made: object) -> int:
    return 1


class SourceCache(Generic[T]):
    """What versions of one kind stand for, made once from their source.

    A large source is read beside the writer: what was made of it is found again by what it says.
    """

    def __init__(self, make: Callable[[str, str], T], versions: Callable[[T], int] = _one) -> None:
        """Take what makes a thing of a source and a key, and for how many versions it stands."""

        def weigh(compiled: CompiledSource[T]) -> int:
            return compiled.size // versions(compiled.made)

        self._make = make
        self._by_id = CommittedCache[int, CompiledSource[T]](CACHED_BYTES, weigh)
        self._by_source = SizedLruCache[tuple[bytes, str], CompiledSource[T]](CACHED_BYTES, _size)

    def get(self, context: Context, id_: int, find: Callable[[], tuple[str, str]]) -> T:
        """Return what a version stands for; `find` returns its stored source and its key, and may raise."""
        return self._by_id.get(context.tx, id_, lambda: self._look_up(context, *find())).made

    def keep(self, tx: Transaction, id_: int, compiled: CompiledSource[T]) -> None:
        """Keep what a version stands for that was just stored."""
        self._by_id.get(tx, id_, lambda: compiled)

    def _look_up(self, context: Context, stored: str, key: str) -> CompiledSource[T]:
        source = restored_source(stored, context.box)
        if len(source) < LARGE or not context.tx.can_be_put_off:
            return CompiledSource(self._make(source, key), len(source))
        name = (sha256(source.encode()).digest(), key)
        made = self._by_source.get(name)
        if made is None:
            raise PreloadRequired(len(source), lambda: self._prepare(name, source, key), context.organization_id)
        return made

    def _prepare(self, name: tuple[bytes, str], source: str, key: str) -> None:
        """Make a large thing, unless it was made for somebody else while this one waited for a thread."""
        if self._by_source.get(name) is None:
            self._by_source.keep(name, CompiledSource(self._make(source, key), len(source)))
