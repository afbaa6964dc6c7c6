"""What is kept in memory of rows that never change: only of those that are on disk."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from bpm.store.transaction import Transaction

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class CommittedCache(Generic[K, V]):
    """Values by key, the oldest dropped first.

    What a transaction looks up may be its own, and be rolled back; SQLite then gives the same number to another row.
    So it is kept for all once the transaction has been committed, and for the group until then.
    """

    def __init__(self, size: int) -> None:
        """Keep so many values."""
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, tx: Transaction, key: K, look_up: Callable[[], V]) -> V:
        """Return the value of a key, looked up at most once; raises what `look_up` raises."""
        known = self._values.get(key)
        if known is not None:
            return known
        value = tx.remembered((id(self), key), look_up)
        if tx.is_snapshot:
            self._keep(key, value)
        else:
            tx.after_commit(lambda: self._keep(key, value))
        return value

    def _keep(self, key: K, value: V) -> None:
        self._values[key] = value
        if len(self._values) > self._size:
            self._values.popitem(last=False)
