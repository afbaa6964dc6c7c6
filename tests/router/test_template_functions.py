"""Time and ids in a rule's templates are the request's: trials and later attempts make what live traffic made."""

from typing import Any

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import noting, rows, until

pytestmark = pytest.mark.anyio

MADE = '{{uuid()}} {{uuid("line")}} {{now()}} {{hash(request.body)}} {{format(payload.amount, 2)}}'


async def notes(app: RunningApp, event: str) -> list[str]:
    found = await app.cmd("GetEventListQuery", event=event)
    return [item["data"]["text"] for item in found["items"]]


async def test_a_trial_of_a_request_makes_what_it_made(app: RunningApp) -> None:
    """The dry run has the same fields, and a back-test finds no difference."""
    fields = {"parameters": {"event": "made", "text": MADE}}
    rule = await noting(app, "made", **fields)
    answer = await app.hook("made", {"amount": 7.5})
    await until(app, "made", "done")
    (text,) = await notes(app, "made")
    first, other, moment, _, amount = text.split(" ")
    (row,) = await rows(app, path="made")
    assert (first != other, amount, moment[:10]) == (True, "7.50", row.received_at.isoformat()[:10])
    trial = await app.cmd("TestWebHookConfigCommand", id=rule["id"], requestId=answer.body["data"]["requestId"])
    assert trial["outcome"]["message"]["fields"]["text"] == text
    config = {"description": "d", "isEnabled": True, "path": "made", "action": "POST", "executionType": 0}
    draft = {**config, "commandName": "NoteCommand", **fields}
    back = await app.cmd("BackTestWebHookConfigCommand", id=rule["id"], config=draft)
    assert back["counts"]["same"] == 1


async def test_a_later_attempt_makes_the_same(app: RunningApp) -> None:
    """What a receiver knows a repetition by stays the same when a request is driven again."""
    fields: dict[str, Any] = {"event": "again-{{uuid()}}", "times": 1}
    await app.rule("made-again", commandName="StumbleCommand", parameters=fields, retry={"attempts": 1})
    await app.hook("made-again", {})
    (dead,) = await until(app, "made-again", "dead")
    await app.cmd("ReplayInboundRequestCommand", requestId=dead["requestId"])
    await until(app, "made-again", "done")  # the command that fails once knows its tries by the event's name


async def test_answers_lanes_and_chains_have_them(app: RunningApp) -> None:
    """A header of the answer and a step of a chain, too; each chain has ids of its own."""
    step = {"commandName": "NoteCommand", "parameters": {"event": "steps", "text": "{{uuid()}} {{now()}}"}}
    response = {"headers": {"X-Receipt": "{{uuid()}}"}, "body": "{{base64(payload.text)}}"}
    await app.rule("steps", executionType=1, commandChain=[step], response=response)
    answers = [await app.hook("steps", {"text": "Ok"}) for _ in range(2)]
    assert [answer.body for answer in answers] == ["T2s=", "T2s="]
    assert answers[0].headers["x-receipt"] != answers[1].headers["x-receipt"]
    await until(app, "steps", "done", "done")
    assert len({note.split(" ")[0] for note in await notes(app, "steps")}) == 2
