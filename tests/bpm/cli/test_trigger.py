"""`bpm trigger` is the provider: what it sends is taken by a rule or a fixed endpoint of a running server."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.cli.exits import ExitStatus
from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-the-tests"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server with the fixed endpoints switched on."""
    fixed = {"BPM_MONO__WEBHOOK_SECRET": SECRET, "BPM_REMITA__ALLOWED_IPS": "127.0.0.1"}
    async with ServerProcess(**fixed) as server:
        yield server


async def trigger(server: ServerProcess, *words: str) -> Any:
    environment = {"BPM_URL": server.url, "HOOK_SECRET": SECRET}
    return await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, ["trigger", *words], env=environment))


async def rule(server: ServerProcess, key: str, **signature: Any) -> None:
    parameters = {"event": f"taken.{key}", "data": {"payload": "{{payload}}"}}
    signature = {"secret": SECRET, **signature}
    await server.rule(key, commandName="PublishEventCommand", parameters=parameters, signature=signature)


@pytest.mark.parametrize("preset", ["paystack", "stripe", "slack", "hubspot-v1", "adyen-platform"])
async def test_a_sample_is_taken_by_a_rule(server: ServerProcess, preset: str) -> None:
    """By its path, whatever is signed; again it is a repetition where the sample has an id."""
    secret = SECRET.encode().hex() if preset == "adyen-platform" else SECRET
    await rule(server, preset, scheme=preset, secret=secret)
    result = await trigger(server, preset, "--secret", secret, "--format", "text")
    assert (result.exit_code, f"POST /api/webhooks/{preset}: 200" in result.output) == (0, True), result.output
    assert [each["verdict"] for each in await server.requests(configKey=preset)] == ["passed"]


async def test_a_wrong_secret_is_refused(server: ServerProcess) -> None:
    """With the server's words and exit status 4."""
    await rule(server, "guarded", scheme="github")
    result = await trigger(server, "github", "--to", "guarded", "--secret", "another-secret")
    assert (result.exit_code, "signature is missing or wrong" in result.output) == (ExitStatus.REFUSED, True)


@pytest.mark.parametrize("words", [("mono", "--secret", "env:HOOK_SECRET"), ("remita",)])
async def test_a_fixed_endpoint_needs_no_rule(server: ServerProcess, words: tuple[str, ...]) -> None:
    """Mono's and Remita's samples come where their providers' do."""
    result = await trigger(server, *words, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, 200), result.output


async def test_a_field_is_set_before_it_is_signed(server: ServerProcess, tmp_path: Path) -> None:
    """Fields of the sample, elements of its lists, and a scheme that is given field by field."""
    await rule(server, "own", scheme="custom", header="X-Sig", hash="sha512")
    body = tmp_path / "body"
    body.write_text('{"data":[{"reference":"T-1"}]}')
    words = ("custom", "header=X-Sig", "hash=sha512", "--to", "own", "--secret", SECRET, "--body", str(body))
    result = await trigger(server, *words, "--set", "data.0.reference=T-2", "--set", "amount=19.99")
    assert result.exit_code == 0, result.output
    await server.settled()
    (event,) = (await server.cmd("GetEventListQuery", event="taken.own"))["items"]
    assert event["data"]["payload"] == {"data": [{"reference": "T-2"}], "amount": 19.99}


@pytest.mark.parametrize(
    ("preset", "place"),
    [
        ("shopify", "headers['x-shopify-topic']"),
        ("stripe", "payload.type"),
        ("gocardless", "payload.events[0].action"),
    ],
)
async def test_an_event_is_named_where_the_provider_writes_it(server: ServerProcess, preset: str, place: str) -> None:
    """In a header, in the body, or in the first of its events, before it is signed."""
    key = f"{preset}-named"
    parameters = {"event": f"taken.{key}", "data": {"name": f"{{{{{place}}}}}"}}
    await server.rule(key, commandName="PublishEventCommand", parameters=parameters)
    result = await trigger(server, preset, "--to", key, "--event", "something.happened")
    assert result.exit_code == 0, result.output
    await server.settled()
    (event,) = (await server.cmd("GetEventListQuery", event=f"taken.{key}"))["items"]
    assert event["data"]["name"] == "something.happened"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("twilio", "--event", "a"), "where twilio writes an event's name is not known"),
        (("strpe",), "do you mean stripe?"),
        (("remita", "--set", "7.rrr=1"), "there is no element 7"),
        (("remita", "--set", "rrr=1"), "there is no field rrr"),
        (("twilio", "--set", "a=1"), "bodies of JSON"),
    ],
)
async def test_what_can_not_be_sent_is_said(server: ServerProcess, words: tuple[str, ...], says: str) -> None:
    """One sentence, and nothing is sent."""
    result = await trigger(server, *words)
    assert (result.exit_code, says in result.output) == (ExitStatus.USAGE, True), result.output
