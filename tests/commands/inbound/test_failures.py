"""Failures are put in groups by their reason, within a bound that is said."""

from datetime import timedelta
from typing import Any

import pytest

from bpm.bus import Context, Envelope
from bpm.bus.fingerprints import normalised
from bpm.store import Transaction
from commands.inbound.failures import GetInboundFailureGroupsQuery, group_failures
from router.tables import failures, listing
from tests.commands.sender import ADMIN, MessageSender, stranger
from tests.commands.statements import plans_of
from tests.crowd import START, fill

pytestmark = pytest.mark.anyio


async def fail(sender: MessageSender, count: int, sentence: str, after: int = 0, **columns: Any) -> None:
    """Store requests that failed, a second apart."""
    chosen = {"state": "dead", "cause": None, "config_id": 1, "config_key": "orders", **columns}
    await fill(sender.database, count, start=START + timedelta(seconds=after), errors=[sentence], **chosen)


async def groups(sender: MessageSender, **fields: Any) -> list[dict[str, Any]]:
    return (await sender.send("GetInboundFailureGroupsQuery", **fields))["items"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("order 17 is unknown", "order 2.048 is unknown", True),
        ("no account 'a-1' here", "no account 'bee' here", True),
        (
            "request 01a22149-9a7d-780a-966d-2da518afb4d5 waits",
            "request 01a2214b-64a1-7921-8fb9-edf72fbefb6f waits",
            True,
        ),
        ("line 3, column 5, error: 7 is negative", "line 3, column 5, error: 9 is negative", True),
        ("line 3, column 5, error: 7 is negative", "line 4, column 5, error: 7 is negative", False),
        ("email: is required", "phone: is required", False),
    ],
)
def test_values_do_not_tell_sentences_apart(one: str, other: str, same: bool) -> None:
    """Numbers, ids and quoted values are left out; the place in a script and field names stay."""
    assert (normalised(one) == normalised(other)) is same


def test_long_sentences_take_no_time() -> None:
    """What strangers made long is read up to a bound, in one pass."""
    assert len(normalised("'" * 1_000_000)) <= 1_000


async def test_failures_of_one_reason_are_one_group(sender: MessageSender) -> None:
    """Verdict, rule, revision and sentence tell groups apart; the newest one comes first."""
    await fail(sender, 3, "order 1 is unknown")
    await fail(sender, 2, "order 2 is unknown", after=10, state="failed")
    await fail(sender, 1, "order 3 is unknown", after=20, revision=2)
    await fail(sender, 1, "the signature is wrong", after=30, state="rejected", cause="signature")
    await fill(sender.database, 5, start=START + timedelta(seconds=40), state="done", cause=None)
    first, second, third = await groups(sender)
    assert (first["verdict"], first["count"], first["states"]) == ("signature", 1, {"rejected": 1})
    assert (second["revision"], second["count"]) == (2, 1)
    assert (third["count"], third["states"], third["sentence"]) == (5, {"dead": 3, "failed": 2}, "order 2 is unknown")
    assert (third["firstSeen"], third["lastSeen"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:11.000Z")
    assert third["requestIds"] == []
    assert [group["count"] for group in await groups(sender, endDate="2026-01-01T00:00:09Z")] == [3]
    assert await groups(sender, configId=2) == []


async def test_one_group_is_driven_again(sender: MessageSender) -> None:
    """Asked for by its fingerprint a group lists its requests, which a replay takes: those and no others."""
    await fail(sender, 3, "order 1 is unknown")
    await fail(sender, 2, "no stock", after=10)
    group = (await groups(sender))[1]
    (listed,) = await groups(sender, fingerprint=group["fingerprint"])
    assert (listed["count"], len(listed["requestIds"])) == (3, 3)
    found = await sender.send("GetInboundRequestListQuery", endDate="2026-01-01T00:00:05Z")
    assert listed["requestIds"] == [item["requestId"] for item in found["items"]]


async def test_the_bound_is_said(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest of each state are looked at, also when their bodies are large; the rest follows by `endDate`."""
    monkeypatch.setattr(failures, "MAX_GROUPED", 4)
    await fail(sender, 10, "no stock")
    found = await sender.send("GetInboundFailureGroupsQuery")
    assert (found["items"][0]["count"], found["groupedSince"]) == (4, "2026-01-01T00:00:06.000Z")
    monkeypatch.setattr(listing, "MAX_SEARCHED_BYTES", 1_000)
    found = await sender.send("GetInboundFailureGroupsQuery", endDate="2026-01-01T00:00:05Z")
    assert found["items"][0]["count"] <= 4
    assert found["groupedSince"] >= "2026-01-01T00:00:02.000Z"


async def test_groups_are_bounded(sender: MessageSender) -> None:
    """A hundred groups are shown, and how many there are besides."""
    for number in range(102):
        await fail(sender, 1, f"field_{'x' * number}: is required", after=number)
    found = await sender.send("GetInboundFailureGroupsQuery")
    assert (len(found["items"]), found["leftOut"]) == (100, 2)


async def test_others_failures_are_not_seen(sender: MessageSender) -> None:
    """An organisation groups its own."""
    await fail(sender, 3, "no stock")
    assert (await sender.send("GetInboundFailureGroupsQuery", stranger()))["items"] == []


@pytest.mark.embedded
@pytest.mark.parametrize("config_id", [None, 3])
async def test_failures_come_from_an_index(sender: MessageSender, config_id: int | None) -> None:
    """No more rows are read than are looked at, and none is sorted."""
    await fill(sender.database, 500)
    query = GetInboundFailureGroupsQuery(config_id=config_id)

    def group(tx: Transaction) -> object:
        return group_failures(query, Context(sender.bus, Envelope(query, ADMIN), tx))

    lines = await plans_of(sender.database, group)
    assert lines
    assert all("USING INDEX ix_inbound_request_" in line for line in lines), lines
