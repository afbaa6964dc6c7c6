"""What the demo does, in order: register the rules, fire, wait until everything is executed, look."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bpm.cli.demo.rules import Secrets, process_definition, rules
from bpm.cli.demo.shots import Shot, github_again, payment_declined, shots
from bpm.client import BusClient, Reply

WAIT_SECONDS = 20
UNSETTLED = ("pending", "running")

REMAINS = {
    "events published": "GetEventListQuery",
    "process instances": "GetProcessInstanceListQuery",
    "tasks that wait for somebody": "GetUserTaskListQuery",
    "accounts at Mono": "GetMonoAccountListQuery",
    "payments through Remita": "GetRemitaPaymentListQuery",
    "collections through Remita": "GetRemitaCollectionListQuery",
}
"""What the requests leave behind, and the query that counts it."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A request, its answer, and the request as the server keeps it."""

    shot: Shot
    reply: Reply
    kept: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that happened; `order` is the history of the large order."""

    rules: list[dict[str, Any]]
    fired: list[Fired]
    order: list[dict[str, Any]]
    remains: dict[str, int]


class Teller:
    """Plays the story against a running server."""

    def __init__(self, client: BusClient, callers: dict[str, BusClient], known: Secrets) -> None:
        """Take a signed-in client, one client for each source address, and the providers' secrets."""
        self._client = client
        self._callers = callers
        self._secrets = known

    async def play(self) -> Story:
        """Do everything and return what happened; raises `ServerRefused`."""
        created = await self._register()
        answered = [(shot, await self._fire(shot)) for shot in shots(self._secrets)]
        github = next(rule for rule in created if rule["key"] == "github")
        await self._client.cmd("DeactivateWebHookConfigCommand", id=github["id"])
        again = github_again(self._secrets)
        answered.append((again, await self._fire(again)))
        order = await self._review()
        payment = payment_declined(self._secrets)
        answered.append((payment, await self._fire(payment)))
        fired = [Fired(shot, reply, await self._kept(reply)) for shot, reply in answered]
        history = await self._client.cmd("GetProcessInstanceHistoryQuery", instanceId=order)
        return Story(created, fired, history["items"], await self._remains())

    async def _review(self) -> int:
        """Complete the review of the large order when its timer has reminded sales; return its instance."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if (await self._client.cmd("GetEventListQuery", event="review.reminded"))["totalCount"]:
                break
            await asyncio.sleep(0.05)
        (task,) = (await self._client.cmd("GetUserTaskListQuery", candidateGroup="sales"))["items"]
        named = {name: task[name] for name in ("instanceId", "waitId")}
        await self._client.cmd("CompleteUserTaskCommand", **named, variables={"approved": True})
        return task["instanceId"]

    async def _register(self) -> list[dict[str, Any]]:
        definition = await self._client.cmd("CreateProcessDefinitionCommand", **process_definition())
        wanted = rules(self._secrets, definition["id"])
        return [await self._client.cmd("CreateWebHookConfigCommand", **rule) for rule in wanted]

    async def _fire(self, shot: Shot) -> Reply:
        return await self._callers[shot.source].request("POST", f"/api/webhooks/{shot.path}", shot.body, shot.headers)

    async def _kept(self, reply: Reply) -> dict[str, Any]:
        """Return the stored request once a worker has done with it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            kept = await self._client.cmd("GetInboundRequestByIdQuery", requestId=reply.headers["x-request-id"])
            if kept["state"] not in UNSETTLED or time.monotonic() > deadline:
                return kept
            await asyncio.sleep(0.05)

    async def _remains(self) -> dict[str, int]:
        return {what: (await self._client.cmd(query, pageSize=1))["totalCount"] for what, query in REMAINS.items()}
