"""Lists of very many captured requests: what an index tells is not looked up in the rows, deep pages included."""

from datetime import timedelta
from typing import Any

import pytest

from bpm.bus import Context, Envelope
from bpm.store import Transaction
from commands.inbound.requests import list_requests
from router.tables import listing
from tests.commands.sender import ADMIN, MessageSender, stranger
from tests.commands.statements import plans_of
from tests.crowd import START, crowd, fill

pytestmark = pytest.mark.anyio

FILTERS: list[dict[str, Any]] = [
    {},
    {"state": "done"},
    {"configId": 3},
    {"configId": 3, "state": "dead"},
    {"verdict": "passed"},
    {"verdict": "signature"},
    {"verdict": "passed", "state": "done"},
    {"provider": "mono"},
    {"address": "10.0.1.1"},
    {"startDate": "2026-01-01T00:05:00Z", "endDate": "2026-01-01T00:10:00Z"},
]


async def plans(sender: MessageSender, **wanted: Any) -> list[str]:
    """How SQLite runs each statement of a list query, a line a table."""
    query = sender.bus.registry.decode("GetInboundRequestListQuery", wanted)

    def work(tx: Transaction) -> object:
        context = Context(sender.bus, Envelope(query, ADMIN), tx)
        return list_requests(query, context)  # pyright: ignore[reportArgumentType]

    return await plans_of(sender.database, work)


@pytest.mark.embedded
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("wanted", FILTERS, ids=str)
async def test_pages_and_totals_come_from_an_index(
    sender: MessageSender, wanted: dict[str, Any], direction: str
) -> None:
    """No filter of a list makes the database read rows that are not shown, or sort them."""
    await fill(sender.database, 200, provider="mono") if "provider" in wanted else await fill(sender.database, 1_000)
    plan = await plans(sender, **wanted, sortDirection=direction)
    assert not [line for line in plan if "TEMP B-TREE" in line]
    count, keys, rows = [line for line in plan if "inbound_request" in line]
    assert "COVERING INDEX ix_inbound_request_" in count
    assert "COVERING INDEX ix_inbound_request_" in keys
    assert "sqlite_autoindex_inbound_request_1 (request_id=?)" in rows


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_every_page_is_where_it_belongs(sender: MessageSender, direction: str) -> None:
    """The pages put together are the whole list in order, whichever end a page is counted from."""
    await fill(sender.database, 95, state="done", cause=None)
    expected = [row["request_id"] for row in crowd(95, START, {})][:: 1 if direction == "asc" else -1]
    found: list[str] = []
    for number in range(1, 12):
        page = await sender.send("GetInboundRequestListQuery", pageNumber=number, sortDirection=direction)
        assert page["totalCount"] == 95
        found += [item["requestId"] for item in page["items"]]
    assert found == expected


async def test_requests_of_one_moment_stand_on_one_page_only(sender: MessageSender) -> None:
    """Requests that came in at the same moment have an order among them."""
    await fill(sender.database, 25, received_at=START)
    pages = [await sender.send("GetInboundRequestListQuery", pageNumber=number) for number in (1, 2, 3)]
    assert len({item["requestId"] for page in pages for item in page["items"]}) == 25


async def test_a_deep_page_shows_nobody_elses(sender: MessageSender) -> None:
    """Another organisation's requests are neither counted nor shown, on no page."""
    await fill(sender.database, 30)
    await fill(sender.database, 5, organization_id=2, start=START - timedelta(days=1))
    page = await sender.send("GetInboundRequestListQuery", stranger(), pageSize=3, pageNumber=2)
    assert (page["totalCount"], len(page["items"])) == (5, 2)


async def test_a_search_says_how_far_back_it_looked(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search is bounded in requests; with the bound as `endDate` the next one goes on from there."""
    monkeypatch.setattr(listing, "MAX_SEARCHED", 40)
    await fill(sender.database, 100)
    found = await sender.send("GetInboundRequestListQuery", searchText='"ORDER": 5,')
    assert (found["totalCount"], found["searchedSince"]) == (0, "2026-01-01T00:01:00.000Z")
    further: dict[str, Any] = {"searchText": '"ORDER": 5,', "endDate": found["searchedSince"]}
    found = await sender.send("GetInboundRequestListQuery", **further)
    assert (found["totalCount"], found["searchedSince"]) == (0, "2026-01-01T00:00:21.000Z")
    found = await sender.send("GetInboundRequestListQuery", **{**further, "endDate": found["searchedSince"]})
    assert (found["totalCount"], found["searchedSince"]) == (1, None)


async def test_a_search_is_bounded_in_bytes(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large bodies make the search look at fewer of them."""
    monkeypatch.setattr(listing, "MAX_SEARCHED_BYTES", 10_000)
    await fill(sender.database, 20, body=b"y" * 4_000)
    found = await sender.send("GetInboundRequestListQuery", searchText="yyy")
    assert (found["totalCount"], found["searchedSince"]) == (3, "2026-01-01T00:00:17.000Z")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xff\xfe needle", "NEEDLE"),
        ("Zażółć gęślą".encode(), "gęślą"),
        (rb"C:\new\100%_sure", r"\NEW\100%_s"),
    ],
)
async def test_words_are_found_in_any_bytes(sender: MessageSender, body: bytes, words: str) -> None:
    """What is no UTF-8 is no error, wildcards and backslashes are ordinary letters, English capitals don't count."""
    await fill(sender.database, 3)
    await fill(sender.database, 1, body=body, request_id="it", received_at=START)
    found = await sender.send("GetInboundRequestListQuery", searchText=words)
    assert [item["requestId"] for item in found["items"]] == ["it"]
