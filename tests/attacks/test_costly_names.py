"""Names that nobody knows are answered in a moment, however long and many they are."""

import time
from pathlib import Path
from typing import Any

import pytest

from bpm.errors import Invalid, NotFound
from bpm.settings import Settings
from bpm.spelling import LONGEST_NAME, nearest
from commands.events import event_types
from tests.commands.sender import MessageSender

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No probe: the receivers of these tests do not exist."""
    delivery: Any = {"probe": "off"}
    return Settings(data_dir=tmp_path, delivery=delivery)


def test_a_long_name_is_near_to_nothing() -> None:
    """Comparing costs the product of the lengths."""
    assert nearest("order.creatd", ["order.created", "task.created"]) == ["order.created"]
    assert nearest("a" * 1_000_000, ["a" * LONGEST_NAME]) == []
    assert nearest("ab", ["a" * 1_000_000]) == []


async def test_a_type_or_field_of_a_megabyte_is_refused_in_a_moment(sender: MessageSender) -> None:
    """Whoever is signed in may send them."""
    began = time.process_time()
    with pytest.raises(NotFound, match="no command or query"):
        await sender.send_fields("C" * 1_000_000, {})
    with pytest.raises(Invalid, match="is not a known field"):
        await sender.send_fields("GetSubscriptionListQuery", {"a" * 900_000: 1})
    assert time.process_time() - began < 1


async def test_unknown_events_are_not_compared_with_each_other(sender: MessageSender) -> None:
    """The first few get a hint."""
    with pytest.raises(Invalid) as refusal:
        await sender.send(
            "CreateSubscriptionCommand", url="https://example.com/in", events=[f"task.creatd{n}" for n in range(200)]
        )
    assert len(refusal.value.errors) == 200
    assert sum("did you mean" in said for said in refusal.value.errors) == 3


async def test_types_of_events_are_bounded(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number, and the size of each."""
    monkeypatch.setattr(event_types, "MAX_TYPES", 2)
    await sender.send("RegisterEventTypeCommand", event="own.a")
    await sender.send("RegisterEventTypeCommand", event="own.b")
    with pytest.raises(Invalid, match="has registered 2 types"):
        await sender.send("RegisterEventTypeCommand", event="own.c")
    await sender.send("RegisterEventTypeCommand", event="own.b", description="again")
    with pytest.raises(Invalid, match="at most 262144"):
        await sender.send("RegisterEventTypeCommand", event="own.b", example={"x": "y" * 300_000})


async def test_the_example_of_an_event_is_an_object(sender: MessageSender) -> None:
    """A list, sent as a test event, could not be shown as an event's data."""
    with pytest.raises(Invalid, match="example: must be"):
        await sender.send("RegisterEventTypeCommand", event="own.a", example=[1])
