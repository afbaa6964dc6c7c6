"""The shortest unit of work: rows that nothing reads back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from bpm.store.transaction import Transaction


@dataclass(slots=True)
class Append:
    """Work that only appends rows, so it needs no savepoint of its own."""

    rows: tuple[tuple[Table, Mapping[str, Any]], ...]
    then: Callable[[], object] | None = None

    def __call__(self, transaction: Transaction) -> None:
        """Hand the rows over."""
        transaction.appended.extend(self.rows)
        if self.then is not None:
            transaction.callbacks.append(self.then)
