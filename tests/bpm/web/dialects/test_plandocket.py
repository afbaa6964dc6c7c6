"""PlanDocket's interface, against its own documentation."""

import asyncio
import json
import os
import shutil
import sys
from ast import literal_eval
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bpm.app import App
from bpm.testing import ServerProcess, WebhookReceiver
from tests.contracts.dialect import Answer, Caller, DialectContract

pytestmark = pytest.mark.anyio

PAYLOADS = Path(__file__).parents[3] / "payloads"
TENANT = "https://your-tenant.plandocket.com"
SCHEMA: Mapping[str, tuple[type, ...]] = {
    "id": (int,),
    "name": (str,),
    "url": (str,),
    "events": (list,),
    "is_active": (bool,),
    "retry_count": (int,),
    "timeout_seconds": (int,),
    "last_triggered_at": (str, type(None)),
    "last_success_at": (str, type(None)),
    "last_failure_at": (str, type(None)),
    "failure_count": (int,),
    "secret": (str,),
    "created_at": (str,),
}
"""The documented fields of a webhook."""

NEW = {"url": "https://example.com/webhooks", "events": ["invoice.paid", "booth.assigned"]}
LIST = "/api/v1/webhooks"


class TestPlanDocket(DialectContract):
    """`/api/v1/webhooks`."""

    LIST, EVENTS, FAMILY, NEW = LIST, "/api/v1/webhooks/events", "plandocket", NEW
    NO_TOKEN: ClassVar[Mapping[str, Any]] = {"error": "Authorization: must be Bearer and an access token or an API key"}
    WRONG_TOKEN: ClassVar[Mapping[str, Any]] = {"error": "The API key is wrong, expired or revoked"}
    LACKING: ClassVar[Mapping[str, Any]] = {"error": "The API key lacks the scope webhooks"}
    MISSING: ClassVar[Mapping[str, Any]] = {"error": "Webhook not found"}
    ONE = (("GET", "/api/v1/webhooks/{id}", None), ("DELETE", "/api/v1/webhooks/{id}", None))

    def listed(self, answer: Answer) -> list[Any]:
        """The envelope's data."""
        return answer.json["data"]

    def made(self, answer: Answer) -> Any:
        """The envelope's data."""
        return answer.json["data"]

    async def test_the_fields_of_the_documentation(self, owner: Caller) -> None:
        """Created and shown, a webhook has the documented fields and types; in lists it has no secret."""
        made = await owner("POST", LIST, NEW)
        whole = made.json["data"]
        assert list(whole) == list(SCHEMA)
        assert [name for name, types in SCHEMA.items() if type(whole[name]) not in types] == []
        assert (whole["retry_count"], whole["timeout_seconds"], whole["is_active"]) == (3, 30, True)
        shown = await owner("GET", f"{LIST}/{whole['id']}")
        assert shown.json["data"] == whole
        listed = await owner("GET", LIST)
        assert listed.json["data"] == [{name: value for name, value in whole.items() if name != "secret"}]
        for answer in (made, shown, listed):
            assert answer.json["meta"] == {"request_id": f"req_{answer.headers['x-request-id']}"}

    async def test_everything_can_be_chosen(self, owner: Caller) -> None:
        """Every documented parameter is kept; a request id of the caller's comes back."""
        chosen = {"name": "Books", "is_active": False, "retry_count": 0, "timeout_seconds": 5}
        body = {**NEW, **chosen, "headers": {"X-Key": "k"}}
        made = await owner("POST", LIST, body, X_Request_Id="req_abc123")
        assert {name: made.json["data"][name] for name in chosen} == chosen
        assert made.json["meta"] == {"request_id": "req_abc123"}

    async def test_deleting_answers_nothing(self, owner: Caller) -> None:
        """204, and the webhook is gone."""
        made = await self.create(owner)
        answer = await owner("DELETE", f"{LIST}/{made['id']}")
        assert (answer.status, answer.text) == (204, "")
        assert (await owner("GET", LIST)).json["data"] == []

    async def test_the_events(self, owner: Caller) -> None:
        """All 14 are listed, noun by noun, and all can be subscribed to."""
        names = (await owner("GET", self.EVENTS)).json["data"]
        assert len(names) == 14
        nouns = list(dict.fromkeys(name.partition(".")[0] for name in names))
        assert nouns == ["application", "contact", "participant", "invoice", "booth", "service_order"]
        assert (await owner("POST", LIST, {**NEW, "events": names})).status == 201

    @pytest.mark.parametrize(
        ("change", "errors"),
        [
            ({"url": None}, {"url": ["Url is required"]}),
            ({"events": "invoice.paid"}, {"events": ["must be an array"]}),
            ({"retry_count": "3"}, {"retry_count": ["must be an integer"]}),
            ({"is_active": "yes"}, {"is_active": ["must be true or false"]}),
            ({"headers": {"Host": "x"}}, {"headers.Host": ["is set by the delivery itself and can't be chosen"]}),
            ({"colour": "red"}, {"colour": ["is not a known field"]}),
            ({"filter": "true"}, {"filter": ["is not a known field"]}),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, owner: Caller, change: dict[str, Any], errors: dict[str, list[str]]
    ) -> None:
        """Each problem stands under the field it is about."""
        answer = await owner("POST", LIST, {**NEW, **change})
        assert (answer.status, answer.json) == (422, {"error": "Validation failed", "errors": errors})

    async def test_all_problems_are_told_at_once(self, owner: Caller) -> None:
        """Also the one of the second event."""
        body = {"url": "http://example.com/", "events": ["invoice.paid", "a b"], "timeout_seconds": 0}
        answer = await owner("POST", LIST, body)
        assert answer.json["errors"].keys() == {"events.1", "timeout_seconds"}
        answer = await owner("POST", LIST, {**NEW, "events": ["invoice.paid", "task.created"]})
        assert answer.json["errors"].keys() == {"events.1"}

    async def test_the_feature_is_switched_by_organisation(self, app: App, owner: Caller) -> None:
        """Where it is off every address answers 403, until it is on again."""
        await switch(app, webhooks=False)
        for method, path in (("GET", LIST), ("POST", LIST), ("GET", self.EVENTS), ("DELETE", f"{LIST}/1")):
            answer = await owner(method, path)
            assert answer.status == 403
            assert answer.json == {"error": "The feature webhooks is not available to your organization"}
        await switch(app, webhooks=True)
        assert (await owner("GET", LIST)).status == 200


async def switch(app: App, **features: bool) -> None:
    """Switch features of organisation 849."""
    await app.bus.send(app.registry.decode("UpdateOrganizationCommand", {"id": 849, "features": features}))


RECEIVER = """<?php
$expected = 'v1=' . hash_hmac('sha256', getenv('TIMESTAMP') . '.' . getenv('BODY'), getenv('SECRET'));
echo hash_equals($expected, getenv('SIGNATURE')) ? 'true' : 'false';
"""
"""How a receiver in PHP looks at the signature."""


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server that may deliver to loopback."""
    allowed = {"BPM_DELIVERY__PROBE": "off", "BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}
    async with ServerProcess(**allowed) as server:
        yield server


@pytest.fixture
async def key(server: ServerProcess) -> str:
    """An API key with the scope `webhooks`, of an organisation that has a webhook."""
    scopes = ["subscriptions:read", "subscriptions:write", "events:read"]
    key = (await server.cmd("CreateApiKeyCommand", name="sample", scopes=scopes))["key"]
    await server.request("POST", LIST, NEW, {"Authorization": f"Bearer {key}"})
    return key


@pytest.mark.parametrize(
    ("program", "option", "file", "printed"),
    [
        ("bash", "-c", "plandocket_list.sh", json.loads),
        (sys.executable, "-c", "plandocket_list.py.txt", literal_eval),
        ("node", "-e", "plandocket_list.js.txt", None),
        ("php", "-r", "plandocket_list.php.txt", None),
    ],
)
async def test_the_samples_of_the_documentation_run(
    server: ServerProcess, key: str, program: str, option: str, file: str, printed: Callable[[str], Any] | None
) -> None:
    """The documented programs work as they stand, with host and key replaced."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if program == "php" and "curl" not in await run("php", "-m"):
        pytest.skip("php has no curl; make generators installs it")
    text = sample(file, server.url, key)
    code = text.removeprefix("<?php") if program == "php" else as_module(text) if program == "node" else text
    said = await run(program, option, code)
    if printed is None:
        assert "https://example.com/webhooks" in said
        assert "req_" in said
        return
    answer = printed(said)
    listed = await server.request("GET", LIST, None, {"Authorization": f"Bearer {key}"})
    assert answer.keys() == {"data", "meta"}
    assert answer["data"] == listed.body["data"]
    assert answer["meta"]["request_id"].startswith("req_")


async def test_a_receiver_in_php_verifies_the_signature(server: ServerProcess, key: str) -> None:
    """`X-Webhook-Signature` is what PHP's own functions make of timestamp, body and secret."""
    if shutil.which("php") is None:
        pytest.skip("php is not installed")
    async with WebhookReceiver() as receiver:
        body = {"url": receiver.url, "events": ["invoice.paid"]}
        made = await server.request("POST", LIST, body, {"Authorization": f"Bearer {key}"})
        await server.cmd("PublishEventCommand", event="invoice.paid", data={"invoice_id": 1, "name": "Zoë"})
        (request,) = await receiver.wait_for(1)
    said = await run(
        "php",
        "-r",
        RECEIVER.removeprefix("<?php"),
        SECRET=made.body["data"]["secret"],
        BODY=request.body.decode(),
        TIMESTAMP=request.headers["x-webhook-timestamp"],
        SIGNATURE=request.headers["x-webhook-signature"],
    )
    assert said == "true"


def as_module(code: str) -> str:
    """Let a program wait for promises at its top level."""
    return f"(async () => {{ {code} }})()"


def sample(name: str, url: str, key: str) -> str:
    """Return a sample for our server."""
    return (PAYLOADS / name).read_text().replace(TENANT, url).replace("YOUR_API_KEY", key)


async def run(*command: str, **environment: str) -> str:
    """Return what a program prints."""
    program = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 0, complaints.decode()
    return printed.decode()
