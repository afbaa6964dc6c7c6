"""Events are published once per key and can be looked up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bpm.errors import Conflict, Forbidden, Invalid, NotFound
from tests.commands.sender import ADMIN, MessageSender, stranger

pytestmark = pytest.mark.anyio


async def test_a_published_event_is_listed(sender: MessageSender) -> None:
    """An event is stored with its data and shown in the list."""
    made = await sender.send("PublishEventCommand", event="order.created", data={"total": "12.50"}, orderingKey="o1")
    listed = await sender.send("GetEventListQuery")
    assert listed["items"] == [made]
    assert (made["event"], made["data"], made["orderingKey"]) == ("order.created", {"total": "12.50"}, "o1")


async def test_a_key_publishes_once(sender: MessageSender) -> None:
    """The same event under the same key is stored once and answered again."""
    first = await sender.send("PublishEventCommand", event="a", data={"n": 1}, idempotencyKey="k")
    again = await sender.send("PublishEventCommand", event="a", data={"n": 1}, idempotencyKey="k")
    assert again == first
    assert (await sender.send("GetEventListQuery"))["totalCount"] == 1


async def test_a_key_is_good_for_one_event(sender: MessageSender) -> None:
    """Another event under a key that was used is a conflict; another organisation's keys do not count."""
    await sender.send("PublishEventCommand", event="a", data={"n": 1}, idempotencyKey="k")
    with pytest.raises(Conflict, match="another event was published with this key"):
        await sender.send("PublishEventCommand", event="a", data={"n": 2}, idempotencyKey="k")
    theirs = await sender.send("PublishEventCommand", stranger(), event="a", data={"n": 2}, idempotencyKey="k")
    assert theirs["organizationId"] == 2


async def test_only_the_installation_publishes_for_others(sender: MessageSender) -> None:
    """An account of the installation publishes for any organisation, everybody else for the own one."""
    await sender.add_organizations("Acme")
    assert (await sender.send("PublishEventCommand", event="a", organizationId=2))["organizationId"] == 2
    of_process = replace(stranger(), kind="system")
    clerk = replace(ADMIN, permissions=frozenset({"events:write"}))
    for who, number in ((stranger(), 1), (stranger(), 77), (of_process, 1), (clerk, 2)):
        with pytest.raises(Forbidden):
            await sender.send("PublishEventCommand", who, event="a", organizationId=number)
    with pytest.raises(NotFound, match="there is no organisation 77"):
        await sender.send("PublishEventCommand", event="a", organizationId=77)
    assert (await sender.send("GetEventListQuery", stranger()))["totalCount"] == 1
    assert (await sender.send("GetEventListQuery"))["totalCount"] == 0


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"event": "order.*"}, ["order.paid", "order.created"]),
        ({"event": "order.paid"}, ["order.paid"]),
        ({"event": "order"}, []),
        ({"searchText": "DER.P"}, ["order.paid"]),
        ({"sortBy": "event", "sortDirection": "asc"}, ["order.created", "order.paid", "orders.x"]),
    ],
)
async def test_the_list_is_narrowed(sender: MessageSender, wanted: dict[str, str], names: list[str]) -> None:
    """Events are found by name, by the beginning of their name, and by words in it."""
    for name in ("orders.x", "order.created", "order.paid"):
        await sender.send("PublishEventCommand", event=name)
    found = await sender.send_fields("GetEventListQuery", wanted)
    assert [item["event"] for item in found["items"]] == names


async def test_the_list_is_bounded_in_time(sender: MessageSender) -> None:
    """`startDate` and `endDate` bound the time of publication."""
    await sender.send("PublishEventCommand", event="a")
    soon = (sender.bus.now() + timedelta(minutes=1)).isoformat()
    assert (await sender.send("GetEventListQuery", endDate=soon))["totalCount"] == 1
    assert (await sender.send("GetEventListQuery", startDate=soon))["totalCount"] == 0


@pytest.mark.parametrize("name", ["", "a b", ".a", "a..b", "a" * 201, "*"])
async def test_a_name_of_other_characters_is_refused(sender: MessageSender, name: str) -> None:
    """An event's name is words with dots between."""
    with pytest.raises(Invalid, match="event: "):
        await sender.send("PublishEventCommand", event=name)
