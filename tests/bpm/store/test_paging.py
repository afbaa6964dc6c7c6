"""Pages of a list, and what is said of how many rows there are when these are more than are counted."""

import pytest
from sqlmodel import Field, col, select

from bpm.bus import Page
from bpm.store import Database, OrganizationRow, Transaction
from bpm.store.paging import PageRequest, Total, fetch_page

pytestmark = pytest.mark.anyio

ROWS = 25
SIZE = 4
LAST = 7


class PagingSample(OrganizationRow, table=True):
    """A row of a list."""

    id: int | None = Field(default=None, primary_key=True)


@pytest.fixture
async def rows(database: Database) -> Database:
    """A database with the rows 1 to 25 of one organisation, and one of another."""

    def fill(tx: Transaction) -> None:
        for organization_id, count in ((1, ROWS), (2, 1)):
            session = tx.session(organization_id)
            session.add_all(PagingSample() for _ in range(count))
            session.flush()

    await database.write(fill)
    return database


async def page(database: Database, number: int, *, descending: bool = False) -> tuple[list[int | None], Total]:
    """Return the ids of a page and the total."""
    request = PageRequest(
        row_type=PagingSample,
        number=number,
        size=SIZE,
        search=None,
        search_columns=(),
        order=col(PagingSample.id),
        descending=descending,
        created=col(PagingSample.id),
        start=None,
        end=None,
    )

    def fetched(tx: Transaction) -> tuple[list[int | None], Total]:
        found, total = fetch_page(tx.session(1), select(PagingSample), request)
        return [row.id for row in found], total

    return await database.read(fetched)


@pytest.mark.parametrize("most", [10, ROWS - 1, ROWS, 1_000])
@pytest.mark.parametrize("descending", [False, True])
async def test_every_row_is_on_one_page(
    rows: Database, monkeypatch: pytest.MonkeyPatch, most: int, descending: bool
) -> None:
    """However many of them are counted: in order, and the last page knows how many there are."""
    monkeypatch.setattr("bpm.store.paging.MAX_COUNTED", most)
    found = [await page(rows, number, descending=descending) for number in range(1, LAST + 1)]
    ids = [id_ for ids, _ in found for id_ in ids]
    assert ids == sorted(range(1, ROWS + 1), reverse=descending)
    assert found[-1] == (ids[-1:], Total(ROWS))
    assert await page(rows, LAST + 1, descending=descending) == ([], Total(ROWS))


async def test_a_total_that_is_not_exact_says_so(rows: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as many as were counted, or as stand on the pages up to this one, and another page follows."""
    monkeypatch.setattr("bpm.store.paging.MAX_COUNTED", 10)
    totals = {number: (await page(rows, number))[1] for number in (1, 3, 6, LAST)}
    assert totals == {1: Total(10, False), 3: Total(12, False), 6: Total(24, False), LAST: Total(25)}
    shown = Page[int].of([], totals[6], 6, SIZE)
    assert (shown.total_count, shown.total_is_exact, shown.total_pages, shown.has_next_page) == (24, False, 7, True)
    shown = Page[int].of([], totals[LAST], LAST, SIZE)
    assert (shown.total_count, shown.total_is_exact, shown.total_pages, shown.has_next_page) == (25, True, 7, False)


async def test_what_is_counted_is_exact_up_to_the_bound(rows: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows as are counted at most are all there are."""
    monkeypatch.setattr("bpm.store.paging.MAX_COUNTED", ROWS)
    assert [total for _, total in [await page(rows, 1), await page(rows, 4)]] == [Total(ROWS), Total(ROWS)]
