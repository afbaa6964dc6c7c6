"""Providers' own libraries sign and verify: what they sign is right here, and what is signed here is right there."""

import hashlib
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import Adyen.util
import gocardless_pro.webhooks
import modern_treasury
import pytest
import razorpay
import standardwebhooks
import stripe
import svix.webhooks
from google.auth import crypt, jwt
from hubspot.utils.signature import Signature as HubSpotSignature
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey
from slack_sdk.signature import SignatureVerifier
from square.utils.webhooks_helper import verify_signature
from twilio.request_validator import RequestValidator

from bpm.signatures import RequestAddress, SignatureConfig, SignedRequest, TrustSources, compile_signature, sign_request
from tests.bpm.signatures.signing_keys import pair

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of names of its own
    import braintree

ADDRESS = RequestAddress("POST", "/api/webhooks/p", "a=1&b=%20x", "https://hooks.example.com")
URL = "https://hooks.example.com/api/webhooks/p?a=1&b=%20x"
TEXT = '{"note":"é ☃ a/b","amount":19.90}'
SECRET = "a-secret-of-the-tests-of-libraries"
HEX = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ADYEN: Any = Adyen.util
PUSHER = "push@example.iam.gserviceaccount.com"
TWILIO: Any = RequestValidator(SECRET)
RAZORPAY: Any = razorpay.Client(auth=("a", "b"))
TREASURY = modern_treasury.ModernTreasury(api_key="k", organization_id="o", webhook_key=SECRET)
BRAINTREE: Any = braintree.BraintreeGateway(
    braintree.Configuration(
        braintree.Environment.Sandbox, merchant_id="m", public_key="the-public-key", private_key=SECRET
    )
)
TOKENS: Any = jwt
GOOGLE_KEYS: Any = crypt.RSASigner
HUBSPOT: Any = HubSpotSignature
"""Libraries that have no types of their own."""
FORM = {"content-type": "application/x-www-form-urlencoded"}
FIELDS = {"From": "+14158675309", "Body": "é & = + %", "Empty": "", "a": "lower"}
ITEM = {
    "pspReference": "7914073381342284",
    "originalReference": "",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "order:1:2",
    "amount": {"value": 1130, "currency": "EUR"},
    "eventCode": "AUTHORISATION",
    "success": "true",
}


class Sent(NamedTuple):
    """A request as a library made it, or as it was made here."""

    headers: dict[str, str]
    body: bytes
    query: str = ADDRESS.query


@dataclass(frozen=True)
class Library:
    """How a provider's library signs, and how it verifies; either may be missing from it."""

    fields: dict[str, Any]
    body: str
    sign: Callable[[float], Sent] | None = None
    verify: Callable[[Sent], Any] | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def notification(signature: str | None = None) -> str:
    data = {"additionalData": {"hmacSignature": signature}} if signature else {}
    return json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": {**ITEM, **data}}]})


def signed_by_svix(now: float) -> Sent:
    moment = datetime.fromtimestamp(now, UTC)
    signature = svix.webhooks.Webhook(WHSEC).sign("msg_7", moment, TEXT)
    headers = {"svix-id": "msg_7", "svix-timestamp": str(int(now)), "svix-signature": signature}
    return Sent(headers, TEXT.encode())


def signed_by_standard_webhooks(now: float) -> Sent:
    moment = datetime.fromtimestamp(now, UTC)
    signature = standardwebhooks.Webhook(WHSEC).sign("msg_7", moment, TEXT)
    headers = {"webhook-id": "msg_7", "webhook-timestamp": str(int(now)), "webhook-signature": signature}
    return Sent(headers, TEXT.encode())


KEY = SigningKey(b"k" * 32)
PRIVATE = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr
-----END PRIVATE KEY-----
"""
"""The same key, of the letter k, in PEM."""


def verified_by_nacl(sent: Sent) -> bool:
    signed = sent.headers["x-signature-timestamp"].encode() + sent.body
    try:
        KEY.verify_key.verify(signed, bytes.fromhex(sent.headers["x-signature-ed25519"]))
    except BadSignatureError:
        return False
    return True


def twilio_json(_now: float) -> Sent:
    query = f"bodySHA256={hashlib.sha256(TEXT.encode()).hexdigest()}"
    url = f"https://hooks.example.com/api/webhooks/p?{query}"
    signature = TWILIO.compute_signature(url, {})
    return Sent({"x-twilio-signature": signature, "content-type": "application/json"}, TEXT.encode(), query)


def braintree_sample() -> dict[str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it reads the clock in a way that Python 3.12 deprecates
        sample = BRAINTREE.webhook_testing.sample_notification("check", "1")
    return {name: _text(value) for name, value in sample.items()}


def signed_by_braintree(_now: float) -> Sent:
    return Sent(FORM, urlencode(braintree_sample()).encode())


def verified_by_braintree(sent: Sent) -> str:
    fields = dict(parse_qsl(sent.body.decode()))
    return BRAINTREE.webhook_notification.parse(fields["bt_signature"], fields["bt_payload"]).kind


def signed_by_google(now: float) -> Sent:
    claims = {
        "iss": "https://accounts.google.com",
        "aud": URL,
        "email": PUSHER,
        "email_verified": True,
        "iat": int(now),
        "exp": int(now) + 3600,
    }
    token = TOKENS.encode(GOOGLE_KEYS.from_string(pair("rsa").private, "k1"), claims)
    return Sent({"authorization": f"Bearer {_text(token)}"}, TEXT.encode())


def published(_url: str, _is_outdated: bool = False, _is_sent: bool = False, /) -> str:
    """What stands at the address of Google's keys."""
    return pair("rsa").public


def hubspot(version: str) -> Library:
    """What HubSpot's library signs, in one of the versions of its signature."""
    header = "x-hubspot-signature-v3" if version == "v3" else "x-hubspot-signature"
    stamp = "x-hubspot-request-timestamp"

    def sign(now: float) -> Sent:
        moment = str(int(now * 1000))
        signature = HUBSPOT.get_signature(SECRET, TEXT, version, URL, "POST", moment)
        return Sent({header: signature, stamp: moment}, TEXT.encode())

    def verify(sent: Sent) -> bool:
        moment = sent.headers.get(stamp)
        return HUBSPOT.is_valid(sent.headers[header], SECRET, sent.body.decode(), URL, "POST", version, moment)

    return Library({}, TEXT, sign, verify)


LIBRARIES: dict[str, Library] = {
    "braintree": Library(
        {"values": {"publicKey": "the-public-key"}},
        urlencode({"bt_payload": braintree_sample()["bt_payload"]}),
        signed_by_braintree,
        verified_by_braintree,
        FORM,
    ),
    "google-pubsub": Library(
        {
            "secret": pair("rsa").public,
            "audience": URL,
            "claims": {"email": PUSHER},
        },
        TEXT,
        signed_by_google,
    ),
    "hubspot-v1": hubspot("v1"),
    "hubspot-v2": hubspot("v2"),
    "hubspot-v3": hubspot("v3"),
    "twilio": Library(
        {},
        urlencode(FIELDS),
        lambda _: Sent(
            {**FORM, "x-twilio-signature": TWILIO.compute_signature(URL, FIELDS)},
            urlencode(FIELDS).encode(),
        ),
        lambda sent: TWILIO.validate(
            URL, dict(parse_qsl(sent.body.decode(), keep_blank_values=True)), sent.headers["x-twilio-signature"]
        ),
        FORM,
    ),
    "twilio#json": Library(
        {},
        TEXT,
        twilio_json,
        lambda sent: TWILIO.validate(
            f"https://hooks.example.com/api/webhooks/p?{sent.query}",
            sent.body.decode(),
            sent.headers["x-twilio-signature"],
        ),
    ),
    "slack": Library(
        {},
        TEXT,
        lambda now: Sent(
            {
                "x-slack-request-timestamp": str(int(now)),
                "x-slack-signature": str(
                    SignatureVerifier(SECRET).generate_signature(timestamp=str(int(now)), body=TEXT)
                ),
            },
            TEXT.encode(),
        ),
        lambda sent: SignatureVerifier(SECRET).is_valid_request(sent.body, sent.headers),
    ),
    "adyen": Library(
        {"secret": HEX},
        notification(),
        lambda _: Sent({}, notification(_text(ADYEN.generate_notification_sig(ITEM, HEX))).encode()),
        lambda sent: ADYEN.is_valid_hmac_notification(json.loads(sent.body), HEX),
    ),
    "clerk": Library(
        {"secret": WHSEC},
        TEXT,
        signed_by_svix,
        lambda sent: svix.webhooks.Webhook(WHSEC).verify(sent.body, sent.headers),
    ),
    "svix": Library(
        {"secret": WHSEC},
        TEXT,
        signed_by_svix,
        lambda sent: svix.webhooks.Webhook(WHSEC).verify(sent.body, sent.headers),
    ),
    "standard-webhooks": Library(
        {"secret": WHSEC},
        TEXT,
        signed_by_standard_webhooks,
        lambda sent: standardwebhooks.Webhook(WHSEC).verify(sent.body, sent.headers),
    ),
    "stripe": Library(
        {},
        TEXT,
        lambda now: Sent(
            {"stripe-signature": stripe.WebhookSignature.generate_signature_header(TEXT, SECRET, timestamp=int(now))},
            TEXT.encode(),
        ),
        lambda sent: stripe.WebhookSignature.verify_header(
            sent.body.decode(), sent.headers["stripe-signature"], SECRET, tolerance=300
        ),
    ),
    "modern-treasury": Library(
        {},
        TEXT,
        lambda _: Sent({"x-signature": TREASURY.webhooks.get_signature(TEXT)}, TEXT.encode()),
        lambda sent: TREASURY.webhooks.validate_signature(sent.body.decode(), sent.headers),
    ),
    "razorpay": Library(
        {},
        TEXT,
        None,
        lambda sent: RAZORPAY.utility.verify_webhook_signature(
            sent.body.decode(), sent.headers["x-razorpay-signature"], SECRET
        ),
    ),
    "gocardless": Library(
        {},
        '{"events":[]}',
        None,
        lambda sent: gocardless_pro.webhooks.parse(sent.body, SECRET, sent.headers["webhook-signature"]) == [],
    ),
    "square": Library(
        {},
        TEXT,
        None,
        lambda sent: verify_signature(
            request_body=sent.body.decode(),
            signature_header=sent.headers["x-square-hmacsha256-signature"],
            signature_key=SECRET,
            notification_url=URL,
        ),
    ),
    "discord": Library(
        {"secret": KEY.verify_key.encode().hex()},
        TEXT,
        lambda now: Sent(
            {
                "x-signature-timestamp": str(int(now)),
                "x-signature-ed25519": KEY.sign(str(int(now)).encode() + TEXT.encode()).signature.hex(),
            },
            TEXT.encode(),
        ),
        verified_by_nacl,
    ),
}


def config_of(name: str) -> SignatureConfig:
    fields = {"scheme": name.partition("#")[0], "secret": SECRET, **LIBRARIES[name].fields}
    return SignatureConfig.model_validate(fields)


CHANGED = {"adyen": (b"1130", b"1131"), "braintree": (b"bt_payload=C", b"bt_payload=D")}
"""What of the body is replaced by what, where not any letter is signed."""


@pytest.mark.parametrize("name", [name for name, library in LIBRARIES.items() if library.sign is not None])
def test_what_a_library_signs_is_right_here(name: str) -> None:
    """And no other body is, where the library signs the body."""
    now, library = time.time(), LIBRARIES[name]
    assert library.sign is not None
    sent = library.sign(now)
    address = ADDRESS._replace(query=sent.query)
    verifier = compile_signature(config_of(name), str, TrustSources(published))
    found = verifier.verify(sent.body, sent.headers, now, address)
    assert found.ok, found.cause
    changed = sent.body.replace(*CHANGED.get(name, (b"a", b"b")), 1)
    assert changed != sent.body
    assert verifier.verify(changed, sent.headers, now, address).ok is (name == "google-pubsub")


@pytest.mark.parametrize("name", [name for name, library in LIBRARIES.items() if library.verify is not None])
def test_what_is_signed_here_is_right_for_the_library(name: str) -> None:
    """The library verifies what is sent, which a change of the signature would end."""
    now, library = time.time(), LIBRARIES[name]
    assert library.verify is not None
    address = ADDRESS._replace(query="") if name == "twilio#json" else ADDRESS
    request = SignedRequest(library.body.encode(), library.headers, address)
    made = sign_request(config_of(name), request, now, "msg_7", private_key=PRIVATE if name == "discord" else "")
    headers = {**library.headers, **{header.lower(): value for header, value in made.headers.items()}}
    found = library.verify(Sent(headers, made.body, made.query))
    assert found is not False


SAME_LIBRARY = {"hubspot-v1", "hubspot-v2", "clerk"}
"""Presets whose library stands beside another preset."""


def test_ten_providers_have_libraries_here() -> None:
    """Ten libraries sign, each counted once; most verify as well, and some do nothing else."""
    signing = {name for name, library in LIBRARIES.items() if library.sign is not None and "#" not in name}
    assert len(signing - SAME_LIBRARY) >= 10
    assert len({name.partition("#")[0] for name in LIBRARIES} - SAME_LIBRARY) >= 13
