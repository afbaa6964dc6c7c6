"""Signatures: every preset, custom schemes, rotation, and what must never pass."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook

from bpm.security.references import References
from bpm.settings import ReferenceSettings
from bpm.signatures import PRESETS, RequestAddress, SignatureConfig, SignatureVerdict, compile_signature, sign

NOW = 1_700_000_000
BODY = b'{"event": "charge.success", "data": {"id": 1}}'
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
NAMES = [
    "basic",
    "bearer",
    "flutterwave-v3",
    "flutterwave-v4",
    "github",
    "meta",
    "mono",
    "paystack",
    "plandocket",
    "remita",
    "shopify",
    "slack",
    "standard-webhooks",
    "stripe",
]
"""One or more of every form that a shared secret in a header has; `test_presets.py` knows all presets."""


def config(scheme: str, **fields: Any) -> SignatureConfig:
    """A configuration of a preset with everything it needs."""
    if PRESETS.get(scheme) and PRESETS[scheme].prefix == "Basic ":
        fields = {"username": "ann", **fields}
    if scheme == "remita":
        fields = {"header": "X-Remita-Secret", **fields}
    if "secrets" not in fields:
        fields = {"secret": WHSEC, **fields}
    return SignatureConfig.model_validate({"scheme": scheme, **fields})


def lowered(headers: dict[str, str]) -> dict[str, str]:
    """Headers as the server hands them over."""
    return {name.lower(): value for name, value in headers.items()}


def verdict(
    signature: SignatureConfig, headers: dict[str, str], raw: bytes = BODY, now: float = NOW
) -> SignatureVerdict:
    """The verdict on a request with these headers."""
    return compile_signature(signature).verify(raw, lowered(headers), now)


@pytest.mark.parametrize("name", NAMES)
def test_signed_request_passes(name: str) -> None:
    """What is signed by a scheme is verified by it."""
    assert verdict(config(name), sign(config(name), BODY, NOW)).ok


@pytest.mark.parametrize("name", NAMES)
def test_other_secret_is_refused(name: str) -> None:
    """A request signed with another secret is refused, with a cause."""
    other = sign(config(name, secret="whsec_" + base64.b64encode(b"another key of the tests").decode()), BODY, NOW)
    found = verdict(config(name), other)
    assert not found.ok
    assert found.cause


@pytest.mark.parametrize("name", [name for name in NAMES if PRESETS[name].kind != "static"])
def test_changed_body_is_refused(name: str) -> None:
    """A body that differs by one byte is refused."""
    assert not verdict(config(name), sign(config(name), BODY, NOW), raw=BODY + b" ").ok


@pytest.mark.parametrize("name", [name for name in NAMES if PRESETS[name].has_timestamp])
def test_old_and_future_timestamps_are_refused(name: str) -> None:
    """A timestamp beyond five minutes in either direction is refused; within, it passes."""
    headers = sign(config(name), BODY, NOW)
    assert verdict(config(name), headers, now=NOW + 299).ok
    assert verdict(config(name), headers, now=NOW - 299).ok
    assert "301 s old" in verdict(config(name), headers, now=NOW + 301).cause
    assert "301 s in the future" in verdict(config(name), headers, now=NOW - 301).cause
    patient = config(name, toleranceSeconds=600)
    assert verdict(patient, headers, now=NOW + 599).ok


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", ["", " ", "v1,", "v1=", "sha256=", "t=1,v1=", "v0=", "Basic ", "Bearer ", "é", "=", ","]
)
def test_empty_and_short_signatures_are_refused(name: str, value: str) -> None:
    """An empty or short signature is a refusal, never a crash."""
    headers = {**sign(config(name), BODY, NOW), config(name).to_scheme().header: value}
    assert not verdict(config(name), headers).ok


@pytest.mark.parametrize("name", NAMES)
def test_no_headers_are_refused(name: str) -> None:
    """A request without the scheme's header is refused, naming the header."""
    assert f"the header {config(name).to_scheme().header} is missing" in verdict(config(name), {}).cause


@pytest.mark.parametrize("name", NAMES)
def test_every_header_counts(name: str) -> None:
    """Leaving out any of the scheme's headers is a refusal."""
    headers = sign(config(name), BODY, NOW)
    for missing in headers:
        rest = {header: value for header, value in headers.items() if header != missing}
        assert not verdict(config(name), rest).ok


@pytest.mark.parametrize("name", NAMES)
def test_rotation_accepts_every_configured_secret(name: str) -> None:
    """During rotation a request signed with any of the secrets passes."""
    old, new = WHSEC, "whsec_" + base64.b64encode(b"the new key of the tests").decode()
    rotating = config(name, secret=new, secrets=[old])
    for secret in (old, new):
        assert verdict(rotating, sign(config(name, secret=secret), BODY, NOW)).ok


@pytest.mark.parametrize("name", NAMES)
@given(value=st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_header_is_survived_and_refused(name: str, value: str) -> None:
    """Whatever stands in the header, nothing crashes, and nothing but the right signature passes."""
    scheme = config(name).to_scheme()
    right = sign(config(name), BODY, NOW)
    verifier = compile_signature(config(name))
    forged = dict.fromkeys(right, value)
    assert not verifier.verify(BODY, lowered(forged), NOW).ok
    if scheme.prefix + value != right[scheme.header]:
        assert not verifier.verify(BODY, lowered({**right, scheme.header: scheme.prefix + value}), NOW).ok


def test_github_documented_example() -> None:
    """GitHub's documented example verifies."""
    signature = config("github", secret="It's a Secret to Everybody")
    headers = {
        "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    }
    assert verdict(signature, headers, raw=b"Hello, World!").ok


def test_standard_webhooks_specification_example() -> None:
    """The example of the Standard Webhooks libraries verifies."""
    signature = config("standard-webhooks", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert verdict(signature, headers, raw=b'{"test": 2432232314}', now=1614265330).ok


@given(
    raw=st.text().map(str.encode),
    message_id=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="."), min_size=1),
)
def test_standard_webhooks_library_agrees(raw: bytes, message_id: str) -> None:
    """What the standardwebhooks library signs passes here, and what is signed here passes there."""
    theirs, ours = Webhook(WHSEC), config("standard-webhooks")
    now = datetime.now(UTC)
    signature = theirs.sign(message_id, now.replace(tzinfo=None), raw.decode())
    stamp = str(int(now.timestamp()))
    for prefix in ("webhook", "svix"):
        headers = {f"{prefix}-id": message_id, f"{prefix}-timestamp": stamp, f"{prefix}-signature": signature}
        assert verdict(ours, headers, raw, now.timestamp()).ok
    assert theirs.verify(raw, sign(ours, raw, now.timestamp(), message_id), json_parse=False) is None


def test_standard_webhooks_list_of_signatures() -> None:
    """One right signature among several, also of other versions, is enough."""
    headers = sign(config("standard-webhooks"), BODY, NOW)
    wrong = "v1," + base64.b64encode(b"x" * 32).decode()
    headers["webhook-signature"] = f"v1a,xyz {wrong} {headers['webhook-signature']} v2,abc"
    assert verdict(config("standard-webhooks"), headers).ok
    headers["webhook-signature"] = " ".join([wrong] * 5)
    assert not verdict(config("standard-webhooks"), headers).ok


@given(raw=st.text().map(str.encode))
def test_stripe_library_agrees(raw: bytes) -> None:
    """What the stripe library signs passes here, and what is signed here passes there."""
    now = int(datetime.now(UTC).timestamp())
    theirs = stripe.WebhookSignature.generate_signature_header(raw.decode(), WHSEC, timestamp=now)
    assert verdict(config("stripe"), {"Stripe-Signature": theirs}, raw, now).ok
    ours = sign(config("stripe"), raw, now)["Stripe-Signature"]
    assert stripe.WebhookSignature.verify_header(raw.decode(), ours, WHSEC, tolerance=300)


def test_stripe_header_with_several_signatures() -> None:
    """Of several v1 signatures one right one is enough; v0 does not count."""
    right = sign(config("stripe"), BODY, NOW)["Stripe-Signature"]
    _, signature = right.split(",")
    for header, passes in (
        (f"t={NOW},v1={'0' * 64},{signature}", True),
        (f"{signature},t={NOW}", True),
        (f"t={NOW}, {signature}", True),
        (f"t={NOW},{signature.replace('v1', 'v0')}", False),
        (f"t=x{NOW},{signature}", False),
        (signature, False),
    ):
        assert verdict(config("stripe"), {"Stripe-Signature": header}).ok is passes


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("paystack", "x-paystack-signature", hmac.new(b"a key of the tests", BODY, hashlib.sha512).hexdigest()),
        ("github", "X-Hub-Signature-256", "sha256=" + hmac.new(b"a key of the tests", BODY, "sha256").hexdigest()),
        (
            "github",
            "X-Hub-Signature-256",
            "sha256=" + hmac.new(b"a key of the tests", BODY, "sha256").hexdigest().upper(),
        ),
        (
            "shopify",
            "X-Shopify-Hmac-SHA256",
            base64.b64encode(hmac.digest(b"a key of the tests", BODY, "sha256")).decode(),
        ),
        (
            "flutterwave-v4",
            "flutterwave-signature",
            base64.b64encode(hmac.digest(b"a key of the tests", BODY, "sha256")).decode(),
        ),
        ("flutterwave-v3", "verif-hash", "a key of the tests"),
        ("mono", "mono-webhook-secret", "a key of the tests"),
        ("bearer", "Authorization", "bearer a key of the tests"),
        ("basic", "Authorization", "BASIC " + base64.b64encode(b"ann:a key of the tests").decode()),
    ],
)
def test_provider_forms(name: str, header: str, value: str) -> None:
    """Signatures made by hand as each provider documents it pass."""
    assert verdict(config(name, secret="a key of the tests"), {header: value}).ok


def test_timestamped_providers_sign_time_and_body() -> None:
    """Plandocket signs `timestamp.body`, Slack `v0:timestamp:body`."""
    plandocket = hmac.new(b"a key of the tests", b"%d." % NOW + BODY, "sha256").hexdigest()
    headers = {"X-Webhook-Signature": f"v1={plandocket}", "X-Webhook-Timestamp": str(NOW)}
    assert verdict(config("plandocket", secret="a key of the tests"), headers).ok
    slack = hmac.new(b"a key of the tests", b"v0:%d:" % NOW + BODY, "sha256").hexdigest()
    headers = {"X-Slack-Signature": f"v0={slack}", "X-Slack-Request-Timestamp": str(NOW)}
    assert verdict(config("slack", secret="a key of the tests"), headers).ok


def test_custom_scheme() -> None:
    """A scheme described field by field verifies as described."""
    custom = SignatureConfig.model_validate(
        {
            "scheme": "custom",
            "secret": base64.b64encode(b"a key of the tests").decode(),
            "keyDecoding": "base64",
            "header": "X-Sign",
            "hash": "sha384",
            "encoding": "base64",
            "prefix": "s=",
            "signedContent": "{id}:{timestamp}:{body}!",
            "timestampHeader": "X-Time",
            "idHeader": "X-Id",
            "toleranceSeconds": 60,
        }
    )
    signature = hmac.digest(b"a key of the tests", b"7:%d:" % NOW + BODY + b"!", "sha384")
    headers = {"X-Sign": "s=" + base64.b64encode(signature).decode(), "X-Time": str(NOW), "X-Id": "7"}
    assert verdict(custom, headers).ok
    assert not verdict(custom, {**headers, "X-Id": "8"}).ok
    assert not verdict(custom, headers, now=NOW + 61).ok
    assert verdict(custom, sign(custom, BODY, NOW)).ok


def test_secret_is_utf8_in_static_headers() -> None:
    """A static secret beyond ASCII compares by its UTF-8 bytes."""
    sent = "schlüssel".encode().decode("latin-1")
    assert verdict(config("mono", secret="schlüssel"), {"mono-webhook-secret": sent}).ok


def test_nothing_is_demanded_without_a_scheme() -> None:
    """The scheme `none`, and `remita` without a secret, let every request pass."""
    assert verdict(SignatureConfig(scheme="none"), {}).ok
    assert verdict(SignatureConfig(scheme="remita"), {}).ok
    assert sign(SignatureConfig(scheme="none"), BODY, NOW) == {}


def test_secret_references_are_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`env:` and `file:` name where the secret is; one that is missing refuses every request and says so."""
    monkeypatch.setenv("HOOK_SECRET", "a key of the tests")
    tmp_path.joinpath("secret").write_text("a key of the tests\n")
    headers = {"mono-webhook-secret": "a key of the tests"}
    resolve = References(ReferenceSettings(folder=tmp_path)).resolver(1)
    for reference in ("env:HOOK_SECRET", f"file:{tmp_path}/secret"):
        assert compile_signature(config("mono", secret=reference), resolve).verify(BODY, headers, NOW).ok
    absent = compile_signature(config("mono", secret="env:ABSENT"), resolve)
    assert absent.faults
    assert "ABSENT" in absent.verify(BODY, headers, NOW).cause
    assert not absent.verify(BODY, {"mono-webhook-secret": ""}, NOW).ok


def test_undecodable_or_empty_resolved_secret_refuses() -> None:
    """A referred-to secret that is empty or does not decode refuses every request."""
    for resolved in ("", "whsec_", "whsec_§§§"):
        verifier = compile_signature(config("standard-webhooks", secret="env:X"), lambda _, found=resolved: found)
        assert not verifier.verify(BODY, lowered(sign(config("standard-webhooks"), BODY, NOW)), NOW).ok
        assert verifier.faults


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scheme": "gitub", "secret": "x" * 8}, "must be one of none, custom, "),
        ({"scheme": "github"}, "secret is required"),
        ({"scheme": "github", "secret": ""}, "at least 1 character"),
        ({"scheme": "github", "secret": "x" * 8, "hash": "sha512"}, "hash can only be set with the scheme custom"),
        ({"scheme": "github", "secret": "x" * 8, "signedContent": "{id}{body}"}, "signedContent can only be set"),
        ({"scheme": "github", "secret": "x" * 8, "username": "ann"}, "username is required with the scheme basic"),
        ({"scheme": "basic", "secret": "x" * 8}, "username is required with the scheme basic"),
        ({"scheme": "standard-webhooks", "secret": "whsec_%%%"}, "the secret can't be decoded"),
        ({"scheme": "remita", "secret": "x" * 8}, "header and secret go together"),
        ({"scheme": "custom", "secret": "x" * 8}, "header is required"),
        ({"scheme": "custom", "header": "X"}, "secret is required"),
        ({"scheme": "custom", "header": "X Y", "secret": "x" * 8}, "must be the name of an HTTP header"),
        ({"scheme": "custom", "header": "X", "secret": "x" * 8, "signedContent": "{host}{body}"}, "may hold {body}"),
        ({"scheme": "custom", "header": "X", "secret": "x" * 8, "signedContent": "{timestamp}"}, "must hold {body}"),
        ({"scheme": "custom", "header": "X", "secret": "x" * 8, "signedContent": "{id}{body}"}, "idHeader go together"),
        ({"scheme": "custom", "header": "X", "secret": "x" * 8, "timestampHeader": "T"}, "with {timestamp} and"),
        ({"scheme": "custom", "header": "X", "secret": "x" * 8, "encoding": "text"}, "encoding must be hex, base64"),
        ({"scheme": "github", "secrets": ["x" * 8] * 11}, "at most 10"),
        ({"scheme": "github", "secret": "x" * 8, "secrets": ["x" * 8] * 10}, "at most 10 secrets"),
        ({"scheme": "github", "secret": "x" * 8, "colour": "red"}, "Extra inputs"),
    ],
)
def test_incomplete_configuration_is_refused(fields: dict[str, Any], sentence: str) -> None:
    """A configuration that lacks something or holds too much is refused with a sentence, without the secret."""
    with pytest.raises(ValidationError) as caught:
        SignatureConfig.model_validate(fields)
    assert sentence in str(caught.value)


def test_secrets_do_not_show() -> None:
    """Neither the configuration's representation nor its errors show a secret."""
    assert "canary" not in repr(config("github", secret="canary-1", secrets=["canary-2"]))
    with pytest.raises(ValidationError) as caught:
        SignatureConfig.model_validate({"scheme": "standard-webhooks", "secret": "canary%"})
    assert "canary" not in str(caught.value)


def test_presets_name_their_delivery_ids() -> None:
    """Providers that number their deliveries bring the place of that number."""
    assert PRESETS["github"].deduplication == ("header:x-github-delivery",)
    assert PRESETS["stripe"].deduplication == ("body:id",)
    assert PRESETS["standard-webhooks"].deduplication == ("standard-webhooks:id",)
    assert PRESETS["mono"].deduplication == ("body:event_id",)
    assert config("custom", header="X").to_scheme().deduplication == ()


def test_a_signature_may_stand_in_several_places() -> None:
    """Of several keys, any counts; where none is right, or none is there, the request is refused."""
    fields = {"scheme": "custom", "header": "X-Sig-1", "signatureAlsoIn": ["header:X-Sig-2", "query:sig"]}
    config = SignatureConfig.model_validate({**fields, "secret": "a key of the tests"})
    right = hmac.new(b"a key of the tests", BODY, "sha256").hexdigest()
    other = hmac.new(b"another key of the tests", BODY, "sha256").hexdigest()
    verifier = compile_signature(config)
    for headers in (
        {"x-sig-1": right},
        {"x-sig-2": right},
        {"x-sig-1": other, "x-sig-2": right},
        {"x-sig-1": "x", "x-sig-2": right},
    ):
        assert verifier.verify(BODY, headers, NOW).ok
    assert verifier.verify(BODY, {}, NOW, RequestAddress(query=f"sig={right}")).ok
    assert "more than once" in verifier.verify(BODY, {"x-sig-1": f"{right}, {right}"}, NOW).cause
    assert not verifier.verify(BODY, {"x-sig-1": other, "x-sig-2": other}, NOW).ok
    assert "up to sig, is missing" in verifier.verify(BODY, {}, NOW).cause
    assert verifier.scheme.proving_headers == {"x-sig-1", "x-sig-2"}
    assert verifier.scheme.proving_parameters == {"sig"}


@pytest.mark.parametrize("text", ["{signature}", "sha256={signature}", "sha256={other},sha256={signature}"])
def test_mollie_signs_with_and_without_a_prefix(text: str) -> None:
    """Its documentation has both, and two signatures stand in the header after its secret was changed."""
    config = SignatureConfig(scheme="mollie", secret="a key of the tests")
    signature = hmac.new(b"a key of the tests", BODY, "sha256").hexdigest()
    header = text.format(signature=signature, other="0" * 64)
    assert compile_signature(config).verify(BODY, {"x-mollie-signature": header}, NOW).ok


def test_a_part_of_a_body_is_signed_as_json() -> None:
    """With its fields and digits as they were sent, whatever blanks stand between them."""
    fields = {"scheme": "custom", "header": "X-Sig", "signedContent": "{json:data}", "secret": "a key of the tests"}
    verifier = compile_signature(SignatureConfig.model_validate(fields))
    part = '{"b":1.10,"a":[12345678901234567890,"\u00e9/"]}'
    body = '{ "event": "paid", "data": { "b": 1.10, "a": [12345678901234567890, "\u00e9/"] } }'.encode()
    signature = hmac.new(b"a key of the tests", part.encode(), "sha256").hexdigest()
    assert verifier.verify(body, {"x-sig": signature}, NOW).ok
    assert not verifier.verify(body.replace(b"1.10", b"1.1"), {"x-sig": signature}, NOW).ok
    assert "missing" in verifier.verify(b'{"event":"paid"}', {"x-sig": signature}, NOW).cause
