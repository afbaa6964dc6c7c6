"""Deliveries are signed so that providers' own libraries, and our own rules, verify them."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import http_message_signatures
import pytest
import stripe
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from bpm.events.delivery_request import DeliveryRequest, make_request
from bpm.events.destination import Destination
from bpm.events.sealing import SigningSecret
from bpm.events.signature_style import SignatureStyle, style_of
from bpm.events.signing import new_key, verifying_key
from bpm.signatures import PRESETS, SignatureConfig, SignatureVerdict, compile_signature
from bpm.signatures.key_pairs import jwk_of
from bpm.signatures.signer import unfit
from tests.bpm.events.test_delivery_request import NOTICE, NOW, PLAIN, SOURCE

NEW, OLD = new_key(has_key_pair=False), new_key(has_key_pair=False)
NEW_KEY, OLD_KEY = new_key(has_key_pair=True), new_key(has_key_pair=True)
STRIPE: Any = stripe.WebhookSignature
RFC9421: Any = http_message_signatures
"""Libraries whose types say less than they should."""
CUSTOM = {"scheme": "custom", "header": "X-Sign"}
STYLES: list[dict[str, Any]] = [
    *({"scheme": name} for name in sorted(PRESETS) if unfit(PRESETS[name]) is None),
    {**CUSTOM, "hash": "sha512", "encoding": "base64", "prefix": "sha512="},
    {**CUSTOM, "signedContent": "{timestamp}.{body}", "inside": "t=", "prefix": "v9="},
    {**CUSTOM, "signedContent": "{id}.{timestamp}.{body}", "timestampHeader": "X-Time", "idHeader": "Webhook-Id"},
    {**CUSTOM, "signedContent": "{timestamp}:{body}", "timestampHeader": "X-Time", "timestampFormat": "milliseconds"},
    {**CUSTOM, "type": "ed25519", "encoding": "base64url"},
    {**CUSTOM, "between": ",", "type": "ed25519", "prefix": "e1="},
]
"""Every preset by which a delivery can be signed, and schemes of one's own."""


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """Whoever verifies a signature looks at the clock, too."""
    with time_machine.travel(NOW, tick=False):
        yield


def destination(style: Mapping[str, Any], *secrets: str, **fields: Any) -> Destination:
    """A destination whose deliveries are signed in this style."""
    former = [SigningSecret(secret, NOW + timedelta(hours=1)) for secret in secrets[1:]]
    signature = SignatureStyle.model_validate(style)
    return replace(PLAIN, secrets=[SigningSecret(secrets[0]), *former], signature=signature, **fields)


def send(style: Mapping[str, Any], *secrets: str, **fields: Any) -> DeliveryRequest:
    """The request of a delivery."""
    return make_request(destination(style, *secrets, **fields), NOTICE, None, SOURCE, NOW)


def keys_for(style: Mapping[str, Any]) -> tuple[str, str]:
    """The new key and the former one, of the kind that a style needs."""
    return (NEW_KEY, OLD_KEY) if SignatureStyle.model_validate(style).has_key_pair else (NEW, OLD)


def judge(style: Mapping[str, Any], secret: str, sent: DeliveryRequest, body: bytes | None = None) -> SignatureVerdict:
    """Verify a delivery as a rule with the same signature does."""
    config = SignatureConfig.model_validate({**style, "secret": verifying_key(secret)})
    headers = {name.lower(): value for name, value in sent.headers.items()}
    return compile_signature(config).verify(sent.body if body is None else body, headers, NOW.timestamp())


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_a_rule_verifies_what_is_sent_in_the_same_style(style: dict[str, Any]) -> None:
    """Right as it is sent, and wrong with another body, another key, or another signature's time."""
    new, old = keys_for(style)
    sent = send(style, new)
    assert judge(style, new, sent).ok
    assert not judge(style, new, sent, sent.body + b" ").ok
    assert not judge(style, old, sent).ok
    assert sent.headers["webhook-id" if "webhook-id" in sent.headers else "Webhook-Id"] == NOTICE.id
    assert len({name.lower() for name in sent.headers}) == len(sent.headers)


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_while_secrets_are_exchanged(style: dict[str, Any]) -> None:
    """A receiver that has the new secret is right; one that has the former is, wherever a list has room for both."""
    new, old = keys_for(style)
    sent = send(style, new, old)
    assert judge(style, new, sent).ok
    assert judge(style, old, sent).ok == SignatureStyle.model_validate(style).signs_with_each


@pytest.mark.parametrize("style", [*STYLES, {"scheme": "http-message-signatures"}], ids=str)
def test_no_secret_is_sent(style: dict[str, Any]) -> None:
    """Neither a secret nor a private key, nor its bytes, is in what leaves."""
    secrets = keys_for(style)
    sent = send(style, *secrets)
    text = json.dumps(dict(sent.headers)) + sent.body.decode()
    for secret in secrets:
        encoded = secret.partition("_")[2]
        assert encoded not in text
        assert base64.b64decode(encoded).hex() not in text


@given(data=st.dictionaries(st.text(), st.text()))
def test_standard_webhooks(data: dict[str, str]) -> None:
    """The standard's library accepts whatever the body is, by each of several secrets and no other."""
    body = json.dumps(data).encode()
    with time_machine.travel(NOW, tick=False):
        sent = make_request(destination({}, NEW, OLD), NOTICE, body, SOURCE, NOW)
        for secret in (NEW, OLD):
            assert Webhook(secret).verify(body, dict(sent.headers)) == data
        with pytest.raises(WebhookVerificationError):
            Webhook(new_key(has_key_pair=False)).verify(body, dict(sent.headers))


def test_standard_webhooks_by_a_key_pair() -> None:
    """Each of two keys signs `id.timestamp.body` after `v1a,`, as PyNaCl finds it."""
    sent = send({"scheme": "standard-webhooks-v1a"}, NEW_KEY, OLD_KEY)
    content = f"{NOTICE.id}.{int(NOW.timestamp())}.".encode() + sent.body
    for text, private in zip(sent.headers["webhook-signature"].split(" "), (NEW_KEY, OLD_KEY), strict=True):
        public = VerifyKey(base64.b64decode(verifying_key(private).removeprefix("whpk_")))
        assert public.verify(content, base64.b64decode(text.removeprefix("v1a,"))) == content


def test_stripes_library() -> None:
    """It takes each secret's signature, behind one time."""
    sent = send({"scheme": "stripe"}, NEW, OLD)
    for secret in (NEW, OLD):
        assert STRIPE.verify_header(sent.body.decode(), sent.headers["Stripe-Signature"], secret, 300)


def test_githubs_example() -> None:
    """The signature that GitHub's documentation gives for its secret and body."""
    style = style_of("github")
    message = make_request(destination({}, NEW), NOTICE, b"Hello, World!", SOURCE, NOW)
    signed = style.signer.headers(["It's a Secret to Everybody"], message.body, 0, "")
    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed == {"X-Hub-Signature-256": f"sha256={expected}"}


def test_plandocket_signs_its_own_way() -> None:
    """Hex HMAC-SHA256 of timestamp and body by the text of the newest secret, after `v1=`."""
    headers = style_of("plandocket").signer.headers(["whsec_key", "old"], b'{"a":1}', 1700000000, "")
    assert headers == {
        "X-Webhook-Signature": "v1=f362a8a8618b4e90aaa6e2c3e3db13524b4eb1f35d6b54deb0ad7bb4fadb46f5",
        "X-Webhook-Timestamp": "1700000000",
    }


class _Keys(RFC9421.HTTPSignatureKeyResolver):
    """What a receiver of message signatures knows: keys by their names."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self.keys = keys

    def resolve_public_key(self, key_id: str) -> Any:
        return self.keys[key_id]

    resolve_private_key = resolve_public_key


def _verified(sent: DeliveryRequest, algorithm: Any, keys: Mapping[str, Any], url: str) -> list[Any]:
    """What is right by the signature of the newest secret, and by the former one's."""
    message = SimpleNamespace(method="POST", url=url, headers=dict(sent.headers))
    verifier = RFC9421.HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=_Keys(keys))
    age = timedelta(minutes=5)
    return [
        *verifier.verify(message, body=sent.body, max_age=age, expect_tag="bpm-bus"),
        *verifier.verify(message, body=sent.body, max_age=age, expect_tag="bpm-bus-former"),
    ]


@pytest.mark.parametrize("algorithm", ["ed25519", "hmac-sha256"])
def test_message_signatures(algorithm: str) -> None:
    """An independent library of RFC 9421 finds both signatures right, the digest too, and another host wrong."""
    url = "https://Hooks.Example.com:443/in?a=1"
    style = {"scheme": "http-message-signatures", "algorithm": algorithm}
    private = keys_for(style)
    sent = send(style, *private, url=url)
    if algorithm == "ed25519":
        known = {jwk_of(key)["kid"]: _opened(key) for key in private}
    else:
        known = {_short(key): base64.b64decode(key.removeprefix("whsec_")) for key in private}
    kind = RFC9421.algorithms.ED25519 if algorithm == "ed25519" else RFC9421.algorithms.HMAC_SHA256
    results = _verified(sent, kind, known, url)
    assert [result.label for result in results] == ["sig1", "sig2"]
    covered = ['"@method"', '"@authority"', '"content-type"', '"content-digest"', '"webhook-id"']
    assert [name for name in results[0].covered_components if name != '"@signature-params"'] == covered
    assert results[0].body == sent.body
    with pytest.raises(RFC9421.InvalidSignature):
        _verified(sent, kind, known, "https://other.example.com/in")


def test_message_signatures_cover_what_describes_the_event() -> None:
    """In the binary mode of CloudEvents type, time and source stand in headers: nobody on the way can change them."""
    url, style = "https://hooks.example.com/in", {"scheme": "http-message-signatures"}
    notice = replace(NOTICE, type="zahlung.erhöht")
    receiver = destination(style, NEW_KEY, OLD_KEY, url=url, format="cloudevents-binary")
    made = make_request(receiver, notice, None, SOURCE, NOW)
    assert made.headers["ce-type"] == "zahlung.erh%C3%B6ht"
    keys = {jwk_of(key)["kid"]: _opened(key) for key in (NEW_KEY, OLD_KEY)}
    kind = RFC9421.algorithms.ED25519
    result = _verified(made, kind, keys, url)[0]
    for name in ("ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time"):
        assert f'"{name}"' in result.covered_components
        changed = replace(made, headers={**made.headers, name: "other"})
        with pytest.raises(RFC9421.InvalidSignature):
            _verified(changed, kind, keys, url)


def _opened(private: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(verifying_key(private).removeprefix("whpk_")))


def _short(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def test_a_header_of_the_subscription_gives_way_to_the_signature() -> None:
    """One that stood twice would verify nowhere."""
    sent = send({"scheme": "github"}, NEW, headers={"x-hub-signature-256": "mine", "X-Mine": "1"})
    assert [name for name in sent.headers if name.lower() == "x-hub-signature-256"] == ["X-Hub-Signature-256"]
    assert judge({"scheme": "github"}, NEW, sent).ok
    assert sent.headers["X-Mine"] == "1"


def test_an_interfaces_own_signature_stays_beside_another() -> None:
    """PlanDocket's headers are sent whatever else was chosen."""
    sent = send({"scheme": "github"}, NEW, dialect="plandocket")
    assert judge({"scheme": "plandocket"}, NEW, sent).ok
    assert judge({"scheme": "github"}, NEW, sent).ok


@pytest.mark.parametrize(
    ("style", "cause"),
    [
        ({"scheme": "githup"}, "scheme must be http-message-signatures, custom, or a signature preset"),
        ({"scheme": "none"}, "scheme must be"),
        ({"scheme": "gitlab"}, "can't be signed as gitlab signs: it is no signature by a shared secret"),
        ({"scheme": "twilio"}, "it signs {form sorted}, {url}"),
        ({"scheme": "sendgrid"}, "it is no signature by a shared secret or an ed25519 key"),
        ({"scheme": "adyen-platform"}, "it needs more than a secret"),
        ({"scheme": "github", "header": "X-Mine"}, "header can only be set with the scheme custom"),
        ({"scheme": "github", "algorithm": "ed25519"}, "algorithm can only be set with the scheme http-message"),
        ({"scheme": "http-message-signatures", "header": "X"}, "http-message-signatures has no header"),
        ({"scheme": "custom"}, "header is required"),
        ({**CUSTOM, "signedContent": "{timestamp}"}, "must hold {body}"),
        ({**CUSTOM, "signedContent": "{url}{body}"}, "it signs {url}"),
        ({**CUSTOM, "signedContent": "{timestamp}.{body}"}, "timestampHeader (or inside) go together"),
        ({**CUSTOM, "encoding": "text"}, "encoding must be hex, base64, base64-unpadded or base64url"),
        ({"scheme": "custom", "header": "Host"}, "headers.Host: is set by the delivery itself"),
        ({"scheme": "custom", "header": "content_length"}, "headers.content_length: is set by the delivery itself"),
        ({"scheme": "custom", "header": "Webhook-Id"}, "webhook-id holds the event's id"),
        ({"scheme": "custom", "header": "X\r\nHost"}, "must be the name of an HTTP header"),
        ({**CUSTOM, "prefix": "a\nb"}, "match pattern"),
    ],
)
def test_what_can_t_be_chosen(style: dict[str, Any], cause: str) -> None:
    """Each with a sentence that says why."""
    with pytest.raises(ValidationError) as raised:
        SignatureStyle.model_validate(style)
    assert cause in str(raised.value)
