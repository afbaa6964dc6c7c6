"""What is kept in memory of rows that never change: only of those that are on disk."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from bpm.store.transaction import Transaction

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SizedLruCache(Generic[K, V]):
    """Values by key within a weight in all, for several threads; those are dropped first not asked for longest."""

    def __init__(self, limit: int, weigh: Callable[[V], int]) -> None:
        """Keep values that weigh so much together; one that is heavier alone is not kept."""
        self._limit = limit
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def keep(self, key: K, value: V) -> None:
        """Keep a value, and drop others until there is room for it."""
        with self._lock:
            self._drop(key)
            self._values[key] = value
            self._weight += self._weigh(value)
            while self._weight > self._limit:
                self._drop(next(iter(self._values)))

    def _drop(self, key: K) -> None:
        if key in self._values:
            self._weight -= self._weigh(self._values.pop(key))


def _one(_value: object) -> int:
    return 1


class CommittedCache(Generic[K, V]):
    """Values by key; those are dropped first that were not asked for longest.

    What a transaction looks up may be its own, and be rolled back; SQLite then gives the same number to another row.
    So it is kept for all once the transaction has been committed, and for the group until then.
    """

    def __init__(self, size: int, weigh: Callable[[V], int] = _one) -> None:
        """Keep as many values as weigh `size` together; unless `weigh` says otherwise each weighs one."""
        self._values = SizedLruCache[K, V](size, weigh)

    def get(self, tx: Transaction, key: K, look_up: Callable[[], V]) -> V:
        """Return the value of a key, looked up at most once; raises what `look_up` raises."""
        known = self._values.get(key)
        if known is not None:
            return known
        value = tx.remembered((id(self), key), look_up)
        if tx.is_snapshot:
            self._values.keep(key, value)
        else:
            tx.after_commit(lambda: self._values.keep(key, value))
        return value
