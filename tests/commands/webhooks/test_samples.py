"""A request that is signed for a trial from outside is the provider's, for the rule that it is sent to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.signatures import DETAILS
from bpm.testing import RunningApp, running_app

pytestmark = pytest.mark.anyio

BODY = '{"id": "evt_1", "type": "order.created", "data": {}}'
SHARED = ("github", "stripe", "shopify", "slack", "standard-webhooks", "svix", "basic", "bearer", "paystack", "square")


@pytest.fixture(scope="module")
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as app:
        yield app


async def sign(app: RunningApp, rule: dict[str, Any], secret: str, body: str = BODY, **more: Any) -> Any:
    """Sign for a saved rule, whose own secret is hidden."""
    fields = {"signature": rule["signature"], "secret": secret, "url": rule["url"], "body": body}
    headers = {"Content-Type": "application/json"}
    return await app.cmd("SignSampleRequestQuery", **fields, headers=headers, method="POST", **more)


async def send(app: RunningApp, rule: dict[str, Any], sample: dict[str, Any]) -> int:
    target = f"/api/webhooks/{rule['path']}" + (f"?{sample['query']}" if sample["query"] else "")
    content = sample["body"].encode()
    return (await app.http.request("POST", target, content=content, headers=sample["headers"])).status_code


@pytest.mark.parametrize("scheme", SHARED)
async def test_a_rule_takes_it(app: RunningApp, scheme: str) -> None:
    """By the rule's secret; by another one it is refused as from outside."""
    example = DETAILS[scheme].example
    assert example is not None
    secret = example.secret or "a secret of the tests"
    rule = await app.rule(
        f"signed-{scheme}", commandName="PingQuery", signature={"scheme": scheme, "secret": secret, **example.more}
    )
    assert rule["signature"]["secret"] == "***"
    assert await send(app, rule, await sign(app, rule, secret)) in (200, 202)
    wrong = f"{secret[:-4]}{'AAA=' if secret.endswith('=') else 'else'}"
    assert await send(app, rule, await sign(app, rule, wrong)) == 401


async def test_a_provider_s_own_key_signs(app: RunningApp) -> None:
    """The rule has its public half."""
    example = DETAILS["discord"].example
    assert example is not None
    rule = await app.rule("own-key", commandName="PingQuery", signature={"scheme": "discord", "secret": example.secret})
    assert await send(app, rule, await sign(app, rule, example.private_key)) in (200, 202)


@pytest.mark.parametrize(
    ("signature", "secret", "more", "sentence"),
    [
        ({"scheme": "github", "secret": "***"}, "env:PATH", {}, "write the secret itself"),
        ({"scheme": "github", "secret": "***"}, "file:/etc/passwd", {}, "write the secret itself"),
        ({"scheme": "discord", "secret": "***"}, "no key at all", {}, "a private key in PEM is needed"),
        ({"scheme": "standard-webhooks", "secret": "***"}, "whsec_!", {}, "secret: "),
        ({"scheme": "none"}, "x", {"url": "http://[::"}, "url: must be an address"),
        (
            {"scheme": "custom", "type": "hmac", "secret": "***", "signatureIn": "body:meta.sign"},
            "a secret of the tests",
            {"body": "[]"},
            "the body has no place for meta.sign",
        ),
    ],
)
async def test_what_can_not_be_signed_is_said(
    app: RunningApp, signature: dict[str, Any], secret: str, more: dict[str, Any], sentence: str
) -> None:
    """In a sentence that does not show the secret."""
    fields = {"signature": signature, "secret": secret, "url": "http://bpm.test/api/webhooks/x", "body": BODY, **more}
    with pytest.raises(ServerRefused) as refused:
        await app.cmd("SignSampleRequestQuery", **fields)
    assert sentence in str(refused.value.reply.errors)
    assert secret == "x" or secret not in str(refused.value.reply.body)


async def test_what_is_stored_signs_nothing(app: RunningApp) -> None:
    """Whoever does not know a rule's secret can't have a request signed by it."""
    secret = "a secret of the tests"
    rule = await app.rule("hidden", commandName="PingQuery", signature={"scheme": "github", "secret": secret})
    assert await send(app, rule, await sign(app, rule, "***")) == 401
