"""The requests that the demo fires: real shapes, signed the provider's way, and some that must be refused."""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bpm.cli.demo.rules import PAYLOADS, Secrets
from bpm.signatures import SignatureConfig, sign

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
"""Two addresses of this machine: one that the order rule allows and one that it does not."""

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Shot:
    """One request: who sends it, what is special about it, and the request itself."""

    sender: str
    how: str
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    source: str = HERE


def shots(known: Secrets) -> Iterable[Shot]:
    """Return the requests in the order they are sent."""
    yield from _github(known)
    yield from _stripe(known)
    yield from _paystack(known)
    yield from _orders(known)
    yield from _mono(known)
    yield from _remita()
    yield Shot("Somebody", "no such path", "nothing-here", b"{}")


def github_again(known: Secrets) -> Shot:
    """Return a good request of GitHub, to be sent when its rule is switched off."""
    return replace(next(iter(_github(known))), how="right signature, rule switched off")


def payment_declined(known: Secrets) -> Shot:
    """Return the callback of a payment provider that refuses the large order."""
    body = _payload("payment_declined")
    signed = _signed("standard-webhooks", known.orders, body, message_id="payment")
    return Shot("Payment provider", "the large order's payment is declined", "payments", body, signed)


def _github(known: Secrets) -> Iterable[Shot]:
    body = _payload("github_push")
    event = {"x-github-event": "push", "x-github-delivery": str(uuid.uuid4())}
    signed = _signed("github", known.github, body)
    right = Shot("GitHub push", "right signature", "github", body, event | signed)
    yield right
    yield replace(right, how="the same delivery again")
    yield replace(right, how="wrong secret", headers=event | _signed("github", "guessed at random", body))
    yield replace(right, how="no signature", headers=event)
    yield replace(right, how="body changed on the way", body=body.replace(b"main", b"evil"))


def _stripe(known: Secrets) -> Iterable[Shot]:
    body = _payload("stripe_checkout")
    right = Shot("Stripe checkout.session.completed", "right signature", "stripe", body)
    right = replace(right, headers=_signed("stripe", known.stripe, body))
    yield right
    yield replace(right, how="the same event id again", headers=_signed("stripe", known.stripe, body))
    yield replace(right, how="signed an hour ago", headers=_signed("stripe", known.stripe, body, age=HOUR))


def _paystack(known: Secrets) -> Iterable[Shot]:
    body = _payload("paystack_charge")
    right = Shot("Paystack charge.success", "right signature", "paystack", body)
    yield replace(right, headers=_signed("paystack", known.paystack, body))
    yield replace(right, how="wrong secret", headers=_signed("paystack", "guessed at random", body))


def _orders(known: Secrets) -> Iterable[Shot]:
    for name, how in (("order_small", "a small order"), ("order_large", "a large order")):
        body = _payload(name)
        yield Shot("Shop", how, "orders", body, _signed("standard-webhooks", known.orders, body, message_id=name))
    body = _payload("order_small")
    signed = _signed("standard-webhooks", known.orders, body, message_id="elsewhere")
    yield Shot("Shop", f"from {ELSEWHERE}", "orders", body, signed, source=ELSEWHERE)


def _mono(known: Secrets) -> Iterable[Shot]:
    body = _payload("mono_account_updated")
    right = Shot("Mono account_updated", "right secret", "mono/callback", body, {"mono-webhook-secret": known.mono})
    yield right
    yield replace(right, how="the same event id again")
    yield replace(right, how="wrong secret", headers={"mono-webhook-secret": "guessed at random"})


def _remita() -> Iterable[Shot]:
    yield Shot("Remita", "two payments", "remita", _payload("remita_payments"))
    yield Shot("Remita", "a debit", "remita/collection-notification", _payload("remita_collection"))
    yield Shot("Remita", f"from {ELSEWHERE}", "remita", _payload("remita_payments"), source=ELSEWHERE)


def _payload(name: str) -> bytes:
    value: Any = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    return json.dumps(value, separators=(",", ":")).encode()


def _signed(scheme: str, secret: str, body: bytes, *, age: float = 0, message_id: str = "") -> dict[str, str]:
    return sign(SignatureConfig(scheme=scheme, secret=secret), body, time.time() - age, message_id)
