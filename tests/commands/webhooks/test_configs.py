"""Webhook configurations: the eight messages with their texts, and the history."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bpm.errors import Conflict, Forbidden, Invalid, NotFound
from bpm.security.permissions import permissions_of
from bpm.store import Transaction
from router.tables import configs
from tests.commands.sender import ADMIN, MessageSender, stranger

pytestmark = pytest.mark.anyio


def native(key: str = "native", **changes: Any) -> dict[str, Any]:
    fields = {
        "key": key,
        "description": "a rule",
        "isEnabled": True,
        "path": key,
        "action": "POST",
        "executionType": 0,
        "commandName": "PingQuery",
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


PING = {"commandName": "PingQuery"}


def code(source: str, **changes: Any) -> dict[str, Any]:
    return native(commandName=None, executionType=2, executionCode=source, **changes)


async def create(sender: MessageSender, **changes: Any) -> Any:
    return await sender.send_fields("CreateWebHookConfigCommand", native(**changes))


async def refusal(sender: MessageSender, name: str, fields: dict[str, Any], principal: Any = ADMIN) -> Any:
    with pytest.raises((Invalid, Conflict, NotFound, Forbidden)) as raised:
        await sender.send_fields(name, fields, principal)
    return raised.value


async def test_creating_returns_the_whole_configuration(sender: MessageSender) -> None:
    """A new configuration is answered with its id, its fields as sent, its address and when it was created."""
    made = await create(sender, path="/api/webhooks/nibss/payment", labels=["bank"], allowableIPs="10.0.0.0/8, ::1")
    assert made["id"] >= 1
    assert made["path"] == "nibss/payment"
    assert made["url"] == "http://127.0.0.1:8000/api/webhooks/nibss/payment"
    assert (made["key"], made["action"], made["executionType"]) == ("native", "POST", 0)
    assert (made["labels"], made["allowableIPs"], made["revision"]) == (["bank"], "10.0.0.0/8, ::1", 1)
    assert made["createdAt"].endswith("Z")
    assert made["updatedAt"] is None


async def test_a_change_is_live_when_it_is_answered(sender: MessageSender) -> None:
    """The route table knows a new, switched off, moved and deleted configuration as soon as each is answered."""
    made = await create(sender)
    assert sender.routes.find("native") is not None
    await sender.send("DeactivateWebHookConfigCommand", id=made["id"])
    rule = sender.routes.by_id(made["id"])
    assert rule is not None
    assert not rule.enabled
    moved = {**native(path="elsewhere"), "id": made["id"]}
    del moved["key"]
    await sender.send_fields("UpdateWebHookConfigCommand", moved)
    found = sender.routes.find("elsewhere")
    assert found is not None
    await sender.send("DeleteWebHookConfigCommand", id=made["id"])
    assert sender.routes.find("elsewhere") is None
    assert sender.routes.find("native") is None


async def test_every_problem_of_the_fields_is_told_at_once(sender: MessageSender) -> None:
    """Missing, malformed and contradicting fields are all named in one answer."""
    fields = {**native(), "path": "a//b", "action": "FETCH", "executionType": 3, "description": "", "colour": "red"}
    del fields["key"]
    error = await refusal(sender, "CreateWebHookConfigCommand", fields)
    assert error.message == "Validation failed"
    assert "key: Key is required" in error.errors
    for name in ("path", "action", "description", "colour", "processDefinitionId", "commandName"):
        assert any(sentence.startswith(f"{name}: ") for sentence in error.errors), (name, error.errors)


@pytest.mark.parametrize("label", ["shop\n\nother", "a\0b", "\u2028"])
async def test_a_label_is_one_line(sender: MessageSender, label: str) -> None:
    """With a line break in it, a rule was found by labels that it has not; PostgreSQL takes no NUL."""
    error = await refusal(sender, "CreateWebHookConfigCommand", native(path="p", labels=[label]))
    assert error.errors == ("labels[0]: must be one line of printable characters",)


@pytest.mark.parametrize("key", ["", "a b", "a/b", "x" * 101, "ü"])
async def test_a_key_of_other_characters_is_refused(sender: MessageSender, key: str) -> None:
    """A key has 1 to 100 letters, digits, dots, underscores or dashes."""
    error = await refusal(sender, "CreateWebHookConfigCommand", native(key=key, path="p"))
    assert error.errors == ("key: must be 1 to 100 letters, digits, dots, underscores or dashes",)


@pytest.mark.parametrize("chain", [{"commandName": ",".join(["PingQuery"] * 51)}, {"commandChain": [PING] * 51}])
async def test_a_chain_has_at_most_fifty_steps(sender: MessageSender, chain: dict[str, Any]) -> None:
    """A chain that is too long is refused when it is saved, however its commands are written."""
    fields = {**native(executionType=1), "commandName": None, **chain}
    (sentence,) = (await refusal(sender, "CreateWebHookConfigCommand", fields)).errors
    assert "at most 50" in sentence


async def test_everything_that_is_referred_to_is_checked_at_once(sender: MessageSender) -> None:
    """An unknown command, an unknown account and a taken key and path are told together, as a validation error."""
    await create(sender)
    error = await refusal(sender, "CreateWebHookConfigCommand", native(commandName="PingQuerry", runAs="nobody"))
    assert isinstance(error, Invalid)
    assert any(s.startswith("commandName: ") and "did you mean PingQuery" in s for s in error.errors)
    assert "runAs: no enabled user or service account is named 'nobody'" in error.errors
    assert "A webhook configuration with this key already exists" in error.errors
    assert "path: POST native is answered by the configuration 'native' already" in error.errors


async def test_a_taken_key_is_a_conflict(sender: MessageSender) -> None:
    """A second configuration with a key conflicts with the first, in the words that older clients know."""
    await create(sender)
    error = await refusal(sender, "CreateWebHookConfigCommand", native(path="other"))
    assert isinstance(error, Conflict)
    assert error.message == "Validation failed"
    assert error.errors == ("A webhook configuration with this key already exists",)


async def test_a_path_is_unique_per_method(sender: MessageSender) -> None:
    """Paths of one shape collide for one method only, and the other configuration is named."""
    await create(sender, key="first", path="orders/{id}")
    await create(sender, key="second", path="orders/{id}", action="PUT")
    error = await refusal(sender, "CreateWebHookConfigCommand", native("third", path="orders/{number}"))
    assert error.errors == ("path: POST orders/{number} is answered by the configuration 'first' already",)


async def test_another_organisations_configuration_is_not_named(sender: MessageSender) -> None:
    """Keys and addresses are shared by all organisations, but a collision gives no name away."""
    await create(sender, key="secret-key", path="p")
    error = await refusal(sender, "CreateWebHookConfigCommand", native("mine", path="p"), stranger())
    assert error.errors == ("path: this address is taken or overlaps one that is; choose another",)
    error = await refusal(sender, "GetWebHookConfigByIdQuery", {"id": 1}, stranger())
    assert isinstance(error, NotFound)


async def test_of_twenty_at_once_one_wins(sender: MessageSender) -> None:
    """The same key created by twenty clients at once: one configuration, nineteen conflicts."""
    attempts = [sender.send_fields("CreateWebHookConfigCommand", native(path=f"p{n}")) for n in range(20)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    conflicts = [o for o in outcomes if isinstance(o, Conflict)]
    assert len(conflicts) == 19
    assert all(c.errors == ("A webhook configuration with this key already exists",) for c in conflicts)
    assert (await sender.send("GetWebHookConfigListQuery"))["totalCount"] == 1


async def test_the_unique_index_decides_when_a_check_was_too_early(sender: MessageSender) -> None:
    """A row that another process inserted after the check is found by the database, and nothing else is undone."""
    made = await create(sender)

    def insert_again(tx: Transaction) -> tuple[object, object]:
        row = configs.config_by_id(tx, 1, made["id"])
        assert row is not None
        values = {**row.model_dump(exclude={"id"}), "shape": "other"}
        return configs.insert_config(tx, values), configs.config_by_id(tx, 1, made["id"])

    again, first = await sender.database.write(insert_again)
    assert again is None
    assert first is not None


async def test_all_problems_of_a_script_have_their_place(sender: MessageSender) -> None:
    """A script is compiled when saved; each problem is told with line and column."""
    error = await refusal(sender, "CreateWebHookConfigCommand", code("a = ().__class__\nresult = a.__bases__\n"))
    assert isinstance(error, Invalid)
    assert len(error.errors) == 2
    assert error.errors[0].startswith("executionCode: line 1, column ")
    assert error.errors[1].startswith("executionCode: line 2, column ")


@pytest.mark.parametrize(("moment", "warns"), [("2020-01-01T00:00:00Z", True), ("2090-01-01T00:00:00Z", False)])
async def test_a_rule_that_has_expired_when_it_is_saved_says_so(
    sender: MessageSender, moment: str, warns: bool
) -> None:
    made = await create(sender, expiresAt=moment)
    assert ("expiresAt: lies in the past, so no request is answered" in made["warnings"]) is warns


@pytest.mark.parametrize(
    ("path", "segment"),
    [("o/:id", ":id"), ("o/*", "*"), ("o/**", "**"), ("o/$id/x", "$id"), ("o/a:b", None), ("o/{id}", None)],
)
async def test_a_parameter_as_others_write_it_is_told(sender: MessageSender, path: str, segment: str | None) -> None:
    """Such a rule answers one address that nobody calls."""
    warnings = (await create(sender, path=path))["warnings"]
    assert [warning.split()[1] for warning in warnings] == ([segment] if segment else [])


async def test_what_looks_wrong_in_a_script_is_a_warning(sender: MessageSender) -> None:
    """A script that may fail is saved, and the answer says what looks wrong."""
    made = await sender.send_fields("CreateWebHookConfigCommand", code("result = paylod['x']"))
    assert any(w.startswith("executionCode: line 1, column 10: ") and "paylod" in w for w in made["warnings"])


async def test_every_command_of_a_chain_is_checked(sender: MessageSender) -> None:
    """Unknown commands, unknown fields and repeated names in a chain are told with their place."""
    chain = [
        {"name": "a", "commandName": "Nothing"},
        {"name": "b", "commandName": "PingQuery", "parameters": {"x": 1}, "compensation": {"commandName": "Nix"}},
    ]
    fields = native(executionType=1, commandName=None, commandChain=chain)
    error = await refusal(sender, "CreateWebHookConfigCommand", fields)
    places = [sentence.partition(":")[0] for sentence in error.errors]
    assert places == [
        "commandChain[0].commandName",
        "commandChain[1].parameters.x",
        "commandChain[1].compensation.commandName",
    ]
    chain[0]["commandName"] = "PingQuery"
    fields = native(executionType=1, commandName=None, commandChain=[*chain, {**chain[0]}])
    error = await refusal(sender, "CreateWebHookConfigCommand", fields)
    assert error.errors == ("commandChain[2].name: a is the name of an earlier step",)


async def test_a_chain_may_be_named_by_its_commands(sender: MessageSender) -> None:
    """For a chain, `commandName` may hold the names separated by commas, and each is checked."""
    made = await create(sender, executionType=1, commandName="PingQuery, GetWebHookConfigListQuery")
    assert made["commandName"] == "PingQuery, GetWebHookConfigListQuery"
    error = await refusal(
        sender, "CreateWebHookConfigCommand", native("b", executionType=1, commandName="PingQuery,Nothing")
    )
    assert len(error.errors) == 1
    assert error.errors[0].startswith("commandName: no command or query is named 'Nothing'")


async def test_nobody_saves_a_rule_that_may_do_more_than_its_author(sender: MessageSender) -> None:
    """A command or an account beyond the author's permissions is refused when the rule is saved."""
    author = replace(ADMIN, permissions=permissions_of(["operator"]))
    await sender.add_user(username="robot", kind="service", roles=["admin"])
    fields = native(commandName="PublishEventCommand", parameters={"event": "a"})
    error = await refusal(sender, "CreateWebHookConfigCommand", fields, author)
    assert error.errors == ("commandName: PublishEventCommand needs events:write, which admin does not have",)
    error = await refusal(sender, "CreateWebHookConfigCommand", {**fields, "runAs": "robot"}, author)
    assert error.errors == ("runAs: 'robot' may do more than you: *:write",)


async def test_a_rule_keeps_its_authors_permissions(sender: MessageSender) -> None:
    """What the author may do at the moment of saving is stored with the rule, and the account it runs as."""
    await sender.add_user(username="robot", kind="service", roles=["viewer"])
    made = await create(sender, runAs="Robot")
    row = await sender.database.read(lambda tx: configs.config_by_id(tx, 1, made["id"]))
    assert row is not None
    assert (row.author_id, row.permissions, row.run_as_id) == ("user:1", sorted(ADMIN.permissions), "user:1")


async def test_a_secret_is_sealed_and_never_shown(sender: MessageSender) -> None:
    """A secret stands encrypted in the row, as `***` in answers and history, and works in the compiled rule."""
    made = await create(sender, signature={"scheme": "github", "secret": "canary-1"})
    assert made["signature"] == {"scheme": "github", "secret": "***"}
    row = await sender.database.read(lambda tx: configs.config_by_id(tx, 1, made["id"]))
    assert row is not None
    assert row.definition["signature"]["secret"].startswith("v1.")
    history = await sender.send("GetWebHookConfigHistoryQuery", id=made["id"])
    listed = await sender.send("GetWebHookConfigListQuery")
    assert "canary-1" not in f"{history}{listed}"
    rule = sender.routes.by_id(made["id"])
    assert rule is not None
    assert rule.fields.signature is not None
    assert rule.fields.signature.secret == "canary-1"


A, B, C = "secret-of-a", "secret-of-b", "secret-of-c"


@pytest.mark.parametrize(
    ("signature", "changed", "secrets"),
    [
        ({"scheme": "github", "secret": "secret-one"}, {"scheme": "github", "secret": "***"}, ["secret-one"]),
        ({"scheme": "github", "secret": "secret-one"}, {"scheme": "github", "secret": "secret-two"}, ["secret-two"]),
        ({"scheme": "github", "secrets": [A, B]}, {"scheme": "github", "secrets": ["***", C]}, [A, C]),
        ({"scheme": "github", "secrets": [A]}, {"scheme": "github", "secrets": [C, "***"]}, [C, A]),
        ({"scheme": "github", "secret": A}, {"scheme": "github", "secret": C, "secrets": ["***"]}, [C, A]),
        (
            {"scheme": "github", "secret": A, "secrets": [B]},
            {"scheme": "github", "secret": C, "secrets": ["***"]},
            [C, A],
        ),
        (
            {"scheme": "github", "secrets": [{"name": "one", "secret": A}, {"name": "two", "secret": B}]},
            {"scheme": "github", "secret": C, "secrets": [{"name": "two", "secret": "***"}]},
            [C, B],
        ),
        (
            {"scheme": "github", "secret": A, "secrets": [{"name": "old", "secret": B}]},
            {"scheme": "github", "secret": C, "secrets": ["***", {"name": "old", "secret": "***"}]},
            [C, A, B],
        ),
        (
            {"scheme": "standard-webhooks", "secret": "whsec_MTIzMTIzMTIzMTIzMTIzMTIz"},
            {"scheme": "standard-webhooks", "secret": "***"},
            ["whsec_MTIzMTIzMTIzMTIzMTIzMTIz"],
        ),
        ({"scheme": "github", "secret": "env:GITHUB"}, {"scheme": "github", "secret": "env:OTHER"}, ["env:OTHER"]),
    ],
)
async def test_a_redacted_secret_stays_as_it_is(
    sender: MessageSender, signature: dict[str, Any], changed: dict[str, Any], secrets: list[str]
) -> None:
    """An update that sends `***` back keeps the stored secret in its place; anything else replaces it."""
    made = await create(sender, signature=signature)
    fields = {**native(signature=changed), "id": made["id"]}
    del fields["key"]
    await sender.send_fields("UpdateWebHookConfigCommand", fields)
    rule = sender.routes.by_id(made["id"])
    assert rule is not None
    assert rule.fields.signature is not None
    assert rule.fields.signature.all_secrets == secrets


async def test_a_redacted_secret_needs_a_stored_one(sender: MessageSender) -> None:
    """`***` where no secret is stored is refused."""
    fields = native(signature={"scheme": "github", "secret": "***"})
    error = await refusal(sender, "CreateWebHookConfigCommand", fields)
    assert error.errors == ("secret: *** stands for a stored secret, but none is stored; enter it",)


async def test_an_update_replaces_everything_but_the_key(sender: MessageSender) -> None:
    """What is left out of an update is gone, and the revision counts up."""
    made = await create(sender, labels=["a"], rateLimit="5/second")
    fields = {**native(path="q", description="new"), "id": made["id"], "revision": 1}
    del fields["key"]
    updated = await sender.send_fields("UpdateWebHookConfigCommand", fields)
    assert (updated["key"], updated["description"], updated["path"]) == ("native", "new", "q")
    assert (updated["labels"], updated["rateLimit"], updated["revision"]) == ([], None, 2)
    assert updated["updatedAt"] is not None
    error = await refusal(sender, "UpdateWebHookConfigCommand", fields)
    assert isinstance(error, Conflict)
    assert error.errors == ("revision: is 2 by now, not 1; read the configuration again",)


async def test_an_update_can_not_rename(sender: MessageSender) -> None:
    """The key is how its users know it; switching goes by its own messages."""
    made = await create(sender)
    renamed = await refusal(
        sender, "UpdateWebHookConfigCommand", {**native(), "id": made["id"], "key": "other", "isPaused": True}
    )
    assert renamed.errors == (
        "key: is native and never changes; create a configuration with another key",
        "isPaused: is changed by PauseWebHookConfigCommand",
    )


async def test_what_an_answer_shows_can_be_sent_back(sender: MessageSender) -> None:
    """One field of what the query shows is changed, and the rest stays as it was, secrets included."""
    made = await create(sender, signature={"scheme": "github", "secret": "a secret of the tests"}, rateLimit="5/second")
    shown = await sender.send_fields("GetWebHookConfigByIdQuery", {"id": made["id"]})
    changed = await sender.send_fields("UpdateWebHookConfigCommand", {**shown, "description": "another"})
    ours = ("description", "revision", "updatedAt", "warnings")
    assert {**changed, **dict.fromkeys(ours)} == {**shown, **dict.fromkeys(ours)}
    assert (changed["description"], changed["revision"]) == ("another", 2)
    late = await refusal(sender, "UpdateWebHookConfigCommand", {**shown, "description": "too late"})
    assert "revision: is 2 by now" in late.errors[0]


async def test_switching_twice_is_a_conflict(sender: MessageSender) -> None:
    """Activating an active configuration and deactivating an inactive one are refused; the other way works."""
    made = await create(sender)
    error = await refusal(sender, "ActivateWebHookConfigCommand", {"id": made["id"]})
    assert (type(error), error.errors) == (Conflict, ("Configuration is already active",))
    off = await sender.send("DeactivateWebHookConfigCommand", id=made["id"])
    assert (off["id"], off["key"], off["isEnabled"]) == (made["id"], "native", False)
    assert off["deactivatedAt"].endswith("Z")
    error = await refusal(sender, "DeactivateWebHookConfigCommand", {"id": made["id"]})
    assert (type(error), error.errors) == (Conflict, ("Configuration is already inactive",))
    on = await sender.send("ActivateWebHookConfigCommand", id=made["id"])
    assert on["isEnabled"]
    assert (await sender.send("GetWebHookConfigByIdQuery", id=made["id"]))["isEnabled"]


async def test_a_deleted_key_is_free_and_its_history_stays(sender: MessageSender) -> None:
    """After deletion the key can be used again, under a new id, and the old revisions can be read."""
    made = await create(sender)
    gone = await sender.send("DeleteWebHookConfigCommand", id=made["id"])
    assert (gone["id"], gone["key"]) == (made["id"], "native")
    again = await create(sender)
    assert again["id"] > made["id"]
    history = await sender.send("GetWebHookConfigHistoryQuery", id=made["id"])
    assert [(r["revision"], r["change"]) for r in history["items"]] == [(2, "deleted"), (1, "created")]


async def test_every_change_is_a_revision(sender: MessageSender) -> None:
    """The history names change, author and time, the newest first, a page at a time."""
    made = await create(sender)
    await sender.send("DeactivateWebHookConfigCommand", id=made["id"])
    await sender.send("ActivateWebHookConfigCommand", id=made["id"])
    history = await sender.send("GetWebHookConfigHistoryQuery", id=made["id"], pageSize=2)
    assert [r["change"] for r in history["items"]] == ["activated", "deactivated"]
    assert (history["totalCount"], history["hasNextPage"]) == (3, True)
    assert history["items"][1]["definition"]["isEnabled"] is False
    assert history["items"][0]["author"] == "admin"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("DeleteWebHookConfigCommand", "Configuration not found"),
        ("ActivateWebHookConfigCommand", "Configuration not found"),
        ("DeactivateWebHookConfigCommand", "Configuration not found"),
        ("GetWebHookConfigByIdQuery", "No webhook configuration found with the specified ID"),
        ("GetWebHookConfigHistoryQuery", "No webhook configuration found with the specified ID"),
    ],
)
async def test_an_unknown_id_is_not_found(sender: MessageSender, name: str, sentence: str) -> None:
    """Each message refuses an id that does not exist in the words that older clients know."""
    error = await refusal(sender, name, {"id": 999})
    assert (type(error), error.errors) == (NotFound, (sentence,))


async def test_an_update_of_an_unknown_id_is_not_found(sender: MessageSender) -> None:
    """Updating what does not exist says so, also when its fields collide with something."""
    await create(sender)
    fields = {**native(), "id": 999}
    del fields["key"]
    error = await refusal(sender, "UpdateWebHookConfigCommand", fields)
    assert (type(error), error.errors) == (NotFound, ("Configuration not found",))


async def test_a_key_is_looked_up(sender: MessageSender) -> None:
    """A key finds its configuration, no key finds all, an unknown key is not found."""
    made = await create(sender)
    assert (await sender.send("LookupWebHookByKeyCommand", key="native"))["id"] == made["id"]
    everything = await sender.send("LookupWebHookByKeyCommand")
    assert (everything["totalCount"], everything["items"][0]["key"]) == (1, "native")
    error = await refusal(sender, "LookupWebHookByKeyCommand", {"key": "none"})
    assert error.errors == ("No webhook configuration found with the specified key",)


NARROWED: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"a", "b", "c"}),
    ({"isEnabled": False}, {"b"}),
    ({"executionType": 2}, {"c"}),
    ({"label": "blue"}, {"a"}),
    ({"label": "blu"}, set()),
    ({"label": "a%b"}, {"b"}),
    ({"searchText": "Invoices"}, {"b"}),
    ({"searchText": "%"}, set()),
]


@pytest.mark.parametrize(("narrowed", "keys"), NARROWED)
async def test_lists_are_narrowed(sender: MessageSender, narrowed: dict[str, Any], keys: set[str]) -> None:
    """The list is filtered by state, execution type and whole label, and searched by words."""
    await create(sender, key="a", labels=["blue", "red"])
    await create(sender, key="b", isEnabled=False, description="for invoices", labels=["a%b"])
    await sender.send_fields("CreateWebHookConfigCommand", code("result = 1", key="c", path="c"))
    found = await sender.send_fields("GetWebHookConfigListQuery", narrowed)
    assert {item["key"] for item in found["items"]} == keys


async def test_lists_are_sorted_and_paged(sender: MessageSender) -> None:
    """Pages follow one another in the order asked for."""
    for key in ("b", "c", "a"):
        await create(sender, key=key)
    first = await sender.send("GetWebHookConfigListQuery", sortBy="key", sortDirection="asc", pageSize=2, pageNumber=1)
    second = await sender.send("GetWebHookConfigListQuery", sortBy="key", sortDirection="asc", pageSize=2, pageNumber=2)
    assert [i["key"] for i in first["items"] + second["items"]] == ["a", "b", "c"]
    assert (first["totalPages"], second["hasNextPage"]) == (2, False)


async def test_permissions_are_asked_for(sender: MessageSender) -> None:
    """Without webhooks:write nothing is changed, without webhooks:read nothing is shown."""
    nobody = replace(ADMIN, permissions=frozenset[str]())
    for name, fields in (("DeleteWebHookConfigCommand", {"id": 1}), ("GetWebHookConfigByIdQuery", {"id": 1})):
        assert isinstance(await refusal(sender, name, fields, nobody), Forbidden)
