"""Secrets that have to be used later are of use, and of no use to who reads what is stored."""

import json
from typing import Any

from bpm.testing import RunningApp, running_app
from tests.attacks.test_canaries import TASK
from tests.attacks.test_sender_secrets import everything

SECRET = "canary-kept-4711"
RULE = {"executionType": 0, "commandName": "CreateUserCommand"}


async def can_sign_in(app: RunningApp, name: str) -> bool:
    answer = await app.request("POST", "/api/auth/token", {"username": name, "password": SECRET})
    return answer.status == 200


async def test_a_literal_in_parameters_is_sealed_and_used() -> None:
    """It works, is shown as stars, and stars keep it for the same command only; elsewhere they are refused."""
    async with running_app() as app:
        parameters = {"username": "{{payload.name}}", "password": SECRET}
        made = await app.rule("user", **RULE, parameters=parameters, responseMode="sync")
        chain = [{"commandName": "CreateUserCommand", "parameters": parameters}]
        await app.rule("chain", executionType=1, commandChain=chain, responseMode="sync")
        assert (await app.hook("user", {"name": "one"})).status == 200
        assert (await app.hook("chain", {"name": "two"})).status == 200
        assert await can_sign_in(app, "one")
        assert await can_sign_in(app, "two")
        shown = await app.cmd("GetWebHookConfigByIdQuery", id=made["id"])
        assert shown["parameters"] == {"username": "{{payload.name}}", "password": "***"}
        fields = {name: shown[name] for name in ("description", "isEnabled", "path", "action", "responseMode")}
        update = {"id": made["id"], **fields, **RULE, "parameters": shown["parameters"]}
        await app.cmd("UpdateWebHookConfigCommand", **update)
        assert (await app.hook("user", {"name": "three"})).status == 200
        assert await can_sign_in(app, "three")
        stolen = {"event": "stolen", "data": {"password": "***"}}
        other = {**update, "commandName": "PublishEventCommand", "parameters": stolen}
        refused = await app.send("UpdateWebHookConfigCommand", other)
        assert "none is stored" in refused.body["errors"][0]
        assert SECRET not in await everything(app)


async def test_variables_of_a_process_are_sealed_and_used() -> None:
    """A task gets the value; state, waits, history, audit and views do not show it, and a second step still has it."""
    async with running_app() as app:
        made = await app.cmd("CreateProcessDefinitionCommand", name="task", bpmnXml=TASK)
        variables = {"name": "five", "secretpw": SECRET, "inner": [{"token": SECRET, "pin": 4711}]}
        started = await app.cmd(
            "StartProcessInstanceCommand",
            processDefinitionId=made["id"],
            variables=variables,
            executionMode="Supervised",
        )
        assert await can_sign_in(app, "five")
        shown = await app.cmd("GetProcessInstanceByIdQuery", instanceId=started["instanceId"])
        assert shown["variables"]["inner"] == [{"token": "***", "pin": "***"}]
        seen = await everything(app) + json.dumps(shown)
        seen += json.dumps(await app.cmd("GetProcessInstanceHistoryQuery", instanceId=started["instanceId"]))
        assert SECRET not in seen
        (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
        done = {"instanceId": task["instanceId"], "waitId": task["waitId"], "variables": {"done": True}}
        ended = await app.cmd("CompleteUserTaskCommand", **done)
        assert ended["variables"]["secretpw"] == SECRET  # what a command answers its sender is the sender's


async def test_a_repeated_answer_is_the_first_one() -> None:
    """The answer to an id, a new key in it, is sealed where it is kept and given again as it was."""
    async with running_app() as app:
        parameters: dict[str, Any] = {"name": "k", "scopes": ["webhooks:read"], "userId": 1}
        rule = {"commandName": "CreateApiKeyCommand", "parameters": parameters, "deduplication": "header:x-id"}
        await app.rule("key", **rule, responseMode="sync")
        first, second = [await app.hook("key", {}, {"x-id": "1"}) for _ in range(2)]
        assert first.body == second.body
        key = first.data["key"]
        assert key.startswith("bpm_")
        assert key.rpartition("_")[2] not in await everything(app)


async def test_an_error_repeats_no_secret() -> None:
    """Sentences of scripts, templates and handlers are written down without what the message held."""
    async with running_app() as app:
        raising = "raise ValueError('no: ' + payload['password'])"
        await app.rule("raising", executionType=2, executionCode=raising, responseMode="sync")
        template = {"username": "{{number(payload.password)}}", "password": "x"}
        await app.rule("template", **RULE, parameters=template, responseMode="sync")
        for key in ("raising", "template"):
            assert (await app.hook(key, {"password": SECRET})).status >= 400
        await app.send("CreateUserCommand", {"username": SECRET, "password": SECRET, "roles": [SECRET]})
        assert SECRET not in await everything(app)
