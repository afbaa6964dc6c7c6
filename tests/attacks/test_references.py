"""Nobody but the installation's administrators makes the server read its own variables and files."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bpm.client import BusClient
from bpm.security.references import FOREIGN
from bpm.store import Transaction
from bpm.testing import RunningApp, running_app, until
from router.tables.configs import CONFIGS
from tests.contracts.tenants import PASSWORD, Tenant, tenant

pytestmark = pytest.mark.anyio

CANARY = "hunter2-of-the-server"
RULE = {"path": "drafted", "description": "d", "isEnabled": True, "action": "POST", "executionType": 0}
PING = {**RULE, "commandName": "PingQuery"}
RIGHT = {"headers": {"authorization": f"Bearer {CANARY}"}}
WRONG = {"headers": {"authorization": "Bearer another"}}


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningApp]:
    """A server with secrets in its environment and in a folder."""
    monkeypatch.setenv("SERVERS_SECRET", CANARY)
    (tmp_path / "secret").write_text(CANARY)
    references: Any = {"folder": tmp_path}
    async with running_app(references=references) as running:
        yield running


@pytest.fixture
async def http(app: RunningApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is nobody yet."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://bpm.test") as http:
        yield http


@pytest.fixture
async def borg(app: RunningApp, http: httpx.AsyncClient) -> Tenant:
    """An organisation whose administrator is the attacker."""
    return await tenant(app, http, "Borg")


def bearer(secret: str) -> dict[str, Any]:
    return {**PING, "signature": {"scheme": "bearer", "secret": secret}}


REFERENCES = ("env:SERVERS_SECRET", "env:NOPE", "env:BPM_ADMIN_PASSWORD", "file:secret", "file:/etc/passwd", "file:/no")


async def test_a_tenants_draft_learns_nothing(borg: Tenant) -> None:
    """A dry run gives the same answer for right and wrong guesses, for what is there and what is not."""
    said: set[str] = set()
    for reference in REFERENCES:
        for request in (RIGHT, WRONG):
            view = await borg.client.cmd("TestWebHookConfigCommand", config=bearer(reference), request=request)
            assert not view["verdict"]["passed"]
            said.add(str((view["verdict"], view["problems"])))
        meta = {**PING, "handshake": {"kind": "meta", "verifyToken": reference}}
        query = f"hub.mode=subscribe&hub.verify_token={CANARY}&hub.challenge=1"
        asked = {"method": "GET", "query": query}
        view = await borg.client.cmd("TestWebHookConfigCommand", config=meta, request=asked)
        assert view["handshake"]["status"] == 403
    assert len(said) == 1
    assert FOREIGN in said.pop()


async def test_a_tenants_back_test_and_doctor_learn_nothing(app: RunningApp, borg: Tenant) -> None:
    """Back-tests and explanations of a captured request are refused or say the same."""
    made = await borg.client.cmd("CreateWebHookConfigCommand", key="borgs", **PING)
    await app.hook("drafted", {}, {"x-hub-signature-256": "sha256=" + "0" * 64})
    page = await until(lambda: borg.client.cmd("GetInboundRequestListQuery", state="done"), lambda page: page["items"])
    (kept,), said = page["items"], set[str]()
    for reference in REFERENCES:
        signature = {"scheme": "github", "secret": reference}
        reply = await borg.client.send(
            "ExplainSignatureQuery", {"requestId": kept["requestId"], "signature": signature}
        )
        assert (reply.status, reply.errors) == (403, [f"signature.secret: {FOREIGN}"])
        view = await borg.client.cmd(
            "BackTestWebHookConfigCommand", id=made["id"], config={**PING, "signature": signature}
        )
        said.add(str(view["changed"]))
        saving = {"id": made["id"], **PING, "signature": signature}
        assert (await borg.client.send("UpdateWebHookConfigCommand", saving)).status == 422
    assert len(said) == 1


async def test_a_stored_reference_of_a_tenant_is_not_read(app: RunningApp, borg: Tenant) -> None:
    """A rule that an older version stored refuses every request, and nobody is told more by its explanation."""
    made = await borg.client.cmd("CreateWebHookConfigCommand", key="borgs", **bearer("a-secret-of-its-own"))

    def store_reference(tx: Transaction) -> None:
        definition = bearer("env:SERVERS_SECRET")
        tx.connection.execute(CONFIGS.update().where(CONFIGS.c.id == made["id"]).values(definition=definition))

    await app.app.database.write(store_reference)
    await borg.client.cmd("DeactivateWebHookConfigCommand", id=made["id"])
    await borg.client.cmd("ActivateWebHookConfigCommand", id=made["id"])
    assert (await app.hook("drafted", {}, RIGHT["headers"])).status == 503
    (kept,) = (await borg.client.cmd("GetInboundRequestListQuery", configId=made["id"]))["items"]
    assert (kept["verdict"], FOREIGN in kept["errors"][0]) == ("broken", True)
    view = await borg.client.cmd("TestWebHookConfigCommand", id=made["id"], request=RIGHT)
    assert not view["verdict"]["passed"]


async def test_acting_for_a_tenant_reads_nothing(app: RunningApp, borg: Tenant) -> None:
    """The installation's administrator makes no rule of a tenant that reads the server."""
    fields = {"key": "acted", **bearer("env:SERVERS_SECRET")}
    reply = await app.send("CreateWebHookConfigCommand", fields, {"X-Organization-Id": str(borg.id)})
    assert (reply.status, reply.errors) == (422, [f"secret: {FOREIGN}"])


async def test_only_administrators_refer(app: RunningApp, http: httpx.AsyncClient) -> None:
    """An operator, who may write rules, names nothing of the server, and keeps what an administrator named."""
    await app.cmd("CreateUserCommand", username="op", password=PASSWORD, roles=["operator"])
    operator = BusClient(http)
    await operator.sign_in("op", PASSWORD)
    made = await app.cmd("CreateWebHookConfigCommand", key="kept", **bearer("env:SERVERS_SECRET"))
    assert made["warnings"] == []
    other = bearer("env:HOME")
    for name, fields in (
        ("CreateWebHookConfigCommand", {"key": "ops", **other, "path": "ops"}),
        ("UpdateWebHookConfigCommand", {"id": made["id"], **other}),
        ("TestWebHookConfigCommand", {"config": other, "request": RIGHT}),
        ("BackTestWebHookConfigCommand", {"config": other}),
    ):
        reply = await operator.send(name, fields)
        assert (reply.status, "needs the permission system:write" in reply.errors[0]) == (403, True), name
    kept = {**bearer("env:SERVERS_SECRET"), "description": "changed"}
    assert (await operator.send("UpdateWebHookConfigCommand", {"id": made["id"], **kept})).ok
    assert (await app.hook("drafted", {}, RIGHT["headers"])).status == 200


async def test_a_reference_that_names_nothing_is_told(app: RunningApp) -> None:
    """The administrator who saves it is warned in a sentence that says what is the matter."""
    made = await app.cmd("CreateWebHookConfigCommand", key="lost", **bearer("file:/etc/passwd"))
    assert "BPM_REFERENCES__FOLDER" in made["warnings"][0]
    assert (await app.hook("drafted", {}, RIGHT["headers"])).status == 503
