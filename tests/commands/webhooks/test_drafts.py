"""Drafts of rules: kept apart from what is live, tried, published, discarded; and going back to an earlier revision."""

from typing import Any

import pytest

from bpm.errors import BpmError, Conflict, Forbidden, Invalid, NotFound
from bpm.security.permissions import Authority, Principal, PrincipalKind, permissions_of
from bpm.store import utc_now
from bpm.store.organizations import ensure_installation
from commands.webhooks import drafts as draft_messages
from router.tables import configs
from tests.commands.sender import ADMIN, MessageSender, stranger

pytestmark = pytest.mark.anyio

RULE = {"description": "a rule", "isEnabled": True, "path": "orders", "action": "POST", "executionType": 0}
PING: dict[str, Any] = {**RULE, "commandName": "PingQuery"}
PUBLISH: dict[str, Any] = {**RULE, "commandName": "PublishEventCommand", "parameters": {"event": "order.placed"}}
REVIEWED = "rules of this organisation change only by drafts that somebody else publishes (PublishWebHookDraftCommand)"


def acting_as(id_: str, name: str, *roles: str) -> Principal:
    """Return an account or a key as the bus knows it."""
    kind: PrincipalKind = "key" if id_.startswith("key:") else "user"
    return Principal(kind, id_, name, 1, permissions_of(list(roles)), Authority((id_,)))


async def person(sender: MessageSender, name: str, role: str) -> Principal:
    """Return somebody of the installation's organisation."""
    made = await sender.send("CreateUserCommand", username=name, roles=[role])
    return acting_as(f"user:{made['id']}", name, role)


@pytest.fixture
async def alice(sender: MessageSender) -> Principal:
    """An administrator."""
    return await person(sender, "alice", "admin")


@pytest.fixture
async def bob(sender: MessageSender) -> Principal:
    """Another one."""
    return await person(sender, "bob", "admin")


async def refusal(sender: MessageSender, name: str, principal: Principal | None = None, /, **fields: Any) -> BpmError:
    """Return what a message is refused with."""
    with pytest.raises((Invalid, Conflict, NotFound, Forbidden)) as raised:
        await sender.send_fields(name, fields, principal)
    return raised.value


async def create(sender: MessageSender, **changes: Any) -> Any:
    """Return a live rule."""
    return await sender.send_fields("CreateWebHookConfigCommand", {"key": "orders", **PING, **changes})


async def draft(sender: MessageSender, principal: Principal | None = None, /, **fields: Any) -> Any:
    """Save a draft."""
    return await sender.send_fields("CreateWebHookDraftCommand", {**PUBLISH, **fields}, principal)


async def review(sender: MessageSender) -> None:
    """Let the organisation want a second pair of eyes."""
    await sender.database.write(lambda tx: ensure_installation(tx, utc_now()))
    await sender.send("UpdateOrganizationCommand", id=1, features={"ruleReview": True})


async def test_a_draft_is_not_live_until_it_is_published(sender: MessageSender) -> None:
    """The rule stays as it is while its draft is kept; published, it is what the draft says, and the draft is gone."""
    rule = await create(sender)
    kept = await draft(sender, configId=rule["id"], comment="tell the shop")
    assert (kept["key"], kept["baseRevision"], kept["liveRevision"], kept["revision"]) == ("orders", 1, 1, 1)
    assert (kept["author"], kept["comment"], kept["whyNot"], kept["problems"]) == ("admin", "tell the shop", None, [])
    assert (await sender.send("GetWebHookConfigByIdQuery", id=rule["id"]))["commandName"] == "PingQuery"
    assert (await sender.send("GetWebHookDraftListQuery", configId=rule["id"]))["totalCount"] == 1
    live = await sender.send("PublishWebHookDraftCommand", id=kept["id"], revision=1)
    assert (live["commandName"], live["revision"]) == ("PublishEventCommand", 2)
    known = sender.routes.by_id(rule["id"])
    assert known is not None
    assert known.fields.command_name == "PublishEventCommand"
    assert isinstance(await refusal(sender, "GetWebHookDraftByIdQuery", id=kept["id"]), NotFound)
    newest = (await sender.send("GetWebHookConfigHistoryQuery", id=rule["id"]))["items"][0]
    assert (newest["comment"], newest["draftedBy"], newest["author"]) == ("tell the shop", "admin", "admin")


async def test_a_draft_of_a_new_rule(sender: MessageSender) -> None:
    """A draft with a key becomes a rule of its own; until then nothing answers."""
    kept = await draft(sender, key="new")
    assert (kept["configId"], kept["liveRevision"], sender.routes.find("orders")) == (None, None, None)
    live = await sender.send("PublishWebHookDraftCommand", id=kept["id"], revision=1)
    assert (live["key"], live["revision"]) == ("new", 1)
    assert sender.routes.find("orders") is not None
    again = await refusal(sender, "CreateWebHookDraftCommand", **PUBLISH)
    assert again.errors == ("configId: either it or key is required",)


async def test_what_is_wrong_keeps_a_draft_only_from_being_published(sender: MessageSender) -> None:
    """A draft with a broken script or an unknown command is kept, and says so; publishing refuses it."""
    kept = await draft(sender, key="new", commandName="PingQuerry", parameters=None)
    assert kept["problems"][0].startswith("commandName: no command or query is named")
    refused = await refusal(sender, "PublishWebHookDraftCommand", id=kept["id"], revision=1)
    assert refused.errors == tuple(kept["problems"])
    changed = await sender.send_fields("UpdateWebHookDraftCommand", {"id": kept["id"], **PING, "revision": 1})
    assert (changed["problems"], changed["revision"], changed["comment"]) == ([], 2, "")
    script = {**RULE, "executionType": 2, "executionCode": "return ("}
    broken = await sender.send_fields("UpdateWebHookDraftCommand", {"id": kept["id"], **script})
    assert broken["problems"][0].startswith("executionCode: line 1")


async def test_nobody_publishes_what_they_have_not_seen(sender: MessageSender) -> None:
    """A draft that was saved since, or whose rule was changed since, is refused until somebody looks again."""
    rule = await create(sender)
    kept = await draft(sender, configId=rule["id"])
    await sender.send_fields("UpdateWebHookDraftCommand", {"id": kept["id"], **PUBLISH, "revision": 1})
    stale = await refusal(sender, "UpdateWebHookDraftCommand", id=kept["id"], **PUBLISH, revision=1)
    assert (type(stale), stale.errors) == (Conflict, (draft_messages.CHANGED,))
    stale = await refusal(sender, "PublishWebHookDraftCommand", id=kept["id"], revision=1)
    assert (type(stale), stale.errors) == (Conflict, (draft_messages.CHANGED,))
    await sender.send_fields("UpdateWebHookConfigCommand", {"id": rule["id"], **PING, "description": "other"})
    stale = await refusal(sender, "PublishWebHookDraftCommand", id=kept["id"], revision=2)
    assert stale.errors[0].startswith("the configuration was changed since: its revision is 2, and the draft starts")
    fields = {"id": kept["id"], **PUBLISH, "baseRevision": 2}
    assert (await sender.send_fields("UpdateWebHookDraftCommand", fields))["baseRevision"] == 2
    await sender.send("PublishWebHookDraftCommand", id=kept["id"], revision=3)
    await sender.send("DeleteWebHookConfigCommand", id=rule["id"])
    assert isinstance(await refusal(sender, "CreateWebHookDraftCommand", **PUBLISH, configId=rule["id"]), NotFound)


async def test_a_draft_keeps_the_secrets_of_its_rule(sender: MessageSender) -> None:
    """`***` is the rule's secret when the draft is published, also one of later; a new one is sealed and told about."""
    rule = await create(sender, signature={"scheme": "github", "secret": "secret-one"})
    hidden = {"scheme": "github", "secret": "***"}
    kept = await draft(sender, configId=rule["id"], signature=hidden)
    assert (kept["definition"]["signature"]["secret"], kept["newSecrets"]) == ("***", [])
    rotated = {**PING, "id": rule["id"], "signature": {"scheme": "github", "secret": "secret-two"}}
    await sender.send_fields("UpdateWebHookConfigCommand", rotated)
    fields = {"id": kept["id"], **PUBLISH, "signature": hidden, "baseRevision": 2}
    await sender.send_fields("UpdateWebHookDraftCommand", fields)
    await sender.send("PublishWebHookDraftCommand", id=kept["id"], revision=2)
    assert await secrets(sender, rule["id"]) == ["secret-two"]
    given = await draft(sender, configId=rule["id"], signature={"scheme": "github", "secret": "secret-three"})
    assert (given["newSecrets"], "secret-three" in str(given)) == (["signature.secret"], False)
    fields = {"id": given["id"], **PUBLISH, "signature": hidden}
    changed = await sender.send_fields("UpdateWebHookDraftCommand", fields)
    assert changed["newSecrets"] == ["signature.secret"]
    await sender.send("PublishWebHookDraftCommand", id=given["id"], revision=2)
    assert await secrets(sender, rule["id"]) == ["secret-three"]


async def secrets(sender: MessageSender, config_id: int) -> list[str]:
    """Return the secrets with which a rule verifies."""
    await sender.routes.refresh()
    rule = sender.routes.by_id(config_id)
    assert rule is not None
    assert rule.fields.signature is not None
    return rule.fields.signature.all_secrets


async def test_a_draft_is_tried_and_back_tested(sender: MessageSender) -> None:
    """A dry run and a back-test name the draft by its id; it may not stand beside another configuration."""
    rule = await create(sender)
    kept = await draft(sender, configId=rule["id"])
    tried = await sender.send("TestWebHookConfigCommand", draftId=kept["id"], request={"body": {"a": 1}})
    assert (tried["wouldExecute"], tried["outcome"]["message"]["type"]) == (True, "PublishEventCommand")
    assert (await sender.send("BackTestWebHookConfigCommand", draftId=kept["id"]))["state"] == "done"
    both = await refusal(sender, "TestWebHookConfigCommand", draftId=kept["id"], id=rule["id"], request={"body": 1})
    assert both.errors == ("draftId: can't be set together with id or config",)
    await sender.send("DiscardWebHookDraftCommand", id=kept["id"])
    assert isinstance(await refusal(sender, "DiscardWebHookDraftCommand", id=kept["id"]), NotFound)


async def test_a_published_draft_acts_for_its_author_and_its_publisher(
    sender: MessageSender, alice: Principal, bob: Principal
) -> None:
    """Both are asked at each message, and neither brings more than both might do when they wrote and published it."""
    kept = await draft(sender, alice, key="new")
    live = await sender.send("PublishWebHookDraftCommand", bob, id=kept["id"], revision=1)
    row = await sender.database.read(lambda tx: configs.config_by_id(tx, 1, live["id"]))
    assert row is not None
    assert row.authority is not None
    assert set(row.authority["accounts"]) == {alice.id, bob.id}
    assert (row.author_name, row.authority["within"]) == ("bob", ["*:read", "*:write"])


async def test_who_may_not_do_it_does_not_publish_it(sender: MessageSender, alice: Principal) -> None:
    """A publisher without the permission of the draft's command is refused, and so is a draft whose author lost it."""
    carl = await person(sender, "carl", "operator")
    kept = await draft(sender, alice, key="new")
    refused = await refusal(sender, "PublishWebHookDraftCommand", carl, id=kept["id"], revision=1)
    assert refused.errors == ("commandName: PublishEventCommand needs events:write, which carl does not have",)
    by_carl = await draft(sender, carl, key="more")
    assert by_carl["problems"] == ["commandName: PublishEventCommand needs events:write, which carl does not have"]
    refused = await refusal(sender, "PublishWebHookDraftCommand", alice, id=by_carl["id"], revision=1)
    assert isinstance(refused, Forbidden)
    assert "events:write" in refused.errors[0]
    viewer = await person(sender, "vera", "viewer")
    assert isinstance(await refusal(sender, "PublishWebHookDraftCommand", viewer, id=kept["id"], revision=1), Forbidden)


async def test_a_second_pair_of_eyes(sender: MessageSender, alice: Principal, bob: Principal) -> None:
    """Where the organisation wants it, a rule changes only by a draft that none of its authors publishes."""
    rule = await create(sender)
    await review(sender)
    direct = {"id": rule["id"], **PUBLISH}
    assert (await refusal(sender, "UpdateWebHookConfigCommand", alice, **direct)).errors == (REVIEWED,)
    assert (await refusal(sender, "CreateWebHookConfigCommand", alice, key="x", **PUBLISH)).errors == (REVIEWED,)
    back = {"id": rule["id"], "revision": 1, "present": 1}
    assert (await refusal(sender, "RestoreWebHookConfigCommand", alice, **back)).errors == (REVIEWED,)
    kept = await draft(sender, alice, configId=rule["id"])
    publish = {"id": kept["id"], "revision": 1}
    own = await refusal(sender, "PublishWebHookDraftCommand", alice, **publish)
    assert own.errors == (kept["whyNot"],)
    assert own.errors[0].startswith("you have written this draft yourself")
    machine = Principal("rule", "rule:1", "orders", 1, ADMIN.permissions)
    by_machine = await refusal(sender, "PublishWebHookDraftCommand", machine, **publish)
    assert by_machine.errors == ("a draft of this organisation is published by a person who has signed in",)
    assert (await sender.send("GetWebHookDraftByIdQuery", bob, id=kept["id"]))["whyNot"] is None
    await sender.send("UpdateWebHookDraftCommand", bob, id=kept["id"], **PUBLISH)  # now both have written it
    assert isinstance(await refusal(sender, "PublishWebHookDraftCommand", bob, id=kept["id"], revision=2), Forbidden)
    third = await person(sender, "dora", "admin")
    await sender.send("PublishWebHookDraftCommand", third, id=kept["id"], revision=2)
    await sender.send("DeactivateWebHookConfigCommand", alice, id=rule["id"])  # what stops a rule needs no second one


async def test_nobody_publishes_their_own_draft_by_way_of_a_key(
    sender: MessageSender, alice: Principal, bob: Principal
) -> None:
    """A draft that was written with a key is its owner's, and whoever made the key."""
    await review(sender)
    service = await sender.send("CreateUserCommand", username="ci", kind="service", roles=["admin"])
    made = {"name": "ci", "scopes": ["*:read", "*:write"], "userId": service["id"]}
    key = await sender.send("CreateApiKeyCommand", alice, **made)
    by_key = acting_as(f"key:{key['id']}", "ci/ci", "admin")
    kept = await draft(sender, by_key, key="new")
    assert isinstance(await refusal(sender, "PublishWebHookDraftCommand", alice, id=kept["id"], revision=1), Forbidden)
    assert (await sender.send("PublishWebHookDraftCommand", bob, id=kept["id"], revision=1))["key"] == "new"


async def test_going_back_to_an_earlier_revision(sender: MessageSender) -> None:
    """A rule becomes what it was, with the secrets of now, as a new revision; never over one that nobody saw."""
    rule = await create(sender, signature={"scheme": "github", "secret": "secret-one"})
    other = {**PUBLISH, "id": rule["id"], "signature": {"scheme": "github", "secret": "secret-two"}}
    await sender.send_fields("UpdateWebHookConfigCommand", other)
    back = {"id": rule["id"], "revision": 1}
    assert isinstance(await refusal(sender, "RestoreWebHookConfigCommand", **back, present=1), Conflict)
    live = await sender.send("RestoreWebHookConfigCommand", **back, present=2)
    assert (live["commandName"], live["revision"]) == ("PingQuery", 3)
    assert await secrets(sender, rule["id"]) == ["secret-two"]
    newest = (await sender.send("GetWebHookConfigHistoryQuery", id=rule["id"]))["items"][0]
    assert newest["comment"] == "as at revision 1"
    missing = await refusal(sender, "RestoreWebHookConfigCommand", id=rule["id"], revision=9, present=3)
    assert missing.errors == ("revision: the configuration has no revision 9",)


async def test_drafts_are_an_organisations_own(sender: MessageSender) -> None:
    """Another organisation meets drafts as if they were not there."""
    await sender.add_organizations("Borg")
    kept = await draft(sender, key="new")
    other = stranger()
    for name, fields in {
        "GetWebHookDraftByIdQuery": {},
        "DiscardWebHookDraftCommand": {},
        "UpdateWebHookDraftCommand": PUBLISH,
        "PublishWebHookDraftCommand": {"revision": 1},
    }.items():
        assert isinstance(await refusal(sender, name, other, id=kept["id"], **fields), NotFound)
    tried = {"draftId": kept["id"], "request": {"body": 1}}
    assert isinstance(await refusal(sender, "TestWebHookConfigCommand", other, **tried), NotFound)
    assert (await sender.send("GetWebHookDraftListQuery", other))["totalCount"] == 0


async def test_drafts_are_bounded(sender: MessageSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """An organisation keeps so many drafts, and no more."""
    monkeypatch.setattr(draft_messages, "MOST", 1)
    await draft(sender, key="new")
    refused = await refusal(sender, "CreateWebHookDraftCommand", **PUBLISH, key="more")
    assert refused.errors == ("1 drafts are kept already; publish or discard some",)
