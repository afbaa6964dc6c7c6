"""One request, several actions: a chain of transactional commands is one transaction, with the request's settlement."""

from typing import Any

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import runs, settled, stored, until

pytestmark = pytest.mark.anyio

NOTES = ("fan-ledger", "fan-mail", "fan-report")


def note(event: str, **more: Any) -> dict[str, Any]:
    return {"commandName": "NoteCommand", "parameters": {"event": event, "text": "{{payload.text}}"}, **more}


async def counts(app: RunningApp) -> list[int]:
    return [await runs(app, event) for event in (*NOTES, "fan-last")]


async def test_all_actions_happen_or_none(app: RunningApp) -> None:
    """What fails at the last action leaves nothing of the others; tried again, each has happened once."""
    last = {"commandName": "StumbleCommand", "parameters": {"event": "fan-last", "times": 1}}
    steps = [*(note(event) for event in NOTES), last]
    rule = await app.rule("fan", executionType=1, commandChain=steps, retry={"attempts": 1})
    assert (await app.hook("fan", {"text": "t"})).ok
    (dead,) = await until(app, "fan", "dead")
    assert await counts(app) == [0, 0, 0, 0]
    assert dead["errors"][1:] == [f"steps[{at}] (NoteCommand): undone" for at in range(3)]
    await app.cmd("ReplayInboundRequestCommand", requestId=dead["requestId"])
    (done,) = await until(app, "fan", "done")
    assert (done["requestId"], done["configId"]) == (dead["requestId"], rule["id"])
    assert await counts(app) == [1, 1, 1, 1]


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_each_action_may_have_its_condition(app: RunningApp, mode: str) -> None:
    """And all see the same request, whose repetition does nothing."""
    key = f"fan-{mode}"
    steps = [note(f"{key}-all"), note(f"{key}-some", when="payload.amount > 100")]
    await app.rule(key, executionType=1, commandChain=steps, responseMode=mode, deduplication="body:id")
    for number, amount in ((1, 50), (2, 500), (2, 500)):
        assert (await app.hook(key, {"id": number, "amount": amount, "text": "t"})).ok
    await settled(app, key)
    assert [await runs(app, f"{key}-{which}") for which in ("all", "some")] == [2, 1]
    assert sorted(each["state"] for each in await stored(app, key)) == ["done", "done", "duplicate"]
