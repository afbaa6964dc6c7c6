"""Lists in pages, the same for every list query."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field
from sqlalchemy import ColumnElement
from sqlmodel import col

from bpm.bus.context import Context
from bpm.bus.messages import Integer, Query, View
from bpm.errors import Invalid
from bpm.exact_json import write_json
from bpm.store.paging import PageRequest, Total, fetch_page
from bpm.store.rows import aware

T = TypeVar("T")
R = TypeVar("R")

MAX_PAGE_SIZE = 200
MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page has no further row once its rows take so many bytes as JSON; one row it has always."""


def _moment(value: object) -> Any:
    if not isinstance(value, str | datetime):
        return value
    try:
        return aware(value).astimezone(UTC)
    except (ValueError, OverflowError):
        example = "as in 2026-01-31 or 2026-01-31T09:30:00Z"
        raise ValueError(f"must be a date or time of ISO 8601, {example}") from None


When = Annotated[datetime, BeforeValidator(_moment)]

PageNumber = Annotated[Integer, Field(ge=1, le=1_000_000_000)]
"""Which page, from 1; bounded, so that every database can count to the page's first row."""


Skip = Annotated[Integer, Field(ge=0, le=1_000)]
"""How many of a page's rows are left out at its beginning: those that another answer had of a page that was cut."""


def until_full(items: Iterable[T]) -> list[T]:
    """Take items one after the other as long as a page has room for them, and at least one."""
    taken: list[T] = []
    room = MAX_PAGE_BYTES
    for item in items:
        room -= len(write_json(item, serialize_unknown=True))
        if room < 0 and taken:
            break
        taken.append(item)
    return taken


async def every_item(ask: Callable[[Mapping[str, int]], Awaitable[Mapping[str, Any]]]) -> list[Any]:
    """Return all items of a list, page by page; what had no room on one is asked for again.

    `ask` sends the list's query with these fields, named as on the wire, and returns the page as it is there.
    """
    items: list[Any] = []
    number, skip, goes_on = 1, 0, True
    while goes_on:
        page = await ask({"pageNumber": number, "pageSize": MAX_PAGE_SIZE, "skip": skip})
        items += page["items"]
        is_cut = page["leftOut"] > 0
        number, skip = (number, skip + len(page["items"])) if is_cut else (number + 1, 0)
        goes_on = is_cut or page["hasNextPage"]
    return items


def _column(row_type: type[Any], column: str | ColumnElement[Any]) -> Any:
    return col(getattr(row_type, column)) if isinstance(column, str) else column


class Page(View, Generic[T]):
    """One page of a list.

    It ends early when its rows are larger than 8 MiB together: `leftOut` says how many others it would have, which the
    same query answers with a `skip` of as many as were shown. Up to 100,000 rows are counted: where there are more,
    `totalIsExact` is false, and `totalCount` and `totalPages` say as many as are known.
    """

    items: list[T]
    left_out: int = 0
    total_count: int
    """How many there are on all pages; where `totalIsExact` is false, as many as are known."""
    total_is_exact: bool = True
    """Whether those are all; false where there are more."""
    page_number: int
    page_size: int
    total_pages: int
    """How many pages there are."""
    has_next_page: bool
    """Whether another page follows."""
    has_previous_page: bool
    """Whether another page comes before."""

    @classmethod
    def of(cls, items: list[T], total: Total, number: int, size: int, skip: int = 0) -> Self:
        """Return page `number` of a list of `total` items in pages of `size`; its first `skip` items are not wanted."""
        pages = -(-total.rows // size)
        has_next = number < pages or not total.is_exact
        whole = min(size, max(0, total.rows - (number - 1) * size))
        return cls(
            items=items,
            left_out=max(0, whole - skip - len(items)),
            total_count=total.rows,
            total_is_exact=total.is_exact,
            page_number=number,
            page_size=size,
            total_pages=max(pages, number + 1) if has_next else pages,
            has_next_page=has_next,
            has_previous_page=number > 1,
        )

    @property
    def total(self) -> Total:
        """How many there are on all pages."""
        return Total(self.total_count, self.total_is_exact)


class PagedQuery(Query[R], Generic[R]):
    """A list query: `startDate` and `endDate` bound `createdAt`, `sortBy` names one of the list's columns."""

    sortable: ClassVar[tuple[str, ...]] = ("createdAt", "id")

    page_number: PageNumber = 1
    page_size: Annotated[Integer, Field(ge=1, le=MAX_PAGE_SIZE)] = 10
    skip: Skip = 0
    """How many rows of the page are passed over: those that an answer had which was cut."""
    search_text: Annotated[str, Field(max_length=200)] | None = None
    sort_by: str | None = None
    """The column to sort by; a wrong one is refused with the names of those there are."""
    sort_direction: Literal["asc", "desc"] = "desc"
    """Whether the rows rise or fall."""
    start_date: When | None = None
    end_date: When | None = None

    def page(
        self,
        context: Context,
        statement: object,
        row_type: type[Any],
        view: Callable[[Any], T],
        *,
        search: Sequence[str | ColumnElement[str]] = (),
        created: str = "created_at",
        sortable: Mapping[str, str | ColumnElement[Any]] | None = None,
        unloaded: Sequence[str] = (),
    ) -> Page[T]:
        """Fetch this query's page of `statement` (a select of `row_type`) and show each row with `view`.

        `search` names the text columns that `searchText` looks into, `created` the column of the dates,
        `sortable` maps wire names to columns (the first is the default order), `unloaded` names columns that
        `view` does not look at. Give an expression where `view` shows less than the column holds: who may not read
        a secret must not find it by searching or sorting. Raises `Invalid`.
        """
        columns: Mapping[str, str | ColumnElement[Any]] = sortable or {"createdAt": created, "id": "id"}
        name = self.sort_by or next(iter(columns))
        if name not in columns:
            raise Invalid(f"sortBy: must be one of {', '.join(columns)}", message="Validation failed")
        request = PageRequest(
            row_type=row_type,
            number=self.page_number,
            size=self.page_size,
            search=self.search_text,
            search_columns=tuple(_column(row_type, c) for c in search),
            order=_column(row_type, columns[name]),
            descending=self.sort_direction == "desc",
            created=col(getattr(row_type, created)),
            start=self.start_date,
            end=self.end_date,
            unloaded=unloaded,
            skip=self.skip,
        )
        rows, total = fetch_page(context.session, statement, request)
        return Page[T].of(until_full(map(view, rows)), total, self.page_number, self.page_size, self.skip)
