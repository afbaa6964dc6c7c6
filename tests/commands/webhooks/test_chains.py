"""Command chains: one transaction where possible, else step by step with compensations."""

from typing import Any

import pytest

from bpm.errors import BpmError, Conflict, Invalid, NotFound
from tests.commands.sender import MessageSender, stranger

pytestmark = pytest.mark.anyio


def publish(event: str, **more: Any) -> dict[str, Any]:
    return {"commandName": "PublishEventCommand", "parameters": {"event": event}, **more}


def script(source: str, **more: Any) -> dict[str, Any]:
    return {"commandName": "ExecuteCodeCommand", "parameters": {"code": source}, **more}


FAILING = {"name": "bad", "commandName": "GetWebHookConfigByIdQuery", "parameters": {"id": 999}}


async def run(sender: MessageSender, steps: list[dict[str, Any]], **fields: Any) -> Any:
    return await sender.send("ExecuteCommandChainCommand", steps=steps, **fields)


async def failure(sender: MessageSender, steps: list[dict[str, Any]], **fields: Any) -> BpmError:
    with pytest.raises(BpmError) as raised:
        await run(sender, steps, **fields)
    return raised.value


async def events(sender: MessageSender) -> set[str]:
    return {item["event"] for item in (await sender.send("GetEventListQuery", pageSize=100))["items"]}


async def test_steps_see_the_request_and_one_another(sender: MessageSender) -> None:
    """Templates read payload, headers in any case, query, path, the data of named steps and the previous one."""
    ran = await run(
        sender,
        [
            publish("a", name="first"),
            {
                "commandName": "PublishEventCommand",
                "parameters": {
                    "event": "b",
                    "data": {
                        "payload": "{{payload.n}}",
                        "header": "{{headers.X-Trace}}",
                        "query": "{{query.q}}",
                        "path": "{{path.id}}",
                        "first": "{{steps.first.id}}",
                        "previous": "{{previous.event}}",
                    },
                },
            },
        ],
        payload={"n": 7},
        headers={"x-trace": "t"},
        query={"q": "x"},
        path={"id": "5"},
    )
    first, second = ran["steps"]
    assert (first["name"], first["status"], second["name"]) == ("first", "done", "PublishEventCommand")
    assert second["data"]["data"] == {
        "payload": 7,
        "header": "t",
        "query": "x",
        "path": "5",
        "first": first["data"]["id"],
        "previous": "a",
    }


async def test_without_parameters_the_payloads_fields_are_taken(sender: MessageSender) -> None:
    """A step without parameters takes its command's fields from the payload's of the same name."""
    steps = [{"commandName": "PublishEventCommand"}]
    ran = await run(sender, steps, payload={"event": "paid", "data": {"x": 1}, "unknown": True})
    assert (ran["steps"][0]["data"]["event"], ran["steps"][0]["data"]["data"]) == ("paid", {"x": 1})


async def test_a_failing_step_undoes_the_earlier_ones(sender: MessageSender) -> None:
    """Transactional steps are one transaction: nothing of a chain that failed is left, and each outcome is told."""
    error = await failure(sender, [publish("a"), FAILING, publish("c")])
    assert isinstance(error, NotFound)
    assert error.message == "The step bad failed"
    assert list(error.errors) == [
        "steps[1] (bad): No webhook configuration found with the specified ID",
        "steps[0] (PublishEventCommand): undone",
        "steps[2] (PublishEventCommand): not reached",
    ]
    assert await events(sender) == set()


async def test_a_step_may_fail_when_it_says_so(sender: MessageSender) -> None:
    """After a failing step with `onError` `continue` the chain goes on; only that step is undone."""
    ran = await run(sender, [publish("a"), {**FAILING, "onError": "continue"}, publish("c")])
    assert [step["status"] for step in ran["steps"]] == ["done", "failed", "done"]
    assert ran["steps"][1]["errors"] == ["No webhook configuration found with the specified ID"]
    assert await events(sender) == {"a", "c"}


async def test_a_condition_skips_a_step(sender: MessageSender) -> None:
    """A step whose condition does not hold is skipped and leaves no data."""
    steps = [publish("a", when="payload.amount > 100"), publish("b", when="payload.amount <= 100")]
    ran = await run(sender, steps, payload={"amount": 250})
    assert [(step["status"], step["data"] is None) for step in ran["steps"]] == [("done", False), ("skipped", True)]
    assert await events(sender) == {"a"}


async def test_a_missing_value_fails_the_step(sender: MessageSender) -> None:
    """A template that reads what is not there fails its step with the path."""
    error = await failure(sender, [publish("{{payload.name}}")], payload={})
    assert isinstance(error, Invalid)
    assert "payload.name is missing" in error.errors[0]


async def test_a_chain_with_effects_commits_step_by_step(sender: MessageSender) -> None:
    """When a later step fails, earlier ones are compensated the last first; those without stay, and say so."""
    undo = {"commandName": "PublishEventCommand", "parameters": {"event": "undone.{{steps.second.event}}"}}
    error = await failure(
        sender,
        [
            publish("a"),
            publish("b", name="second", compensation=undo),
            script("result = 1", name="third", compensation=publish("undone.{{steps.third.result}}")),
            FAILING,
        ],
    )
    assert list(error.errors[1:]) == [
        "steps[0] (PublishEventCommand): done",
        "steps[1] (second): compensated",
        "steps[2] (third): compensated",
    ]
    listed = await sender.send("GetEventListQuery", sortDirection="asc")
    assert [item["event"] for item in listed["items"]] == ["a", "b", "undone.1", "undone.b"]


async def test_a_compensation_that_fails_is_told(sender: MessageSender) -> None:
    """A compensation that fails does not stop the others and stands among the errors."""
    undo = {"commandName": "GetWebHookConfigByIdQuery", "parameters": {"id": 998}}
    error = await failure(
        sender,
        [
            script("result = 1", name="first", compensation=publish("undone")),
            publish("b", name="second", compensation=undo),
            FAILING,
        ],
    )
    sentence = "steps[1] (second): the compensation failed: No webhook configuration found with the specified ID"
    assert sentence in error.errors
    assert await events(sender) == {"b", "undone"}


async def test_a_chain_tried_again_does_not_repeat_what_succeeded(sender: MessageSender) -> None:
    """A worker's second attempt at a chain with effects takes earlier steps' answers, and tries the failing one."""
    missing = {"commandName": "LookupWebHookByKeyCommand", "parameters": {"key": "late"}}
    fields = {"steps": [publish("a"), script("result = 1"), missing]}
    with pytest.raises(NotFound):
        await sender.attempt("ExecuteCommandChainCommand", fields, "request-1")
    config = {"key": "late", "description": "d", "isEnabled": True, "path": "late", "action": "POST"}
    await sender.send_fields("CreateWebHookConfigCommand", {**config, "executionType": 0, "commandName": "PingQuery"})
    ran = await sender.attempt("ExecuteCommandChainCommand", fields, "request-1")
    assert [step["status"] for step in ran["steps"]] == ["done", "done", "done"]
    assert (await sender.send("GetEventListQuery"))["totalCount"] == 1


async def test_unknown_commands_are_told_at_once(sender: MessageSender) -> None:
    """Every unknown command of a chain is named with the closest ones before anything is sent."""
    steps = [publish("a"), {"commandName": "PingQuerry"}, publish("b", compensation={"commandName": "Nix"})]
    error = await failure(sender, steps)
    assert isinstance(error, Invalid)
    assert error.errors[0].startswith("steps[1].commandName: no command or query is named 'PingQuerry'; did you mean")
    assert error.errors[1].startswith("steps[2].compensation.commandName: no command or query is named 'Nix'")
    assert await events(sender) == set()


async def test_names_stand_once(sender: MessageSender) -> None:
    """Two steps of one name are refused, because `steps.<name>` could mean either."""
    error = await failure(sender, [publish("a", name="x"), publish("b", name="x")])
    assert list(error.errors) == ["steps[1].name: x is the name of an earlier step"]


async def test_every_step_needs_its_own_permission(sender: MessageSender) -> None:
    """Anybody may send a chain, but no step without its command's permission."""
    reader = stranger(permissions=frozenset({"events:read"}))
    ran = await sender.send("ExecuteCommandChainCommand", reader, steps=[{"commandName": "GetEventListQuery"}])
    assert ran["steps"][0]["data"]["totalCount"] == 0
    with pytest.raises(BpmError, match="PublishEventCommand needs the permission events:write"):
        await sender.send("ExecuteCommandChainCommand", reader, steps=[publish("a")])


async def test_a_step_that_conflicts_keeps_its_kind(sender: MessageSender) -> None:
    """The chain's error is of the failing step's kind, so that its status fits."""
    steps = [publish("a", parameters={"event": "a", "idempotencyKey": "k"})]
    await run(sender, steps)
    steps = [publish("b", parameters={"event": "b", "idempotencyKey": "k"})]
    assert isinstance(await failure(sender, steps), Conflict)
