"""Subscriptions that a provider asks to have confirmed: the address is opened once the signature is right."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bpm.errors import Failed, Unavailable
from bpm.signatures import DETAILS
from bpm.testing import RunningApp, running_app
from router.handshakes import HandshakeConfig
from router.subscription_client import SubscriptionClient, check_host
from tests.bpm.events.serving import LOOPBACK, Authority, Serve, saying, serving
from tests.router.conftest import app

__all__ = ["app"]  # the fixture

pytestmark = pytest.mark.anyio

SECRET = "a secret of the tests"
RULE: dict[str, Any] = {
    "commandName": "PublishEventCommand",
    "parameters": {"event": "notified", "data": {"type": "{{payload.Type}}"}},
    "signature": {"scheme": "custom", "header": "X-Sig", "secret": SECRET},
    "retry": {"attempts": 1},
}
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def handshake(port: int) -> dict[str, Any]:
    """That of the preset, with another host."""
    preset = dict(DETAILS["aws-sns"].handshake or {})
    return {**preset, "hosts": [f"127.0.0.1:{port}"]}


def noting(asked: list[bytes], answer: bytes) -> Serve:
    async def serve(reader: Any, writer: Any) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()

    return serve


async def send(app: RunningApp, key: str, signature: str | None = None, **payload: str) -> int:
    body = json.dumps(payload).encode()
    proof = signature or hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-sig": proof, "content-type": "application/json"}
    return (await app.request("POST", f"/api/webhooks/{key}", body, headers)).status


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    found = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.file))
    return found


async def test_a_subscription_is_confirmed_by_itself(authority: Authority) -> None:
    """Only for a right signature and only where it is asked for; the outcome is that of the stored request."""
    asked: list[bytes] = []
    async with (
        serving(noting(asked, DONE), authority.context()) as port,
        running_app(delivery={"allowed_networks": "127.0.0.0/8"}) as app,
    ):
        await app.rule("sns", **RULE, handshake=handshake(port))
        address = f"https://127.0.0.1:{port}/?Action=ConfirmSubscription&Token=t1"
        assert await send(app, "sns", "00" * 32, Type="SubscriptionConfirmation", SubscribeURL=address) == 401
        assert await send(app, "sns", Type="UnsubscribeConfirmation", SubscribeURL=address) == 200
        await app.settled()
        assert asked == []
        assert await send(app, "sns", Type="SubscriptionConfirmation", SubscribeURL=address) == 200
        await app.settled()
        assert [line.split(b"\r\n")[0] for line in asked] == [b"GET /?Action=ConfirmSubscription&Token=t1 HTTP/1.1"]
        newest = (await app.requests(configKey="sns"))[0]
        detail = await app.cmd("GetInboundRequestByIdQuery", requestId=newest["requestId"])
        assert newest["state"] == "done"
        assert "ConfirmSubscriptionCommand succeeded" in str(detail), detail
        events = await app.cmd("GetEventListQuery", event="notified")
        assert [event["data"]["type"] for event in events["items"]] == ["UnsubscribeConfirmation"]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("https://127.0.0.1:1/?Token=t1", "none of the allowed hosts"),
        ("https://sns.eu-west-1.amazonaws.com.example/?Token=t1", "none of the allowed hosts"),
        ("http://127.0.0.1:{port}/", "not https"),
        ("https://127.0.0.1:{port}@example.com/", "none of the allowed hosts"),
        ("https://127.0.0.1:{port}/no", "answered 403"),
    ],
)
async def test_an_address_that_may_not_be_opened_is_a_failure_that_is_seen(
    authority: Authority, address: str, sentence: str
) -> None:
    """The request is dead with its cause; it can be driven again."""
    asked: list[bytes] = []
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    async with (
        serving(noting(asked, refusal), authority.context()) as port,
        running_app(delivery={"allowed_networks": "127.0.0.0/8"}) as app,
    ):
        await app.rule("sns", **RULE, handshake=handshake(port))
        url = address.format(port=port)
        assert await send(app, "sns", Type="SubscriptionConfirmation", SubscribeURL=url) == 200
        await app.settled()
        (request,) = await app.requests(configKey="sns")
        detail = await app.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"])
        assert request["state"] == "dead"
        assert sentence in str(detail), detail
        assert bool(asked) is ("403" in sentence)


@pytest.mark.parametrize("status", [b"500 Oops", b"429 Slow", b"408 Late"])
async def test_what_may_pass_is_tried_again(authority: Authority, status: bytes) -> None:
    """As the retries of the rule say."""
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    async with serving(saying(answer), authority.context()) as port:
        client = SubscriptionClient(LOOPBACK)
        with pytest.raises(Unavailable, match="just now"):
            await client.confirm(f"https://127.0.0.1:{port}/", [f"127.0.0.1:{port}"])


async def test_no_redirect_is_followed_and_no_stranger_is_believed(authority: Authority, tmp_path: Path) -> None:
    """An answer that leads elsewhere confirms nothing, nor does a receiver whose certificate nobody vouches for."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    client = SubscriptionClient(LOOPBACK)
    async with serving(saying(moved), authority.context()) as port:
        with pytest.raises(Failed, match="answered 302"):
            await client.confirm(f"https://127.0.0.1:{port}/", [f"127.0.0.1:{port}"])
    (tmp_path / "other").mkdir()
    async with serving(saying(DONE), Authority(tmp_path / "other").context()) as port:
        with pytest.raises(Unavailable):
            await client.confirm(f"https://127.0.0.1:{port}/", [f"127.0.0.1:{port}"])


def test_only_the_hosts_of_amazon_are_opened() -> None:
    """By the hosts that the preset names."""
    hosts = (DETAILS["aws-sns"].handshake or {})["hosts"]
    check_host("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", hosts)
    check_host("https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription", hosts)
    for wrong in (
        "https://sns.s3.amazonaws.com/",
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://x@sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://[::1",
    ):
        with pytest.raises(Failed):
            check_host(wrong, hosts)


async def test_a_confirmation_needs_a_signature(app: RunningApp) -> None:
    """Else strangers would have any address of those hosts opened."""
    fields = {**RULE, "signature": None, "handshake": handshake(443)}
    with pytest.raises(Exception, match="signature: is required with the handshake confirm"):
        await app.rule("open", **{name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize("lacking", ["when", "address", "hosts"])
def test_a_confirmation_needs_all_its_fields(lacking: str) -> None:
    """And no other handshake has an address."""
    fields = {name: value for name, value in handshake(443).items() if name != lacking}
    with pytest.raises(ValidationError, match="required with the handshake confirm"):
        HandshakeConfig.model_validate(fields)
    with pytest.raises(ValidationError, match="can only be set with the handshake confirm"):
        HandshakeConfig.model_validate({"kind": "slack", "address": "https://a.example"})
