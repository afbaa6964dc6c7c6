"""A list of rows needs a column by which it is bounded and ordered; that there is none is said at the start."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from bpm.bus.paging import PagedQuery
from bpm.errors import Misconfigured
from bpm.store.rows import Row

MOMENT, OTHER = "created_at", "created"
"""The column that `PagedQuery.page` takes, and the argument that names another."""


def require_created_at(handler: Callable[..., Any], message_type: type[Any]) -> None:
    """Raise `Misconfigured` for a handler that lists rows without a moment of creation and names no other column.

    What a handler lists is told by the rows that it mentions.
    """
    if not issubclass(message_type, PagedQuery) or OTHER in _keywords(handler):
        return
    for row_type in _mentioned_rows(handler):
        if MOMENT not in row_type.table().c:
            raise Misconfigured(
                f"{handler.__module__}.{handler.__qualname__} lists rows, and {row_type.__name__} has no column "
                f"{MOMENT}; give it one, or name another moment: query.page(…, {OTHER}=…)"
            )


def _mentioned_rows(handler: Callable[..., Any]) -> Iterator[type[Row]]:
    for name in handler.__code__.co_names:
        value = handler.__globals__.get(name)
        if isinstance(value, type) and issubclass(value, Row) and hasattr(value, "__table__"):
            yield value


def _keywords(handler: Callable[..., Any]) -> set[object]:
    """Return the names of arguments that a function gives by name."""
    groups = (cast("tuple[object, ...]", each) for each in handler.__code__.co_consts if isinstance(each, tuple))
    return {name for group in groups for name in group}
