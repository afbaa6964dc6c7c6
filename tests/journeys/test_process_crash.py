"""Process instances with timers and user tasks, and a server that is killed in the middle of them."""

import asyncio
import os
from collections import Counter
from typing import Any

import httpx
import pytest

from bpm.testing import ServerProcess
from tests.commands.playing import bpmn

pytestmark = pytest.mark.anyio

INSTANCES = int(os.environ.get("BPM_TEST_INSTANCES", "200"))
"""How many; 10,000 take some minutes."""

CALLERS = 16
MODEL = """start s; and f; user u; catch c: timer PT2S; service pub: PublishEventCommand; and j; end e
s -> f -> u -> j; f -> c -> pub -> j; j -> e"""
MAPPING = """<extensionElements><bpm:command type="PublishEventCommand">
<bpm:parameter name="event">timer.fired</bpm:parameter>
<bpm:parameter name="data">{{ {"reference": reference} }}</bpm:parameter></bpm:command></extensionElements>"""


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Which database the server works on."""
    if request.param == "sqlite":
        return {}
    return {"BPM_DATABASE_URL": request.getfixturevalue("postgres_url"), "BPM_SECRET_KEY": "k" * 32}


async def test_a_killed_server_loses_no_instance_and_advances_none_twice(environment: dict[str, str]) -> None:
    """Killed while instances are started, and again while people complete tasks and timers fire.

    Whoever got no answer asks again: with the same key, which starts no second instance, and about the same
    task, which nobody completes twice. In the end every instance is there once, and each timer fired once.
    """
    source = bpmn(MODEL)
    start = source.index('<serviceTask id="pub">') + len('<serviceTask id="pub">')
    end = source.index("</serviceTask>", start)
    async with ServerProcess(**environment) as server:
        xml = source[:start] + MAPPING + source[end:]
        await server.cmd("CreateProcessDefinitionCommand", name="crash", bpmnXml=xml)
        references = [f"ref-{number}" for number in range(INSTANCES)]
        await Flood(server, start_of, references).run()
        tasks = [item for item in await everything(server, "GetUserTaskListQuery") if item["elementId"] == "u"]
        assert len(tasks) == INSTANCES
        await Flood(server, completion_of, tasks).run()
        await completed(server, INSTANCES)
        instances = await everything(server, "GetProcessInstanceListQuery")
        assert Counter(one["businessKey"] for one in instances) == Counter(references)
        events = await everything(server, "GetEventListQuery", event="timer.fired")
        assert Counter(event["data"]["reference"] for event in events) == Counter(references)
        for one in instances[:: max(1, INSTANCES // 50)]:
            page = await server.cmd("GetProcessInstanceHistoryQuery", instanceId=one["instanceId"])
            done = [entry["elementId"] for entry in page["items"] if entry["event"] == "completed"]
            assert sorted(done) == ["c", "e", "f", "j", "pub", "s", "u"], done


def start_of(reference: str) -> tuple[str, str, dict[str, Any]]:
    """Return how to start the instance of a reference."""
    fields = {"processKey": "p", "businessKey": reference, "variables": {"reference": reference}}
    return f"start-{reference}", "StartProcessInstanceCommand", fields


def completion_of(task: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return how to complete a task."""
    fields = {"instanceId": task["instanceId"], "waitId": task["waitId"], "variables": {"ok": True}}
    return f"do-{task['instanceId']}", "CompleteUserTaskCommand", fields


class Flood:
    """Sends a command for each item, kills the server when a third is answered, and asks again after the restart."""

    def __init__(self, server: ServerProcess, command_of: Any, items: list[Any]) -> None:
        self.server = server
        self.command_of = command_of
        self.items = items
        self.answered = 0
        self.back = asyncio.Event()
        self.back.set()
        self.is_killed = False

    async def run(self) -> None:
        """Send everything until it is answered."""
        waiting = iter(self.items)
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self.send_all(waiting))
        assert self.is_killed

    async def send_all(self, waiting: Any) -> None:
        """Send the next item's command, again and again until there is an answer."""
        for item in waiting:
            key, command, fields = self.command_of(item)
            while not await self.send(key, command, fields):
                await self.back.wait()
            self.answered += 1
            if self.answered >= len(self.items) // 3 and not self.is_killed:
                await self.kill()

    async def send(self, key: str, command: str, fields: dict[str, Any]) -> bool:
        """Send once; False when the server went away meanwhile, or has not forgotten yet that it did.

        Another conflict says that the lost answer was a good one.
        """
        try:
            reply = await self.server.send(command, fields, {"idempotency-key": key})
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            return False
        if self.is_killed and (reply.status in (401, 503) or "is still being processed" in str(reply.errors)):
            await asyncio.sleep(0.2)
            return False
        assert reply.ok or (self.is_killed and reply.status == 409), reply
        return True

    async def kill(self) -> None:
        """Kill the server and start it again."""
        self.is_killed = True
        self.back.clear()
        await self.server.kill()
        await self.server.start()
        await self.server.login()
        self.back.set()


async def everything(server: ServerProcess, query: str, **filters: Any) -> list[dict[str, Any]]:
    """Return every item of a list."""
    items: list[dict[str, Any]] = []
    page = {"hasNextPage": True}
    number = 0
    while page["hasNextPage"]:
        number += 1
        page = await server.cmd(query, pageNumber=number, pageSize=200, **filters)
        items += page["items"]  # type: ignore[arg-type]
    return items


async def completed(server: ServerProcess, count: int) -> None:
    """Wait until every instance has ended."""
    async with asyncio.timeout(60 + count / 50):
        while True:
            page = await server.cmd("GetProcessInstanceListQuery", status="COMPLETED", pageSize=1)
            if page["totalCount"] >= count:
                return
            await asyncio.sleep(0.2)
