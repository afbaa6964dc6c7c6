"""Deliveries are listed, and what can't be done with one is said."""

from pathlib import Path
from typing import Any

import pytest

from bpm.errors import Conflict, Invalid, NotFound
from bpm.settings import Settings
from tests.commands.sender import MessageSender

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No probe: the receivers of these tests do not exist."""
    delivery: Any = {"probe": "off"}
    return Settings(data_dir=tmp_path, delivery=delivery)


@pytest.fixture
async def subscription(sender: MessageSender) -> int:
    """A subscription to everything."""
    made = await sender.send("CreateSubscriptionCommand", url="https://hooks.example.com/", events=["*"])
    return made["id"]


async def test_deliveries_are_found_by_what_they_are(sender: MessageSender, subscription: int) -> None:
    """Subscription, event, state and words narrow the list."""
    event = await sender.send("PublishEventCommand", event="task.created")
    await sender.send("PublishEventCommand", event="project.created")
    for wanted, count in (
        ({"subscriptionId": subscription}, 2),
        ({"subscriptionId": 99}, 0),
        ({"eventId": event["id"]}, 1),
        ({"event": "task.*"}, 1),
        ({"event": "project.created"}, 1),
        ({"state": "pending"}, 2),
        ({"state": "dead"}, 0),
        ({"searchText": "TASK"}, 1),
    ):
        assert (await sender.send_fields("GetDeliveryListQuery", wanted))["totalCount"] == count, wanted
    assert (await sender.send("GetDeliveryAttemptListQuery", subscriptionId=subscription))["items"] == []


async def test_what_is_over_can_not_be_cancelled(sender: MessageSender, subscription: int) -> None:
    """A cancelled delivery is cancelled already; one that is unknown is not found."""
    await sender.send("PublishEventCommand", event="task.created")
    (found,) = (await sender.send("GetDeliveryListQuery"))["items"]
    await sender.send("CancelDeliveryCommand", id=found["id"])
    with pytest.raises(Conflict, match="cancelled already"):
        await sender.send("CancelDeliveryCommand", id=found["id"])
    with pytest.raises(NotFound):
        await sender.send("CancelDeliveryCommand", id="none")


async def test_missing_needs_a_subscription(sender: MessageSender, subscription: int) -> None:
    """Only one subscription can be compared with the events, and only an active one."""
    with pytest.raises(Invalid, match="subscriptionId: is required"):
        await sender.send("RecoverFailedDeliveriesCommand", since="2026-01-01", missing=True)
    await sender.send("DeactivateSubscriptionCommand", id=subscription)
    with pytest.raises(Conflict, match="inactive"):
        await sender.send("RecoverFailedDeliveriesCommand", since="2026-01-01", subscriptionId=subscription)


async def test_a_recovery_goes_on_by_itself(sender: MessageSender, subscription: int) -> None:
    """More than one batch of missed events is sent batch after batch, each event once."""
    await sender.send("DeleteSubscriptionCommand", id=subscription)
    for number in range(450):
        await sender.send("PublishEventCommand", event="task.created", data={"n": number})
    made = await sender.send("CreateSubscriptionCommand", url="https://hooks.example.com/", events=["task.*"])
    asked = {"since": "2020-01-01", "subscriptionId": made["id"], "missing": True}
    assert (await sender.send_fields("RecoverFailedDeliveriesCommand", {**asked, "preview": True}))["found"] == 450
    first = await sender.send_fields("RecoverFailedDeliveriesCommand", asked)
    assert (first["found"], first["goesOn"]) == (200, True)
    again = await sender.send_fields("RecoverFailedDeliveriesCommand", asked)
    assert (again["found"], again["goesOn"]) == (200, True)
    assert (await sender.send_fields("RecoverFailedDeliveriesCommand", asked))["found"] == 50
    assert (await sender.send("GetDeliveryListQuery", subscriptionId=made["id"]))["totalCount"] == 450
