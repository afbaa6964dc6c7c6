"""A configuration as files over the bus: what a plan says is what is done, all of it or nothing."""

import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bpm.client import BusClient
from bpm.testing import RunningApp, running_app
from tests.contracts.tenants import BPMN, DMN, FORM

pytestmark = pytest.mark.anyio

PASSWORD = "Correct-horse-battery-9"
KEYS = "abcdefgh"
MODELS = {
    "process": ("processes", "bpmn", BPMN.replace("stop", "VERSION")),
    "decision": ("decisions", "dmn", DMN.replace(">5<", ">VERSION<")),
    "form": ("forms", "form", FORM.replace('"key": "kingfisher"', '"key": "field_VERSION"')),
}
"""Where each kind of model lies, and what is in it."""


@pytest.fixture(scope="module")
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as app:
        yield app


def rule(key: str, **more: Any) -> dict[str, Any]:
    usual = {"kind": "rule", "key": key, "description": key, "isEnabled": True, "path": key, "action": "POST"}
    return {**usual, "executionType": 0, "commandName": "PingQuery", **more}


async def plan(app: BusClient, parts: list[Any], files: dict[str, str] | None = None, **more: Any) -> Any:
    return await app.cmd("PlanConfigurationQuery", parts=parts, files=files or {}, **more)


async def apply(app: BusClient, parts: list[Any], files: dict[str, str] | None = None, **more: Any) -> Any:
    fields = {"parts": parts, "files": files or {}, **more}
    base = (await app.cmd("PlanConfigurationQuery", **fields))["base"]
    return await app.cmd("ApplyConfigurationCommand", **fields, base=base)


async def exported(app: BusClient, label: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The rules with a label, by key, and every file."""
    found = await app.cmd("ExportConfigurationQuery", label=label)
    return {part["key"]: part for part in found["parts"] if part["kind"] == "rule"}, found["files"]


def store(chance: random.Random, label: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Some rules that have a label, and their scripts: what a store may hold."""
    parts: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    for letter in chance.sample(KEYS, chance.randrange(len(KEYS))):
        key = f"{label}-{letter}"
        part = rule(
            key, path=f"{label}/{letter}/{chance.randrange(2)}", labels=[label], description=f"{chance.random()}"
        )
        if chance.random() < 0.4:
            del part["commandName"]
            part |= {"executionType": 2, "script": f"rules/{key}.py"}
            files[part["script"]] = f"result = {chance.randrange(3)}\n"
        elif chance.random() < 0.5:
            data = {"n": "{{payload.n}}", "texts": ["yes", "1e3", "", None, 1.50]}
            part |= {"commandName": "PublishEventCommand", "parameters": {"event": "a.b", "data": data}}
        parts.append(part)
    return parts, files


def models(chance: random.Random, label: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A process, a decision and a form, or some of them, each in one of three versions."""
    parts: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    for kind, (folder, ending, text) in MODELS.items():
        if chance.random() < 0.7:
            key, version = f"{label}-{kind}", chance.randrange(3)
            parts.append({"kind": kind, "key": key, "file": f"{folder}/{key}.{ending}"})
            files[parts[-1]["file"]] = text.replace("kingfisher", key).replace("VERSION", f"{version}")
    return parts, files


@pytest.mark.parametrize("seed", range(8))
async def test_stores_differ_by_their_plan(app: RunningApp, seed: int) -> None:
    """Whatever a store holds: exported and applied it is unchanged, and from one to another leads exactly the plan.

    What a label does not bound, processes, decisions and forms, is made and changed, and never deleted.
    """
    chance, label = random.Random(seed), f"store{seed}"  # noqa: S311 the same each time
    standing: dict[str, str] = {}
    for _ in range(4):
        (parts, files), (drawn, texts_of_models) = store(chance, label), models(chance, label)
        before, _ = await exported(app, label)
        wanted = {part["key"]: part for part in parts}
        sent = {"parts": [*parts, *drawn], "files": {**files, **texts_of_models}, "label": label, "prune": True}
        told = await app.cmd("PlanConfigurationQuery", **sent)
        changes = {change["key"]: change["action"] for change in told["changes"]}
        of_models = {part["key"]: texts_of_models[part["file"]] for part in drawn}
        assert {key: changes.pop(key, None) for key in of_models} == {
            key: "create" if key not in standing else None if standing[key] == text else "update"
            for key, text in of_models.items()
        }
        assert {key for key, action in changes.items() if action == "create"} == wanted.keys() - before.keys()
        assert {key for key, action in changes.items() if action == "delete"} == before.keys() - wanted.keys()
        done = await app.cmd("ApplyConfigurationCommand", **sent, base=told["base"])
        assert done["changes"] == told["changes"]
        standing |= of_models
        after, texts = await exported(app, label)
        assert after == wanted
        assert {name: texts[name] for name in files} == files
        found = await app.cmd("ExportConfigurationQuery", label=label)
        stored = {part["key"]: found["files"][part["file"]] for part in found["parts"] if part["kind"] in MODELS}
        assert standing.items() <= stored.items()
        again = await plan(app, found["parts"], found["files"], label=label, prune=True)
        assert (again["changes"], again["unchanged"]) == ([], len(found["parts"]))


async def test_what_is_named_is_applied_before_what_names_it(app: RunningApp) -> None:
    """A form, a decision, a process that uses both, and a rule that starts it, in one message; then a new version."""
    task = '<userTask id="u" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:formRef="kingfisher"/>'
    files = {"p.bpmn": BPMN.replace('<userTask id="u"/>', task), "d.dmn": DMN, "f.form": FORM}
    started = rule("kingfisher", executionType=3, process="kingfisher")
    del started["commandName"]
    parts: list[dict[str, Any]] = [
        started,
        {"kind": "process", "key": "kingfisher", "file": "p.bpmn"},
        {"kind": "decision", "key": "kingfisher", "file": "d.dmn"},
        {"kind": "form", "key": "kingfisher", "file": "f.form"},
    ]
    done = await apply(app, parts, files)
    assert [change["kind"] for change in done["changes"]] == ["form", "decision", "process", "rule"]
    files["p.bpmn"] = files["p.bpmn"].replace("stop", "halt")
    done = await apply(app, parts, files)
    assert [(change["action"], change["kind"]) for change in done["changes"]] == [
        ("update", "process"),
        ("update", "rule"),
    ]
    row = await app.cmd("LookupWebHookByKeyCommand", key="kingfisher")
    versions = await app.cmd("GetProcessDefinitionListQuery", key="kingfisher")
    newest = versions["items"][0]
    assert (newest["id"], newest["version"]) == (row["processDefinitionId"], 2)
    parts[1]["isActive"] = False
    done = await apply(app, parts, files)
    assert [(change["kind"], [field["field"] for field in change["fields"]]) for change in done["changes"]] == [
        ("process", ["isActive"])
    ]
    assert (await app.cmd("GetProcessDefinitionListQuery", key="kingfisher"))["totalCount"] == 2


async def test_all_or_nothing(app: RunningApp) -> None:
    """One part that the server refuses keeps all from being done; the sentence names it."""
    parts = [rule("whole"), rule("broken", commandName="NoSuchCommand")]
    fields = {"parts": parts, "base": (await plan(app, parts))["base"]}
    reply = await app.send("ApplyConfigurationCommand", fields)
    assert reply.status == 422
    assert reply.errors[0].startswith("rule broken: commandName: no command or query is named 'NoSuchCommand'")
    assert (await app.send("LookupWebHookByKeyCommand", {"key": "whole"})).status == 404


async def test_a_stale_plan_is_refused(app: RunningApp) -> None:
    """If somebody was faster, nothing is done, also when what they did is not among the changes."""
    parts = [rule("raced", labels=["raced"])]
    told = await plan(app, parts, label="raced", prune=True)
    await app.rule("other", commandName="PingQuery", labels=["raced"])
    fields = {"parts": parts, "label": "raced", "prune": True, "base": told["base"]}
    reply = await app.send("ApplyConfigurationCommand", fields)
    assert (reply.status, "make a new plan" in reply.errors[0]) == (409, True)
    assert (await app.send("LookupWebHookByKeyCommand", {"key": "raced"})).status == 404


WRONG: list[tuple[list[Any], dict[str, Any], str]] = [
    ([rule("x"), rule("x")], {}, "rule x: stands in two places"),
    ([rule("x", executionCode="x = 1")], {}, "rule x: executionCode: can't stand in a file; name the script"),
    ([rule("x", script="away.py")], {}, "rule x: there is no file away.py"),
    ([rule("x")], {"prune": True}, "label: is required with prune"),
    ([rule("x")], {"label": "team"}, "rule x: labels: team must be one of them"),
    ([rule("x", signature={"scheme": "github", "secret": "plain-secret"})], {}, "signature.secret: a secret can't"),
    ([rule("x", parameters={"password": "plain-secret"})], {}, "parameters.password: a secret can't stand in a file"),
    ([{"kind": "form", "key": "other", "file": "f.form"}], {"files": {"f.form": FORM}}, "holds no form of this id"),
    ([rule("x", process="none", executionType=3, commandName=None)], {}, "there is no process none"),
]


@pytest.mark.parametrize(("parts", "more", "sentence"), WRONG, ids=[each[2][:30] for each in WRONG])
async def test_what_can_not_be_applied_is_said(
    app: RunningApp, parts: list[Any], more: dict[str, Any], sentence: str
) -> None:
    """With the part that it is about, and no secret in the sentence."""
    reply = await app.send("PlanConfigurationQuery", {"parts": parts, **more})
    if reply.ok:
        reply = await app.send("ApplyConfigurationCommand", {"parts": parts, **more, "base": reply.data["base"]})
    assert reply.status == 422, reply.body
    assert any(sentence in error for error in reply.errors), reply.errors
    assert "plain-secret" not in str(reply.body)


async def test_stored_secrets_stay(app: RunningApp) -> None:
    """They are exported as stars, and stars keep them."""
    secret = {"scheme": "github", "secret": "a-secret-of-the-store"}
    await app.rule("starred", commandName="PingQuery", labels=["starred"], signature=secret)
    found, _ = await exported(app, "starred")
    part: dict[str, Any] = {**found["starred"], "description": "changed"}
    assert part["signature"]["secret"] == "***"
    done = await apply(app, [part])
    assert [field["field"] for field in done["changes"][0]["fields"]] == ["description"]
    assert (await app.hook("starred", {})).status == 401


async def test_rights_are_those_of_each_part(app: RunningApp) -> None:
    """Who may write rules alone sees and changes these alone, and no script or command beyond their own rights."""
    async with httpx.AsyncClient(transport=app.http._transport, base_url="http://bpm.test") as http:  # pyright: ignore[reportPrivateUsage]
        scoped = await app.cmd("CreateApiKeyCommand", name="files", scopes=["webhooks:write", "webhooks:read"])
        someone = BusClient(http, scoped["key"])
        assert (await someone.cmd("ExportConfigurationQuery"))["leftOut"] == ["decision", "form", "process"]
        form = [{"kind": "form", "key": "kingfisher", "file": "f.form"}]
        reply = await someone.send("PlanConfigurationQuery", {"parts": form, "files": {"f.form": FORM}})
        assert reply.status == 403
        script = rule("scripted", executionType=2, script="s.py")
        del script["commandName"]
        fields = {"parts": [script], "files": {"s.py": "result = 1\n"}}
        base = (await someone.cmd("PlanConfigurationQuery", **fields))["base"]
        reply = await someone.send("ApplyConfigurationCommand", {**fields, "base": base})
        assert (reply.status, "code:write" in str(reply.errors)) == (422, True)
        viewer = await app.cmd("CreateApiKeyCommand", name="viewer", scopes=["webhooks:read"])
        someone.token = viewer["key"]
        assert (await someone.send("PlanConfigurationQuery", {"parts": [rule("x")]})).status == 403
        assert (await someone.cmd("ExportConfigurationQuery"))["parts"] == []


async def test_a_rule_says_that_it_is_as_files_say(app: RunningApp) -> None:
    """Also one that the files leave as it was; whoever changes it otherwise takes the mark away, and the files back."""
    part = rule("kept", labels=["kept"])
    own = await app.cmd("CreateWebHookConfigCommand", **{name: each for name, each in part.items() if name != "kind"})
    assert own["appliedAt"] is None

    async def applied_at() -> str | None:
        return (await app.cmd("GetWebHookConfigByIdQuery", id=own["id"]))["appliedAt"]

    await apply(app, [part])
    assert await applied_at() is not None
    await app.cmd("DeactivateWebHookConfigCommand", id=own["id"])
    assert await applied_at() is None
    await apply(app, [part])
    fields = {name: each for name, each in part.items() if name not in ("kind", "key")}
    await app.cmd("UpdateWebHookConfigCommand", id=own["id"], **{**fields, "description": "by hand"})
    assert await applied_at() is None
    await apply(app, [part])
    assert await applied_at() is not None
