"""Deliveries are listed, and what can't be done with one is said."""

from pathlib import Path
from typing import Any

import pytest

from bpm.errors import Conflict, Invalid, NotFound
from bpm.settings import Settings
from tests.commands.conftest import House

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No probe: the receivers of these tests do not exist."""
    delivery: Any = {"probe": "off"}
    return Settings(data_dir=tmp_path, delivery=delivery)


@pytest.fixture
async def subscription(house: House) -> int:
    """A subscription to everything."""
    made = await house.send("CreateSubscriptionCommand", url="https://hooks.example.com/", events=["*"])
    return made["id"]


async def test_deliveries_are_found_by_what_they_are(house: House, subscription: int) -> None:
    """Subscription, event, state and words narrow the list."""
    event = await house.send("PublishEventCommand", event="task.created")
    await house.send("PublishEventCommand", event="project.created")
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
        assert (await house.send_fields("GetDeliveryListQuery", wanted))["totalCount"] == count, wanted
    assert (await house.send("GetDeliveryAttemptListQuery", subscriptionId=subscription))["items"] == []


async def test_what_is_over_can_not_be_cancelled(house: House, subscription: int) -> None:
    """A cancelled delivery is cancelled already; one that is unknown is not found."""
    await house.send("PublishEventCommand", event="task.created")
    (found,) = (await house.send("GetDeliveryListQuery"))["items"]
    await house.send("CancelDeliveryCommand", id=found["id"])
    with pytest.raises(Conflict, match="cancelled already"):
        await house.send("CancelDeliveryCommand", id=found["id"])
    with pytest.raises(NotFound):
        await house.send("CancelDeliveryCommand", id="none")


async def test_missing_needs_a_subscription(house: House, subscription: int) -> None:
    """Only one subscription can be compared with the events, and only an active one."""
    with pytest.raises(Invalid, match="subscriptionId: is required"):
        await house.send("RecoverFailedDeliveriesCommand", since="2026-01-01", missing=True)
    await house.send("DeactivateSubscriptionCommand", id=subscription)
    with pytest.raises(Conflict, match="inactive"):
        await house.send("RecoverFailedDeliveriesCommand", since="2026-01-01", subscriptionId=subscription)


async def test_a_recovery_goes_on_by_itself(house: House, subscription: int) -> None:
    """More than one batch of missed events is sent batch after batch, each event once."""
    await house.send("DeleteSubscriptionCommand", id=subscription)
    for number in range(450):
        await house.send("PublishEventCommand", event="task.created", data={"n": number})
    made = await house.send("CreateSubscriptionCommand", url="https://hooks.example.com/", events=["task.*"])
    asked = {"since": "2020-01-01", "subscriptionId": made["id"], "missing": True}
    assert (await house.send_fields("RecoverFailedDeliveriesCommand", {**asked, "preview": True}))["found"] == 450
    first = await house.send_fields("RecoverFailedDeliveriesCommand", asked)
    assert (first["found"], first["goesOn"]) == (200, True)
    again = await house.send_fields("RecoverFailedDeliveriesCommand", asked)
    assert (again["found"], again["goesOn"]) == (200, True)
    assert (await house.send_fields("RecoverFailedDeliveriesCommand", asked))["found"] == 50
    assert (await house.send("GetDeliveryListQuery", subscriptionId=made["id"]))["totalCount"] == 450
