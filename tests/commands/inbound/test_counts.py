"""Requests are counted by time from an index, and never more than a bound."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bpm.bus import Context, Envelope
from bpm.errors import Invalid
from bpm.store import Transaction
from commands.inbound.counts import GetInboundCountsQuery, count_requests
from router.counts import tables
from tests.commands.sender import ADMIN, MessageSender, stranger
from tests.commands.statements import plans_of
from tests.crowd import START, crowd, fill

pytestmark = pytest.mark.anyio

HOUR: dict[str, Any] = {"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-01T00:59:59.999Z", "bucket": "minute"}


def tally(page: dict[str, Any], name: str) -> Counter[Any]:
    return Counter({(item["at"], item[name]): item["count"] for item in page["items"]})


@pytest.mark.parametrize(
    ("by", "name", "column"),
    [("state", "state", "state"), ("verdict", "verdict", "cause"), ("rule", "configId", "config_id")],
)
async def test_every_request_is_counted_once(sender: MessageSender, by: str, name: str, column: str) -> None:
    """The counts are those of the rows, minute by minute, whatever they are counted by."""
    await fill(sender.database, 300)
    expected = Counter(
        (f"{row['received_at']:%Y-%m-%dT%H:%M}:00.000Z", row[column] or ("passed" if by == "verdict" else None))
        for row in crowd(300, START, {})
    )
    found = await sender.send("GetInboundCountsQuery", by=by, **HOUR)
    assert tally(found, name) == expected
    assert found["countedSince"] is None
    assert [item["at"] for item in found["items"]] == sorted(item["at"] for item in found["items"])


async def test_counts_are_narrowed(sender: MessageSender) -> None:
    """A state, a rule and the time choose what is counted; hours and days add minutes up."""
    await fill(sender.database, 300)
    for bucket in ("hour", "day"):
        found = await sender.send_fields("GetInboundCountsQuery", {**HOUR, "bucket": bucket, "configId": 3})
        assert sum(item["count"] for item in found["items"]) == sum(r["config_id"] == 3 for r in crowd(300, START, {}))
        assert {item["at"] for item in found["items"]} == {"2026-01-01T00:00:00.000Z"}
    dead = await sender.send("GetInboundCountsQuery", state="dead", **HOUR)
    assert {item["state"] for item in dead["items"]} == {"dead"}
    few = await sender.send_fields("GetInboundCountsQuery", {**HOUR, "endDate": "2026-01-01T00:00:09Z"})
    assert sum(item["count"] for item in few["items"]) == 10


async def test_others_are_not_counted(sender: MessageSender) -> None:
    """An organisation counts its own."""
    await fill(sender.database, 20)
    await fill(sender.database, 5, organization_id=2, start=START + timedelta(hours=2))
    asked = {**HOUR, "endDate": "2026-01-01T04:00:00Z"}
    found = await sender.send("GetInboundCountsQuery", stranger(), **asked)
    assert sum(item["count"] for item in found["items"]) == 5


async def test_a_bound_is_said(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the newest of a state are counted, and the answer says since when."""
    monkeypatch.setattr(tables, "MAX_COUNTED", 10)
    await fill(sender.database, 50, state="done", cause=None)
    found = await sender.send("GetInboundCountsQuery", **HOUR)
    assert sum(item["count"] for item in found["items"]) == 10
    assert found["countedSince"] == "2026-01-01T00:00:40.000Z"


async def test_too_many_buckets_are_refused(sender: MessageSender) -> None:
    """A year by minutes would be half a million; what is wrong is said."""
    with pytest.raises(Invalid, match="more than 1500 in this time"):
        await sender.send("GetInboundCountsQuery", startDate="2025-01-01", endDate="2026-01-01", bucket="minute")
    with pytest.raises(Invalid, match="must not be after endDate"):
        await sender.send("GetInboundCountsQuery", startDate="2026-01-02", endDate="2026-01-01")


@pytest.mark.embedded
@pytest.mark.parametrize("config_id", [None, 3])
async def test_no_row_is_read(sender: MessageSender, config_id: int | None) -> None:
    """Every state is counted by its index alone."""
    query = sender.bus.registry.decode("GetInboundCountsQuery", {**HOUR, "configId": config_id})
    assert isinstance(query, GetInboundCountsQuery)

    def count(tx: Transaction) -> object:
        return count_requests(query, Context(sender.bus, Envelope(query, ADMIN), tx))

    lines = await plans_of(sender.database, count)
    reading = [line for line in lines if "inbound_request" in line]
    assert len(reading) == 8
    assert all("COVERING INDEX ix_inbound_request_state" in line for line in reading)
    assert not [line for line in lines if "ORDER BY" in line]
