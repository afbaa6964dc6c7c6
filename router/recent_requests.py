"""Requests that this process has stored itself, so that its own worker need not read them back."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, cast

from bpm.jobs import Job
from router.tables.requests import RequestRow

_UNSET = RequestRow._field_defaults
_in_order = cast("Callable[[Mapping[str, Any]], tuple[Any, ...]]", itemgetter(*RequestRow._fields))

MAX_REQUESTS = 4_096
MAX_BODY_BYTES = 8 * 1024
"""A larger body is read back: that costs little beside what is done with it."""


class RecentRequests:
    """Holds the newest of them until they are executed; another process may do that, so the oldest are let go.

    What it gives is the request as it was stored. Whether it is still open has to be asked by whoever executes it.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def keep(self, row: Mapping[str, Any]) -> None:
        """Remember a request that is about to be stored."""
        if len(row["body"]) > MAX_BODY_BYTES:
            return
        self._rows[row["request_id"]] = row
        if len(self._rows) > MAX_REQUESTS:
            self._rows.popitem(last=False)

    def drop(self, request_id: str) -> None:
        """Forget a request, which was not stored after all."""
        self._rows.pop(request_id, None)

    def take(self, job: Job) -> RequestRow | None:
        """Return a job's request for its first attempt, once; None when it is not at hand."""
        row = self._rows.pop(job.ref, None)
        if row is None or job.attempt != 0:
            return None
        return stored(row)


def stored(row: Mapping[str, Any]) -> RequestRow:
    """Return a new request's row as a query will return it."""
    return RequestRow._make(_in_order({**_UNSET, **row}))
