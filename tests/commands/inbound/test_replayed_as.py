"""Driving a captured request again by an earlier revision of its rule, or by a draft of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.client import BusClient, ServerRefused
from bpm.testing import RunningApp, running_app
from tests.attacks.people import person

pytestmark = pytest.mark.anyio

RULE = {"description": "paid", "isEnabled": True, "path": "paid", "action": "POST", "executionType": 0}
NOW = {"attempts": 1}


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as running:
        yield running


def publishing(kind: str, **more: Any) -> dict[str, Any]:
    """Return fields of a rule that publishes an event with this in its data."""
    parameters = {"event": "paid", "data": {"by": kind, "id": "{{payload.id}}"}}
    return {**RULE, "commandName": "PublishEventCommand", "parameters": parameters, "retry": NOW, **more}


async def captured(app: RunningApp, payload: Any) -> str:
    """Send a request, wait until it is executed, and return its id."""
    reply = await app.hook("paid", payload)
    assert reply.ok
    await app.settled()
    return reply.data["requestId"]


async def replay(app: RunningApp, request_id: str, by: BusClient | None = None, /, **fields: Any) -> dict[str, Any]:
    """Replay a request and return it as it is stored at last."""
    fields = {"requestId": request_id, "force": True, **fields}
    assert (await (by or app).cmd("ReplayInboundRequestCommand", **fields))["replayed"]
    await app.settled()
    return await app.cmd("GetInboundRequestByIdQuery", requestId=request_id)


async def refusal(app: RunningApp, request_id: str, by: BusClient | None = None, /, **fields: Any) -> str:
    """Return why a request is not replayed."""
    with pytest.raises(ServerRefused) as caught:
        await (by or app).cmd("ReplayInboundRequestCommand", requestId=request_id, force=True, **fields)
    return str(caught.value)


async def published(app: RunningApp) -> list[Any]:
    """Say by what events were published, the newest first."""
    return [event["data"]["by"] for event in (await app.cmd("GetEventListQuery", event="paid"))["items"]]


async def changed(app: RunningApp, **fields: Any) -> Any:
    """Create the rule with one mapping, change it to another one, and return it."""
    rule = await app.cmd("CreateWebHookConfigCommand", key="paid", **publishing("old", **fields))
    return await app.cmd("UpdateWebHookConfigCommand", id=rule["id"], **publishing("new", **fields))


async def test_a_request_is_replayed_by_the_old_and_by_the_new_revision(app: RunningApp) -> None:
    """Each makes of it what it says; the request tells by what it was executed last."""
    await changed(app)
    request_id = await captured(app, {"id": 1})
    old = await replay(app, request_id, revision=1)
    assert (old["state"], old["replayedRevision"], old["replayedDraftId"]) == ("done", 1, None)
    new = await replay(app, request_id)
    assert (new["state"], new["replayedRevision"]) == ("done", None)
    assert await published(app) == ["new", "old", "new"]


async def test_a_request_is_replayed_by_a_draft(app: RunningApp) -> None:
    """As the draft was saved when it was asked for; one that was changed meanwhile executes nothing."""
    rule = await changed(app)
    request_id = await captured(app, {"id": 1})
    draft = await app.cmd("CreateWebHookDraftCommand", configId=rule["id"], **publishing("draft"))
    done = await replay(app, request_id, draftId=draft["id"])
    assert (done["state"], done["replayedRevision"], done["replayedDraftId"]) == ("done", 1, draft["id"])
    assert (await published(app))[0] == "draft"


async def test_a_draft_that_changes_before_it_executes_does_not(app: RunningApp) -> None:
    """The request waits for its paused rule; what it was to be executed by is gone when the rule goes on."""
    rule = await changed(app)
    request_id = await captured(app, {"id": 1})
    draft = await app.cmd("CreateWebHookDraftCommand", configId=rule["id"], **publishing("draft"))
    await app.cmd("PauseWebHookConfigCommand", id=rule["id"])
    fields = {"requestId": request_id, "force": True, "draftId": draft["id"]}
    assert (await app.cmd("ReplayInboundRequestCommand", **fields))["replayed"]
    await app.cmd("DiscardWebHookDraftCommand", id=draft["id"])
    await app.cmd("ResumeWebHookConfigCommand", id=rule["id"])
    await app.settled(seconds=180)  # what was looked at in the moment of the resumption waits for the reconciler
    dead = await app.cmd("GetInboundRequestByIdQuery", requestId=request_id)
    assert (dead["state"], dead["errors"]) == (
        "dead",
        [f"the draft {draft['id']} was changed, published or discarded; replay anew"],
    )
    assert await published(app) == ["new"]


async def test_the_rule_as_it_is_judges(app: RunningApp) -> None:
    """What an unsigned revision took is not executed by it once the rule is signed."""
    await app.cmd("CreateWebHookConfigCommand", key="paid", **publishing("old"))
    request_id = await captured(app, {"id": 1})
    (rule,) = (await app.cmd("GetWebHookConfigListQuery"))["items"]
    signature = {"scheme": "github", "secret": "a-secret-of-32-characters-at-least"}
    await app.cmd("UpdateWebHookConfigCommand", id=rule["id"], **publishing("new", signature=signature))
    assert "signature" in await refusal(app, request_id, revision=1)
    assert await published(app) == ["old"]


async def test_secrets_are_those_of_now(app: RunningApp) -> None:
    """A revision keeps none; where the configuration has none there now, nothing is sent with stars."""
    password = {"parameters": {"username": "u", "password": "Correct-horse-battery-1"}}
    made = await app.cmd(
        "CreateWebHookConfigCommand", key="paid", **{**publishing(""), **password, "commandName": "CreateUserCommand"}
    )
    await app.cmd("UpdateWebHookConfigCommand", id=made["id"], **publishing("new"))
    request_id = await captured(app, {"id": 1})
    assert "parameters.password: the secret of then is not kept" in await refusal(app, request_id, revision=1)


async def test_what_there_is_not_is_refused(app: RunningApp) -> None:
    """Each refusal says what is wrong with it."""
    rule = await changed(app)
    request_id = await captured(app, {"id": 1})
    other = await app.rule("other", commandName="PingQuery")
    draft = await app.cmd("CreateWebHookDraftCommand", configId=other["id"], **publishing("draft", path="other"))
    assert "has no revision 7" in await refusal(app, request_id, revision=7)
    assert "no draft found" in await refusal(app, request_id, draftId=draft["id"] + 1)
    assert "is not a draft of the rule" in await refusal(app, request_id, draftId=draft["id"])
    assert "can't be set together" in await refusal(app, request_id, draftId=draft["id"], revision=1)
    await app.hook("nowhere", {})
    (stranger,) = await app.requests(state="quarantined")
    assert "came to no rule" in await refusal(app, stranger["requestId"], revision=1)
    await app.cmd("UpdateOrganizationCommand", id=1, features={"ruleReview": True})
    own = await app.cmd("CreateWebHookDraftCommand", configId=rule["id"], **publishing("draft"))
    assert "somebody else has published it" in await refusal(app, request_id, draftId=own["id"])
    assert (await replay(app, request_id, revision=1))["state"] == "done"


async def test_who_may_not_write_rules_chooses_none(app: RunningApp) -> None:
    """To drive a request again is one thing, to say what it becomes needs the rights of who writes rules."""
    await changed(app)
    request_id = await captured(app, {"id": 1})
    operator = await person(app, "operator", permissions=("inbound:read", "inbound:write", "webhooks:read"))
    assert "webhooks:write" in await refusal(app, request_id, operator.client, revision=1)
    assert (await replay(app, request_id, operator.client))["state"] == "done"


async def test_everyone_who_had_a_hand_in_it_is_asked(app: RunningApp) -> None:
    """Who asks for the revision must be able to do what it does, and so must whoever saved it."""
    author = await person(app, "author", "admin")
    made = await author.client.cmd("CreateWebHookConfigCommand", key="paid", **publishing("old"))
    await app.cmd("UpdateWebHookConfigCommand", id=made["id"], **publishing("new"))
    request_id = await captured(app, {"id": 1})
    rights = ("inbound:read", "inbound:write", "webhooks:read", "webhooks:write")
    editor = await person(app, "editor", permissions=rights)
    refused = await replay(app, request_id, editor.client, revision=1)
    assert (refused["state"], "events:write" in refused["errors"][0]) == ("dead", True)
    await app.cmd("UpdateUserCommand", id=author.id, roles=["viewer"])
    refused = await replay(app, request_id, revision=1)
    assert (refused["state"], "author" in refused["errors"][0]) == ("dead", True)
    assert await published(app) == ["new"]
    assert (await replay(app, request_id))["state"] == "done"
