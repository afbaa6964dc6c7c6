"""What the product does, whichever database it stands on: rules of every type, duplicates, keys, odd text."""

from typing import Any

from bpm.testing import RunningApp, until

BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="contract">
  <process id="approval" isExecutable="true">
    <startEvent id="start"/><sequenceFlow id="a" sourceRef="start" targetRef="add"/>
    <scriptTask id="add" scriptFormat="python"><script>result = variables["payload"]["n"] + 1</script></scriptTask>
    <sequenceFlow id="b" sourceRef="add" targetRef="approve"/><userTask id="approve"/>
    <sequenceFlow id="c" sourceRef="approve" targetRef="end"/><endEvent id="end"/>
  </process>
</definitions>"""

PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "hook.came", "data": "{{payload}}"}}


class ProductContract:
    """Inherit it and offer the fixture `app`: the running application on an empty database."""

    async def test_rules_of_every_type_are_executed(self, app: RunningApp) -> None:
        """A command, a chain, a script and a process are run by a worker, and each request is settled as done."""
        definition = await app.cmd("CreateProcessDefinitionCommand", name="approval", description="t", bpmnXml=BPMN)
        step = {"name": "publish", **PUBLISH}
        await app.rule("native", **PUBLISH)
        await app.rule("chain", executionType=1, commandChain=[step, {**step, "name": "again"}])
        await app.rule("code", executionType=2, executionCode="return {'n': payload['n']}")
        await app.rule("process", executionType=3, processDefinitionId=definition["id"])
        for key in ("native", "chain", "code", "process"):
            assert (await app.hook(key, {"n": 1})).status == 200
        await app.settled()
        states = {request["configKey"]: request["state"] for request in await app.requests()}
        assert states == dict.fromkeys(("native", "chain", "code", "process"), "done")
        assert await events(app, "hook.came") == [{"n": 1}] * 3
        page = await until(lambda: app.cmd("GetUserTaskListQuery"), lambda page: page["items"], seconds=60)
        assert [task["elementId"] for task in page["items"]] == ["approve"]

    async def test_a_request_that_came_before_is_executed_once(self, app: RunningApp) -> None:
        """The provider's id of a delivery decides, whether the second comes later or beside the first."""
        await app.rule("once", deduplication="body:id", **PUBLISH)
        for body in ({"id": "a"}, {"id": "a"}, {"id": "b"}):
            assert (await app.hook("once", body)).status == 200
        await app.settled()
        assert sorted(data["id"] for data in await events(app, "hook.came")) == ["a", "b"]

    async def test_an_idempotency_key_gets_the_first_answer(self, app: RunningApp) -> None:
        """A command sent twice with one key has its effect once."""
        body: dict[str, Any] = {"$type": "PublishEventCommand", "event": "by.key", "data": {}}
        key = {"Idempotency-Key": "k-1", "Authorization": f"Bearer {app.token}"}
        first = await app.request("POST", "/api/bpm/cmd", body, key)
        second = await app.request("POST", "/api/bpm/cmd", body, key)
        assert first.body == second.body
        assert second.headers["idempotent-replay"] == "true"
        assert len(await events(app, "by.key")) == 1

    async def test_a_taken_key_is_a_conflict(self, app: RunningApp) -> None:
        """A violated unique index is told as what it means, and the refused command leaves nothing behind."""
        rule = await app.rule("taken", **PUBLISH)
        again = await app.send("CreateWebHookConfigCommand", {**WHOLE_RULE, "key": "taken"})
        assert again.status == 409
        assert (await app.cmd("GetWebHookConfigListQuery"))["totalCount"] == 1
        fields = {name: value for name, value in WHOLE_RULE.items() if name != "key"}
        changed = await app.cmd("UpdateWebHookConfigCommand", **{**fields, "id": rule["id"], "description": "new"})
        assert changed["description"] == "new"

    async def test_odd_text_is_kept_or_refused(self, app: RunningApp) -> None:
        """A NUL in a body, a query or a path is never our fault to tell and never loses a webhook."""
        await app.rule("odd", **PUBLISH)
        body: dict[str, Any] = {"text": "a\x00b\U0001f600"}
        assert (await app.hook("odd?x=%00", body)).status == 200
        assert (await app.hook("odd%00odd", body)).status == 404
        await app.settled()
        assert await events(app, "hook.came") == [body]
        named = await app.send("PublishEventCommand", {"event": "a\x00b", "data": {}})
        searched = await app.send("GetWebHookConfigListQuery", {"searchText": "a\x00b"})
        looked_up = await app.send("LookupWebHookByKeyCommand", {"key": "a\x00b"})
        assert all(reply.status < 500 for reply in (named, searched, looked_up))

    async def test_an_id_of_a_delivery_may_be_odd_too(self, app: RunningApp) -> None:
        """What duplicates are told by may hold any character."""
        await app.rule("ids", deduplication="body:id", **PUBLISH)
        for _ in range(2):
            assert (await app.hook("ids", {"id": "a\x00b"})).status == 200
        await app.settled()
        assert len(await events(app, "hook.came")) == 1

    async def test_lists_search_and_sort(self, app: RunningApp) -> None:
        """Searching ignores capitals, and pages follow the order asked for."""
        for key in ("Alpha", "beta", "gamma-alpha"):
            await app.rule(key, **PUBLISH)
        found = await app.cmd("GetWebHookConfigListQuery", searchText="ALPHA", sortBy="key", sortDirection="asc")
        assert {item["key"] for item in found["items"]} == {"Alpha", "gamma-alpha"}


WHOLE_RULE = {
    "key": "taken",
    "description": "d",
    "isEnabled": True,
    "path": "elsewhere",
    "action": "POST",
    "executionType": 0,
    **PUBLISH,
}


async def events(app: RunningApp, name: str) -> list[Any]:
    """Return the data of the events with a name."""
    return [item["data"] for item in (await app.cmd("GetEventListQuery", event=name, pageSize=100))["items"]]
