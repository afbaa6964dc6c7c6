"""The commands of the pages work as they stand there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from bpm.bus import Registry
from bpm.testing import ServerProcess, WebhookReceiver, until
from bpm.testing.process import free_port
from router.providers import Call, Refusal
from tests.architecture.pages import (
    DOCS,
    README,
    REFERENCE,
    blocks,
    is_like,
    named,
    python_of,
    walk,
    write_package,
)

pytestmark = pytest.mark.anyio


LOOPBACK = {"BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}
RECIPES = {
    "tell-slack.md": "https://hooks.slack.com",
    "call-somebody-with-pagerduty.md": "https://events.pagerduty.com",
    "send-mail.md": "https://api.postmarkapp.com",
    "send-events-to-a-siem.md": "https://splunk.example.com:8088",
}
"""The how-to pages that send events to somebody's service, and where that is."""


@pytest.mark.parametrize(
    "page", [README, *sorted((DOCS / "tutorial").glob("*.md")), DOCS / "how-to" / "watch.md"], ids=named
)
async def test_a_walk_works_as_written(page: Path, tmp_path: Path) -> None:
    """Against a new server every command of the page succeeds and prints what the page shows."""
    async with ServerProcess(**LOOPBACK) as server:
        await walk(page, server, tmp_path, RECEIVER_PORT=str(free_port()))


@pytest.mark.parametrize("name", RECIPES)
async def test_a_recipe_works_as_written(name: str, tmp_path: Path) -> None:
    """A receiver in the place of the service is sent what the page shows."""
    page = DOCS / "how-to" / name
    shown = [json.loads(text) for _, text in blocks(page, "jsonc")]

    def missing() -> list[Any]:
        sent = [request.json() for request in receiver.requests]
        return [one for one in shown if not any(is_like(body, one) for body in sent)]

    async with ServerProcess(**LOOPBACK) as server, WebhookReceiver() as receiver:
        await walk(page, server, tmp_path, (RECIPES[name], receiver.url))
        assert shown
        await until(missing, lambda left: left == [], seconds=60)


@pytest.mark.parametrize("page", [REFERENCE / "dialects.md", REFERENCE / "organizations.md"], ids=named)
async def test_the_requests_work_as_written(page: Path, tmp_path: Path) -> None:
    """The requests of the page work against a server that does not look for their receivers."""
    async with ServerProcess(BPM_DELIVERY__PROBE="off") as server:
        await walk(page, server, tmp_path)


async def test_the_command_of_the_recipe_works_as_written(tmp_path: Path) -> None:
    """The package of the recipe is discovered and answers what the page shows."""
    write_package(DOCS / "how-to" / "write-a-command.md", tmp_path)
    own = {"BPM_COMMAND_PACKAGES": "greetings", "PYTHONPATH": str(tmp_path)}
    async with ServerProcess(**own) as server:
        await walk(DOCS / "how-to" / "write-a-command.md", server, tmp_path, **own)


async def test_the_first_confirmed_payment_works_as_written(tmp_path: Path, httpserver: HTTPServer) -> None:
    """With a double of Remita that was paid what the page says."""
    paid = {"status": "00", "message": "Approved", "amount": 5000, "RRR": "110008236686"}
    httpserver.expect_request(re.compile(r"/2547916/110008236686/\w+/status.reg")).respond_with_json(paid)
    secret = {"BPM_MONO__WEBHOOK_SECRET": "a-secret-of-the-tests"}
    url = httpserver.url_for("")
    remita = {"MERCHANT_ID": "2547916", "API_KEY": "1946", "ALLOWED_IPS": "127.0.0.1", "BASE_URL": url}
    settings = {f"BPM_REMITA__{name}": value for name, value in remita.items()}
    async with ServerProcess(**secret, **settings) as server:
        page = DOCS / "how-to" / "take-remita-and-mono-payments.md"
        await walk(page, server, tmp_path, MONO_WEBHOOK_SECRET=secret["BPM_MONO__WEBHOOK_SECRET"])


def test_the_provider_of_the_recipe_works_as_written() -> None:
    """The module of the recipe recognises its requests, and what it reads is a valid message."""
    module: dict[str, Any] = {}
    exec(python_of(DOCS / "how-to" / "write-a-provider.md"), module)  # noqa: S102 our own page
    (route,) = module["provider"](module["AcmeSettings"](secret=SecretStr("s3cret"))).routes
    call = Call("POST", {"x-acme-secret": "s3cret"}, {}, b'{"shipment": "S-1", "status": "sent"}', "127.0.0.1")
    registry = Registry()
    registry.discover("commands")
    reception = route.read(call)
    assert route.verify(call) is None
    assert route.verify(Call("POST", {}, {}, call.body, call.address))
    assert type(registry.decode(reception.message_type, reception.fields)).__name__ == "PublishEventCommand"
    with pytest.raises(Refusal, match="both are required"):
        route.read(Call("POST", call.headers, {}, b"{}", call.address))
