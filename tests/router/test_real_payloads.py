"""What providers really send, signed their way by code that is not ours, over a real socket."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import stripe

from bpm.testing import ServerProcess
from tests.payloads import payload
from tests.router.conftest import noting, until

pytestmark = pytest.mark.anyio

Headers = dict[str, str]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the Standard Webhooks specification; other schemes take it as the text it is."""


def digest(secret: str, content: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), content, algorithm).digest()


def by_github(body: bytes, secret: str) -> Headers:
    signature = f"sha256={digest(secret, body).hex()}"
    return {"X-Hub-Signature-256": signature, "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery(body)}


def by_stripe(body: bytes, secret: str) -> Headers:
    moment = int(time.time())
    header = f"t={moment},v1={digest(secret, b'%d.' % moment + body).hex()},v0={'0' * 64}"
    assert stripe.Webhook.construct_event(body, header, secret).type == "checkout.session.completed"
    return {"Stripe-Signature": header}


def by_paystack(body: bytes, secret: str) -> Headers:
    return {"x-paystack-signature": digest(secret, body, "sha512").hex()}


def by_shopify(body: bytes, secret: str) -> Headers:
    signature = base64.b64encode(digest(secret, body)).decode()
    return {"X-Shopify-Hmac-SHA256": signature, "X-Shopify-Topic": "orders/paid", "X-Shopify-Event-Id": delivery(body)}


def by_slack(body: bytes, secret: str) -> Headers:
    moment = int(time.time())
    signature = f"v0={digest(secret, b'v0:%d:' % moment + body).hex()}"
    return {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": str(moment)}


def by_meta(body: bytes, secret: str) -> Headers:
    return {"X-Hub-Signature-256": f"sha256={digest(secret, body).hex()}"}


def by_mono(body: bytes, secret: str) -> Headers:
    return {"mono-webhook-secret": secret}


def by_standard_webhooks(body: bytes, secret: str) -> Headers:
    now, name = datetime.now(UTC), delivery(body)
    signature = standardwebhooks.Webhook(secret).sign(name, now, body.decode())
    return {"webhook-id": name, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


def by_plandocket(body: bytes, secret: str) -> Headers:
    moment = int(time.time())
    signature = f"v1={digest(secret, b'%d.' % moment + body).hex()}"
    return {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": str(moment), "webhook-id": delivery(body)}


def by_flutterwave(body: bytes, secret: str) -> Headers:
    return {"flutterwave-signature": base64.b64encode(digest(secret, body)).decode()}


def delivery(body: bytes) -> str:
    """Return an id that is the same for the same body, as providers repeat a delivery."""
    return hashlib.sha256(body).hexdigest()[:32]


@dataclass(frozen=True)
class Delivery:
    """A payload, how it is signed, what a rule takes from it, and whether its preset knows repetitions."""

    name: str
    sign: Callable[[bytes, str], Headers]
    template: str
    text: str
    is_numbered: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])


DELIVERIES = {
    "github": Delivery(
        "github_push",
        by_github,
        "{{headers.x-github-event}} {{payload.repository.full_name}} {{payload.head_commit.message}}",
        "push obi-works/ledger Round kobo half to even\n\nLes intérêts, “interest”, were off by one. 🎯",
    ),
    "stripe": Delivery(
        "stripe_checkout_session_completed",
        by_stripe,
        "{{payload.data.object.client_reference_id}} {{payload.data.object.amount_total}}"
        " {{payload.data.object.customer_details.address.city}}",
        "order-2026-0311 268642 Zürich",
    ),
    "paystack": Delivery(
        "paystack_charge_success",
        by_paystack,
        "{{payload.data.reference}} {{payload.data.amount}} {{payload.data.metadata.custom_fields[0].value}}",
        "re4lyvq3s3-obi 4033333 INV/2026/7",
        is_numbered=False,
    ),
    "shopify": Delivery(
        "shopify_order",
        by_shopify,
        "{{payload.id}} {{payload.total_price}} {{payload.line_items[1].title}}",
        "820982911946154508 388.00 Hülle “Größe M”",
    ),
    "slack": Delivery("slack_message_event", by_slack, "{{payload.event.user}}", "U2147483697"),
    "meta": Delivery(
        "meta_whatsapp_message",
        by_meta,
        "{{payload.entry[0].changes[0].value.messages[0].text.body}}",
        "¿Dónde está mi pedido? 📦",
        is_numbered=False,
    ),
    "mono": Delivery(
        "mono_direct_debit_payment_successful",
        by_mono,
        "{{payload.event}} {{payload.data.object.amount}}",
        "direct_debit.payment_successful 2500075",
    ),
    "standard-webhooks": Delivery(
        "standard_invoice_paid", by_standard_webhooks, "{{payload.data.customer.name}}", "Zoë Ångström"
    ),
    "plandocket": Delivery("standard_invoice_paid", by_plandocket, "{{payload.type}}", "invoice.paid"),
    "flutterwave-v4": Delivery("standard_invoice_paid", by_flutterwave, "{{payload.type}}", "invoice.paid", False),
}


@pytest.mark.parametrize("scheme", DELIVERIES)
async def test_a_providers_delivery_is_executed_once(server: ServerProcess, scheme: str) -> None:
    """Genuine is executed, once however often it comes; unsigned, wrongly signed or changed on the way is refused."""
    sent, key = DELIVERIES[scheme], f"real-{scheme}"
    parameters = {"event": key, "text": sent.template}
    await noting(server, key, signature={"scheme": scheme, "secret": SECRET}, parameters=parameters)
    body = payload(sent.name)
    genuine = sent.sign(body, SECRET)
    forged = {**genuine, **{name: value for name, value in other(sent, body).items() if "id" not in name.lower()}}
    attempts: list[tuple[bytes, dict[str, str], int]] = [
        (body, {}, 401),
        (body, forged, 401),
        (body, genuine, 200),
        (body, sent.sign(body, SECRET), 200),
    ]
    if scheme != "mono":  # its secret covers no body
        attempts.append((body.replace(b"e", b"3", 1), genuine, 401))
    for content, headers, status in attempts:
        assert (await server.hook(key, content, headers)).status == status, headers
    refused = ["rejected"] * sum(status == 401 for _, _, status in attempts)
    await until(server, key, *refused, "done", "duplicate" if sent.is_numbered else "done")
    events = (await server.cmd("GetEventListQuery", event=key))["items"]
    assert {event["data"]["text"] for event in events} == {sent.text}
    assert len(events) == (1 if sent.is_numbered else 2)


def other(sent: Delivery, body: bytes) -> Headers:
    """Return the headers of somebody who does not know the secret."""
    if sent.sign is by_stripe:
        moment = int(time.time())
        return {"Stripe-Signature": f"t={moment},v1={digest('wrong', b'%d.' % moment + body).hex()}"}
    return sent.sign(body, "whsec_d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc=")


async def test_an_old_delivery_is_refused(server: ServerProcess) -> None:
    """A genuine signature of ten minutes ago is a replay, and says that its timestamp is the reason."""
    await noting(server, "real-old", signature={"scheme": "stripe", "secret": SECRET})
    body, moment = payload("stripe_checkout_session_completed"), int(time.time()) - 600
    signature = f"t={moment},v1={digest(SECRET, b'%d.' % moment + body).hex()}"
    assert (await server.hook("real-old", body, {"Stripe-Signature": signature})).status == 401
    (kept,) = await until(server, "real-old", "rejected")
    assert "timestamp" in kept["errors"][0]


async def test_slack_and_meta_introduce_themselves(server: ServerProcess) -> None:
    """The questions that come before the first delivery are answered in the providers' own form."""
    await noting(
        server, "real-slack-hello", signature={"scheme": "slack", "secret": SECRET}, handshake={"kind": "slack"}
    )
    hello = payload("slack_url_verification")
    answer = await server.hook("real-slack-hello", hello, by_slack(hello, SECRET))
    assert (answer.status, answer.body) == (200, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")
    meta = {"kind": "meta", "verifyToken": "obi-token"}
    await noting(server, "real-meta-hello", signature={"scheme": "meta", "secret": SECRET}, handshake=meta)
    query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=obi-token"
    answer = await server.request("GET", f"/api/webhooks/real-meta-hello?{query}")
    assert (answer.status, answer.body) == (200, "1158201444")


async def test_remitas_array_in_a_rule_of_ones_own(server: ServerProcess) -> None:
    """A rule can take Remita's array with an address list, its RRRs as the id, and the answer Remita insists on."""
    await noting(
        server,
        "real-remita",
        signature={"scheme": "remita"},
        allowableIPs="127.0.0.1",
        response={"status": 200, "contentType": "text/plain", "body": "Ok"},
        parameters={"event": "real-remita", "text": "{{payload[0].rrr}} {{payload[0].amount}}"},
    )
    for _ in range(2):
        answer = await server.hook("real-remita", payload("remita_payments"))
        assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/plain", "Ok")
    await until(server, "real-remita", "done", "duplicate")
    (event,) = (await server.cmd("GetEventListQuery", event="real-remita"))["items"]
    assert event["data"]["text"] == "110-0020-71256 16000.25"


@pytest.mark.parametrize(
    ("path", "name", "headers", "answer", "query"),
    [
        ("mono/callback", "mono_account_updated", by_mono(b"", "mono-canary"), "OK", "GetMonoAccountListQuery"),
        ("mono/callback", "mono_direct_debit_payment_successful", by_mono(b"", "mono-canary"), "OK", None),
        ("remita", "remita_payments", {}, "Ok", "GetRemitaPaymentListQuery"),
        ("remita/collection-notification", "remita_collection_activation", {}, "Ok", "GetRemitaCollectionListQuery"),
        ("remita/collection-notification", "remita_collection_debit", {}, "Ok", "GetRemitaCollectionListQuery"),
        ("remita/collection-notification", "remita_repayment", {}, "Ok", "GetRemitaCollectionListQuery"),
    ],
)  # fmt: skip
async def test_a_fixed_endpoints_delivery_becomes_its_record(
    server: ServerProcess, path: str, name: str, headers: Headers, answer: str, query: str | None
) -> None:
    """Mono's and Remita's own addresses answer in their words, and the record is there once executed."""
    before = (await server.cmd(query))["totalCount"] if query else 0
    said = await server.hook(path, payload(name), headers)
    assert (said.status, said.body) == (200, answer)
    await server.settled()
    (kept, *_) = await server.requests(provider=path.partition("/")[0])
    assert (kept["requestId"], kept["state"]) == (said.headers["x-request-id"], "done")
    if query:
        assert (await server.cmd(query))["totalCount"] > before
