"""Rights do not outlive their maker: each way of `bpm.unattended` is walked, stopped in four ways and mended.

The maker is disabled, loses a permission, loses the API key it was made with, or has its organisation switched off.
The work stops, says why, and goes on once that is mended.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import bpm.bus.later
import bpm.jobs.reconciler
import bpm.process.start_triggers
from bpm.client import BusClient
from bpm.jobs import RetryPolicy
from bpm.testing import RunningApp, WebhookReceiver, running_app, until
from bpm.unattended import WAYS
from tests.attacks.people import END, START, WAIT, Person, deploy, person, task

pytestmark = pytest.mark.anyio

PUBLISH = task("PublishEventCommand", event="done")
SCRIPT = '<scriptTask id="t" scriptFormat="python"><script>send("PublishEventCommand", {"event": "done"})</script>'
HOOK = {"key": "r", "description": "r", "path": "r", "action": "POST", "isEnabled": True, "responseMode": "async"}
NOW = {"attempts": 40, "backoffSeconds": [0.1], "jitter": 0.0}
SECONDS = 15


class Scene:
    """A running application, the maker of what is stopped, and a colleague of the maker's who does the rest."""

    def __init__(self, app: RunningApp, maker: Person, colleague: BusClient, organization_id: int) -> None:
        """Take them; the installation's administrator is the application's own client."""
        self.app, self.maker, self.colleague, self.organization_id = app, maker, colleague, organization_id

    async def done(self) -> int:
        """Return how often the work was done."""
        return (await self.app_events("done"))["totalCount"]

    async def app_events(self, name: str) -> Any:
        """List the organisation's events of a name, also while it is switched off."""
        headers = {"X-Organization-Id": str(self.organization_id)}
        return (await self.app.send("GetEventListQuery", {"event": name}, headers)).data

    async def until_done(self, times: int) -> None:
        """Wait until the work was done so often."""

        async def is_done() -> bool:
            return await self.done() >= times

        await until(is_done, seconds=SECONDS)


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """An organisation whose maker uses an API key, with everything that waits made quick."""
    monkeypatch.setattr(bpm.jobs.reconciler, "SECONDS", 0.1)
    monkeypatch.setattr(bpm.bus.later, "RETRY", RetryPolicy(attempts=61, waits=(0.2,)))
    monkeypatch.setattr(bpm.process.start_triggers, "REFUSED_PAUSE", timedelta(seconds=0.2))
    delivery: Any = {"probe": "off", "allowed_networks": "127.0.0.0/8"}
    async with running_app(tmp_path, delivery=delivery) as app:
        organization = await app.cmd("CreateOrganizationCommand", name="Acme")
        where = {"organizationId": organization["id"]}
        colleague = await app.cmd("CreateUserCommand", username="colleague", kind="service", roles=["admin"], **where)
        maker = await app.cmd("CreateUserCommand", username="maker", kind="service", roles=["admin"], **where)
        keys = [
            await app.cmd("CreateApiKeyCommand", name="ci", userId=user["id"], scopes=["*:read", "*:write"], **where)
            for user in (maker, colleague)
        ]
        clients = [BusClient(app.http, key["key"]) for key in keys]
        who = Person(maker["id"], clients[0], keys[0]["id"])
        yield Scene(app, who, clients[1], organization["id"])


# How each kind of work is made by the maker, and driven once more afterwards by the colleague or by time.


async def rule(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A rule that publishes."""
    publish = {"commandName": "PublishEventCommand", "parameters": {"event": "done"}}
    await scene.maker.client.cmd("CreateWebHookConfigCommand", **HOOK, executionType=0, **publish, retry=NOW)
    return lambda: scene.app.hook("r", {})


async def published_draft(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A rule that the maker wrote as a draft, and the colleague published."""
    publish = {"commandName": "PublishEventCommand", "parameters": {"event": "done"}}
    draft = {**HOOK, "executionType": 0, **publish, "retry": NOW}
    made = await scene.maker.client.cmd("CreateWebHookDraftCommand", **draft)
    await scene.colleague.cmd("PublishWebHookDraftCommand", id=made["id"], revision=1)
    return lambda: scene.app.hook("r", {})


async def chain(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A rule that runs a chain."""
    steps = [{"name": "a", "commandName": "PublishEventCommand", "parameters": {"event": "done"}}]
    await scene.maker.client.cmd("CreateWebHookConfigCommand", **HOOK, executionType=1, commandChain=steps, retry=NOW)
    return lambda: scene.app.hook("r", {})


async def script_send(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A rule that runs a script."""
    code = 'send("PublishEventCommand", {"event": "done"})'
    await scene.maker.client.cmd("CreateWebHookConfigCommand", **HOOK, executionType=2, executionCode=code, retry=NOW)
    return lambda: scene.app.hook("r", {})


def processes(*elements: str) -> Callable[[Scene], Awaitable[Callable[[], Awaitable[Any]]]]:
    """A version by the maker, of which the colleague starts instances and retries what stands still."""

    async def make(scene: Scene) -> Callable[[], Awaitable[Any]]:
        await deploy(scene.maker.client, "job", *elements)
        return lambda: scene.colleague.send("StartProcessInstanceCommand", {"processKey": "job"})

    return make


async def call(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A version by the maker that the colleague's process calls."""
    await deploy(scene.maker.client, "job", START, PUBLISH, END)
    await deploy(scene.colleague, "outer", START, '<callActivity id="c" calledElement="job"/>', END)
    return lambda: scene.colleague.send("StartProcessInstanceCommand", {"processKey": "outer"})


async def throw(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A message thrown by the maker's version, which begins the colleague's process."""
    go = '<messageEventDefinition messageRef="m"/>'
    await deploy(scene.colleague, "receiver", f'<startEvent id="s">{go}</startEvent>', PUBLISH, END)
    thrower = f'<intermediateThrowEvent id="t">{go}</intermediateThrowEvent>'
    await deploy(scene.maker.client, "job", START, thrower, END)
    return lambda: scene.colleague.send("StartProcessInstanceCommand", {"processKey": "job"})


async def timer(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A process of the maker's that begins again and again."""
    cycle = "<timerEventDefinition><timeCycle>R/PT1S</timeCycle></timerEventDefinition>"
    await deploy(scene.maker.client, "job", f'<startEvent id="s">{cycle}</startEvent>', PUBLISH, END)
    return lambda: asyncio.sleep(0)


async def trigger(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A process of the maker's that begins by the colleague's event."""
    await deploy(scene.maker.client, "job", START, PUBLISH, END, triggerEvents=["some.event"])
    return lambda: scene.colleague.send("PublishEventCommand", {"event": "some.event"})


async def migration(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """The colleague's instances, which the maker takes to another of the colleague's versions."""
    old = await deploy(scene.colleague, "job", START, WAIT, END)
    new = await deploy(scene.colleague, "job", START, WAIT, PUBLISH, END)
    waiting: list[int] = []
    for _ in range(2):
        started = await scene.colleague.cmd("StartProcessInstanceCommand", processDefinitionId=old)
        waiting.append(started["instanceId"])
    await scene.maker.client.cmd("MigrateProcessInstancesCommand", fromDefinitionId=old, toDefinitionId=new)
    return lambda: scene.colleague.send("SignalProcessInstanceCommand", {"instanceId": waiting.pop()})


async def correction(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """The colleague's instances, whose variables the maker sets."""
    await deploy(scene.colleague, "job", START, WAIT, PUBLISH, END)
    waiting: list[int] = []
    for _ in range(2):
        started = await scene.colleague.cmd("StartProcessInstanceCommand", processKey="job")
        fields = {"instanceId": started["instanceId"], "variables": {"a": 1}}
        await scene.maker.client.cmd("SetProcessVariablesCommand", **fields)
        waiting.append(started["instanceId"])
    return lambda: scene.colleague.send("SignalProcessInstanceCommand", {"instanceId": waiting.pop()})


async def answer(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """The maker's instances, whose task the colleague completes."""
    await deploy(scene.colleague, "job", START, WAIT, PUBLISH, END)
    waiting: list[int] = []
    for _ in range(2):
        started = await scene.maker.client.cmd("StartProcessInstanceCommand", processKey="job")
        waiting.append(started["instanceId"])
    return lambda: scene.colleague.send("SignalProcessInstanceCommand", {"instanceId": waiting.pop()})


async def replay(scene: Scene) -> Callable[[], Awaitable[Any]]:
    """A request of the maker's rule that the colleague drives again."""
    drive = await rule(scene)
    taken: list[str] = []

    async def again() -> Any:
        if not taken:
            taken.append((await drive()).data["requestId"])
            return None
        return await scene.colleague.send("ReplayInboundRequestCommand", {"requestId": taken[0], "force": True})

    return again


MAKERS: dict[str, Callable[[Scene], Awaitable[Callable[[], Awaitable[Any]]]]] = {
    "rule": rule,
    "published-draft": published_draft,
    "chain": chain,
    "script-send": script_send,
    "step": processes(START, PUBLISH, END),
    "script-task": processes(START, SCRIPT + "</scriptTask>", END),
    "call": call,
    "throw": throw,
    "timer": timer,
    "trigger": trigger,
    "migration": migration,
    "correction": correction,
    "answer": answer,
    "later": trigger,
    "replay": replay,
}
SEPARATELY = {"trial", "transform", "resent", "replayed-as", "bulk"}
"""Ways with tests of their own: below, and in `tests/commands/`, of resending, replaying and bulk jobs."""


def test_every_way_that_asks_somebody_is_walked() -> None:
    """A new row of the table needs a walk."""
    assert {way.name for way in WAYS if way.people} == MAKERS.keys() | SEPARATELY


# How the maker is stopped, and how that is mended.


async def disable(scene: Scene, *, mend: bool) -> None:
    """Disable the account."""
    await scene.colleague.cmd("UpdateUserCommand", id=scene.maker.id, isEnabled=mend)


async def demote(scene: Scene, *, mend: bool) -> None:
    """Take the role away that may publish events and start processes."""
    await scene.colleague.cmd("UpdateUserCommand", id=scene.maker.id, roles=["admin"] if mend else ["viewer"])


async def switch_off(scene: Scene, *, mend: bool) -> None:
    """Switch the organisation off."""
    name = "ActivateOrganizationCommand" if mend else "DeactivateOrganizationCommand"
    await scene.app.cmd(name, id=scene.organization_id)


STOPS = {"disabled": (disable, "'maker' is disabled"), "demoted": (demote, "'maker/ci' does not have")}


async def problems(scene: Scene) -> list[str]:
    """Everything that says why work of the organisation stands still."""
    sent = [
        ("GetInboundRequestListQuery", "errors"),
        ("GetScheduledMessageListQuery", "errors"),
        ("GetProcessDefinitionListQuery", "stopped"),
    ]
    found: list[Any] = []
    for name, field in sent:
        found += [item[field] for item in (await scene.colleague.cmd(name, pageSize=100))["items"]]
    for item in (await scene.colleague.cmd("GetProcessInstanceListQuery", pageSize=100))["items"]:
        whole = await scene.colleague.cmd("GetProcessInstanceByIdQuery", instanceId=item["instanceId"])
        found += [wait["detail"]["message"] for wait in whole["currentTasks"] if wait["kind"] == "incident"]
    return [str(problem) for problem in found if problem]


async def retry(scene: Scene) -> None:
    """Take up every incident again; requests, messages and timers go on by themselves."""
    for item in (await scene.colleague.cmd("GetProcessInstanceListQuery", status="ERROR"))["items"]:
        await scene.colleague.send("RetryIncidentCommand", {"instanceId": item["instanceId"]})


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("way", MAKERS)
async def test_it_stops_and_goes_on(scene: Scene, way: str, stop: str) -> None:
    """What the maker made works; it stops, visibly, when the maker does; mended, it goes on."""
    drive = await MAKERS[way](scene)
    await drive()
    await scene.until_done(1)
    change, sentence = STOPS[stop]
    await change(scene, mend=False)
    before = await scene.done()
    await drive()

    async def is_told() -> bool:
        return any(sentence in problem for problem in await problems(scene))

    await until(is_told, seconds=SECONDS)
    assert await scene.done() == before
    await change(scene, mend=True)
    await retry(scene)
    await scene.until_done(before + 1)


@pytest.mark.parametrize("way", MAKERS)
async def test_it_ends_with_the_key(scene: Scene, way: str) -> None:
    """What was made with a key stops when the key is revoked, though the account may do everything still."""
    drive = await MAKERS[way](scene)
    await drive()
    await scene.until_done(1)
    await scene.colleague.cmd("RevokeApiKeyCommand", id=scene.maker.key_id)
    before = await scene.done()
    await drive()

    async def is_told() -> bool:
        return any("The API key 'ci' was revoked" in problem for problem in await problems(scene))

    await until(is_told, seconds=SECONDS)
    assert await scene.done() == before


async def test_a_switched_off_organisation_rests(scene: Scene) -> None:
    """A timer of an organisation that is switched off begins nothing; switched on, it goes on."""
    await timer(scene)
    await scene.until_done(1)
    await switch_off(scene, mend=False)
    before = await scene.done()
    await asyncio.sleep(1.5)
    assert await scene.done() == before
    await switch_off(scene, mend=True)
    await scene.until_done(before + 1)


async def test_whoever_acts_for_another_organisation_is_asked_for_that(scene: Scene) -> None:
    """An account of the installation made a rule for an organisation; then it may not act for it any more."""
    roles = {"roles": ["publisher"], "permissions": ["webhooks:write", "webhooks:read", "acting:write"]}
    made = await scene.app.cmd("CreateUserCommand", username="helper", kind="service", **roles)
    scopes = ["*:read", "*:write"]
    scopes = ["webhooks:write", "events:write", "acting:write"]
    key = await scene.app.cmd("CreateApiKeyCommand", name="ci", userId=made["id"], scopes=scopes)
    fields = {**HOOK, "executionType": 0, "commandName": "PublishEventCommand", "parameters": {"event": "done"}}
    headers = {"X-Organization-Id": str(scene.organization_id)}
    helper = BusClient(scene.app.http, key["key"])
    assert (await helper.send("CreateWebHookConfigCommand", {**fields, "retry": NOW}, headers)).ok
    await scene.app.hook("r", {})
    await scene.until_done(1)
    await scene.app.cmd("UpdateUserCommand", id=made["id"], permissions=["webhooks:write"])
    await scene.app.hook("r", {})

    async def is_told() -> bool:
        return any("it lacks acting:write" in problem for problem in await problems(scene))

    await until(is_told, seconds=SECONDS)
    assert await scene.done() == 1


async def test_a_trial_of_a_rule_asks_its_people_and_the_tester(scene: Scene) -> None:
    """A dry run does what both the rule and the tester may do now."""
    await rule(scene)
    (config,) = (await scene.colleague.cmd("GetWebHookConfigListQuery"))["items"]
    sample: dict[str, Any] = {"id": config["id"], "request": {"body": {}}}
    assert (await scene.colleague.cmd("TestWebHookConfigCommand", **sample))["outcome"]["ok"]
    await demote(scene, mend=False)
    tried = await scene.colleague.cmd("TestWebHookConfigCommand", **sample)
    assert "events:write" in str(tried["outcome"]["errors"])
    await disable(scene, mend=False)
    tried = await scene.colleague.cmd("TestWebHookConfigCommand", **sample)
    assert "'maker' is disabled" in str(tried)


@pytest.mark.parametrize("stop", STOPS)
async def test_a_transform_asks_who_wrote_its_script(scene: Scene, stop: str) -> None:
    """A delivery whose transform is by somebody who may write no code any more fails with the sentence."""
    async with WebhookReceiver() as receiver:
        fields = {"url": receiver.url, "events": ["*"], "transform": {"script": "result = payload"}}
        await scene.maker.client.cmd("CreateSubscriptionCommand", **fields)
        await scene.colleague.cmd("PublishEventCommand", event="one")
        await until(lambda: _answered(receiver, 1), seconds=SECONDS)
        change, sentence = STOPS[stop]
        await change(scene, mend=False)
        await scene.colleague.cmd("PublishEventCommand", event="two")

        async def is_told() -> bool:
            found = (await scene.colleague.cmd("GetDeliveryListQuery"))["items"]
            return any(sentence.split("/")[0] in str(item["lastError"]) for item in found)

        await until(is_told, seconds=SECONDS)
        await change(scene, mend=True)
        waiting = [i for i in (await scene.colleague.cmd("GetDeliveryListQuery"))["items"] if i["lastError"]]
        await scene.colleague.cmd("RetryDeliveryCommand", id=waiting[0]["id"])
        await until(lambda: _answered(receiver, 2), seconds=SECONDS)


async def _answered(receiver: WebhookReceiver, count: int) -> bool:
    return len(receiver.requests) >= count


async def test_a_message_that_died_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead beginning of a process is listed with its cause, and goes on by `RetryScheduledMessageCommand`."""
    monkeypatch.setattr(bpm.bus.later, "RETRY", RetryPolicy(attempts=1, waits=()))
    async with running_app(tmp_path) as app:
        maker = await person(app, "maker", "admin")
        await deploy(maker.client, "job", START, PUBLISH, END, triggerEvents=["some.event"])
        await app.cmd("DisableUserCommand", id=maker.id)
        await app.cmd("PublishEventCommand", event="some.event")
        page = await until(
            lambda: app.cmd("GetScheduledMessageListQuery", state="dead"), lambda page: page["items"], seconds=SECONDS
        )
        dead = page["items"]
        assert dead[0]["errors"] == ["The account 'maker' is disabled"]
        await app.cmd("UpdateUserCommand", id=maker.id, isEnabled=True)
        await app.cmd("RetryScheduledMessageCommand", id=dead[0]["id"])
        await until(lambda: app.cmd("GetEventListQuery", event="done"), lambda page: page["items"], seconds=SECONDS)
        again = await app.send("RetryScheduledMessageCommand", {"id": dead[0]["id"]})
        assert (again.status, again.errors) == (409, ["The message is sent; only one that is dead can be retried"])
