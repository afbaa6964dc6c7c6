"""What stops work and says nothing about it costs no attempt: a database that is away, an organisation's switch."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import bpm.jobs.reconciler
from bpm.bulk.settlement import BulkSettlement
from bpm.bulk.tables import RunningJob
from bpm.bus import Envelope
from bpm.client import BusClient
from bpm.clock import system_clock
from bpm.errors import SwitchedOff
from bpm.security.permissions import Authority, acting
from bpm.testing import RunningApp, running_app, until
from commands.system.ping import PingQuery
from tests.attacks.people import END, START, deploy, task
from tests.router.probes import ended, released, tries

pytestmark = pytest.mark.anyio

ONCE = {"attempts": 1}
SECONDS = 60
SCRIPT = '<scriptTask id="x" scriptFormat="python"><script>{}</script></scriptTask>'


class Tenant:
    """An organisation, and a client of it."""

    def __init__(self, app: RunningApp, client: BusClient, user_id: int, organization_id: int) -> None:
        """Take them; the installation's administrator is the application's own client."""
        self.app, self.client = app, client
        self.user_id, self.organization_id = user_id, organization_id

    async def rule(self, **fields: Any) -> None:
        """Make a rule whose requests are tried once."""
        rule = {"key": "r", "description": "r", "path": "r", "action": "POST", "isEnabled": True, "retry": ONCE}
        await self.client.cmd("CreateWebHookConfigCommand", **rule, **fields)

    async def process(self, element: str) -> None:
        """Deploy a process that a rule starts."""
        process_id = await deploy(self.client, "job", START, element, END)
        await self.rule(executionType=3, processDefinitionId=process_id)

    async def until_done(self, event: str) -> None:
        """Wait for an event."""

        async def is_done() -> bool:
            return bool((await self.client.cmd("GetEventListQuery", event=event))["totalCount"])

        await until(is_done, seconds=SECONDS)

    async def failures(self) -> list[Any]:
        """Return the requests that were tried more than once or are not done, and the incidents."""

        async def settled() -> list[Any]:
            return (await self.client.cmd("GetInboundRequestListQuery", pageSize=100))["items"]

        requests = await until(settled, lambda rows: all(row["state"] not in ("pending", "running") for row in rows))
        instances = (await self.client.cmd("GetProcessInstanceListQuery", status="ERROR"))["items"]
        return [row for row in requests if (row["state"], row["attempt"]) != ("done", 1)] + instances


@pytest.fixture
async def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    """An organisation on a server that looks often for what waits."""
    monkeypatch.setattr(bpm.jobs.reconciler, "SECONDS", 0.1)
    tries.clear()
    released.clear()
    ended.clear()
    async with running_app(tmp_path, command_packages=("tests.router.probes",)) as app:
        organization = (await app.cmd("CreateOrganizationCommand", name="Acme"))["id"]
        where = {"organizationId": organization}
        user = await app.cmd("CreateUserCommand", username="acme", kind="service", roles=["admin"], **where)
        scopes = ["*:read", "*:write"]
        key = await app.cmd("CreateApiKeyCommand", name="ci", userId=user["id"], scopes=scopes, **where)
        yield Tenant(app, BusClient(app.http, key["key"]), user["id"], organization)


def step(command: str, **parameters: Any) -> dict[str, Any]:
    return {"name": command, "commandName": command, "parameters": parameters}


OUTAGES: dict[str, Callable[[Tenant], Awaitable[None]]] = {
    "command": lambda tenant: tenant.rule(
        executionType=0, commandName="OutageCommand", parameters={"event": "done", "times": 2}
    ),
    "chain": lambda tenant: tenant.rule(
        executionType=1,
        commandChain=[step("NoteCommand", event="begun"), step("OutageCommand", event="done", times=2)],
    ),
    "script": lambda tenant: tenant.rule(
        executionType=2, executionCode='send("OutageCommand", {"event": "done", "times": 2})'
    ),
    "task of a process": lambda tenant: tenant.process(task("OutageCommand", event="done", times="{{2}}")),
    "script of a process": lambda tenant: tenant.process(
        SCRIPT.format('send("OutageCommand", {"event": "done", "times": 2})')
    ),
}


@pytest.mark.parametrize("way", OUTAGES)
async def test_a_database_that_was_away_costs_no_attempt(tenant: Tenant, way: str) -> None:
    """As a server that ends in between: what was accepted is done, however seldom it may be tried."""
    await OUTAGES[way](tenant)
    assert (await tenant.app.hook("r", {})).status == 200
    await tenant.until_done("done")
    assert (tries["done"], await tenant.failures()) == (3, [])


HELD: dict[str, Callable[[Tenant], Awaitable[None]]] = {
    "chain": lambda tenant: tenant.rule(
        executionType=1, commandChain=[step("HoldCommand", event="begun"), step("NoteCommand", event="done")]
    ),
    "script": lambda tenant: tenant.rule(
        executionType=2, executionCode='send("HoldCommand", {"event": "begun"})\nsend("NoteCommand", {"event": "done"})'
    ),
    "script of a process": lambda tenant: tenant.process(
        SCRIPT.format('send("HoldCommand", {"event": "begun"})\nsend("NoteCommand", {"event": "done"})')
    ),
}


@pytest.mark.parametrize("way", HELD)
async def test_work_that_an_organisation_s_switch_breaks_off_goes_on(tenant: Tenant, way: str) -> None:
    """What it was about to do is refused, and done when the organisation is on again."""
    await HELD[way](tenant)
    assert (await tenant.app.hook("r", {})).status == 200
    await until(lambda: _times("begun"), bool)
    await tenant.app.cmd("DeactivateOrganizationCommand", id=tenant.organization_id)
    released["begun"].set()
    await until(_ended, lambda events: "begun" in events)
    await tenant.app.cmd("ActivateOrganizationCommand", id=tenant.organization_id)
    await tenant.until_done("done")
    assert await tenant.failures() == []


async def test_a_row_of_a_bulk_job_waits_with_its_organisation(tenant: Tenant) -> None:
    """It is not refused for good because the switch came while its step was under way."""
    people = Authority(accounts=(f"user:{tenant.user_id}",))
    sender = acting("system", "bulk", "bulk", tenant.organization_id, people)
    await tenant.app.cmd("DeactivateOrganizationCommand", id=tenant.organization_id)
    job = RunningJob("b", tenant.organization_id, "PingQuery", {}, None, "system", "bulk", [], None, "", 0)
    with pytest.raises(SwitchedOff):
        await tenant.app.app.components.bus.execute(
            Envelope(PingQuery(), sender, recorder=BulkSettlement(system_clock, job, 1))
        )


async def _ended() -> set[str]:
    return ended


async def _times(event: str) -> int:
    return tries[event]
