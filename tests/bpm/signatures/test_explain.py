"""The signature doctor finds what is wrong with a request's proof."""

import base64
import hashlib
import hmac
from typing import Any, Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.signatures import SignatureConfig, explain, sign

NOW = 1_700_000_000
BODY = b'{"event":"charge.success","text":"a/b \xc3\xa9","data":{"id":1}}'
GITHUB = SignatureConfig(scheme="github", secret="a key of the tests")


def explained(config: SignatureConfig, headers: dict[str, str], raw: bytes = BODY, now: int = NOW, resolve: Any = str):
    """The explanation of a request with these headers."""
    return explain(config, raw, {name.lower(): value for name, value in headers.items()}, now, resolve)


def digest(key: bytes = b"a key of the tests", raw: bytes = BODY, name: str = "sha256"):
    """An HMAC made without our code."""
    return hmac.new(key, raw, getattr(hashlib, name)).digest()


def test_right_signature() -> None:
    """A right request is explained as right, with every preset that accepts it."""
    found = explained(GITHUB, sign(GITHUB, BODY, NOW))
    assert (found.ok, found.failed, found.matching_schemes) == (True, "", ["github", "meta"])


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("sha256=" + base64.b64encode(digest()).decode(), "sha256 in base64 after 'sha256='"),
        (digest().hex(), "sha256 in hex without a prefix"),
        ("sha256=" + digest(name="sha512").hex(), "sha512 in hex after 'sha256='"),
        ("sha256=" + digest(name="sha1").hex(), "sha1 in hex"),
    ],
)
def test_wrong_encoding(value: str, hint: str) -> None:
    """A signature that is right but written in another way is recognised."""
    found = explained(GITHUB, {"X-Hub-Signature-256": value})
    assert (found.ok, found.failed) == (False, "encoding")
    assert hint in found.hints[0]


def test_another_separator_is_recognised() -> None:
    """Where time and signature stand in one text, what stands between them is named, whatever it is."""
    fields: dict[str, Any] = {"scheme": "custom", "header": "X-Sig", "inside": "t=", "prefix": "s="}
    fields |= {"secret": "a key of the tests", "signedContent": "{timestamp}.{body}"}
    config = SignatureConfig.model_validate(fields)
    text = f"t={NOW};s={digest(raw=f'{NOW}.'.encode() + BODY).hex()}"
    found = explained(config, {"X-Sig": text})
    assert (found.ok, found.failed) == (False, "encoding")
    assert found.hints == ["the signature is right with ';' between the parts of its text: set `between`"]


@pytest.mark.parametrize(
    ("signed", "received"),
    [
        (BODY, BODY + b"\n"),
        (BODY + b"\n", BODY),
        (BODY.replace(b",", b",\n"), BODY.replace(b",", b",\r\n")),
        (BODY.replace(b",", b",\r\n"), BODY.replace(b",", b",\n")),
        (BODY, b'{"event": "charge.success", "text": "a/b \\u00e9", "data": {"id": 1}}'),
        (b'{"event": "charge.success", "text": "a/b \\u00e9", "data": {"id": 1}}', BODY),
        (b'{"event":"charge.success","text":"a\\/b \xc3\xa9","data":{"id":1}}', BODY),
        (BODY, b"\xef\xbb\xbf" + BODY),
        (b"", BODY),
    ],
)
def test_body_changed_on_the_way(signed: bytes, received: bytes) -> None:
    """A body that something rewrote is recognised."""
    found = explained(GITHUB, {"X-Hub-Signature-256": "sha256=" + digest(raw=signed).hex()}, raw=received)
    assert (found.ok, found.failed) == (False, "body")
    assert "changed on the way" in found.hints[0]


def test_wrong_secret() -> None:
    """A signature by an unknown secret is said to be that."""
    found = explained(GITHUB, {"X-Hub-Signature-256": "sha256=" + digest(b"other").hex()})
    assert found.failed == "signature"
    assert "the secret is another one" in found.hints[0]


@pytest.mark.parametrize(
    ("secret", "key", "hint"),
    [
        ("a key of the tests\n", b"a key of the tests", "has blanks or a line break"),
        ("whsec_" + base64.b64encode(b"a key of the tests").decode(), b"a key of the tests", "is read as whsec"),
        (base64.b64encode(b"a key of the tests").decode(), b"a key of the tests", "is read as base64"),
        (b"a key of the tests".hex(), b"a key of the tests", "is read as hex"),
    ],
)
def test_secret_read_in_another_way(secret: str, key: bytes, hint: str) -> None:
    """A secret that is right when trimmed or decoded is recognised."""
    found = explained(
        SignatureConfig(scheme="github", secret=secret), {"X-Hub-Signature-256": "sha256=" + digest(key).hex()}
    )
    assert found.failed == "secret"
    assert any(hint in sentence for sentence in found.hints)


def test_unusable_secret() -> None:
    """A secret that can't be had is the part that failed."""

    def nowhere(reference: str) -> Never:
        raise ValueError(f"{reference} is not set")

    found = explained(SignatureConfig(scheme="github", secret="env:X"), sign(GITHUB, BODY, NOW), resolve=nowhere)
    assert (found.failed, found.matching_schemes) == ("secret", [])
    assert "env:X is not set" in found.cause


def test_old_timestamp() -> None:
    """An old request with a right signature is told apart from a forged one."""
    stripe = SignatureConfig(scheme="stripe", secret="a key of the tests")
    found = explained(stripe, sign(stripe, BODY, NOW), now=NOW + 1000)
    assert found.failed == "timestamp"
    assert "1000 s old" in found.cause
    assert "the signature itself is right" in found.hints[0]
    assert found.matching_schemes == ["stripe"]


def test_milliseconds() -> None:
    """A timestamp in milliseconds is recognised."""
    plandocket = SignatureConfig(scheme="plandocket", secret="a key of the tests")
    headers = {**sign(plandocket, BODY, NOW), "X-Webhook-Timestamp": f"{NOW}000"}
    found = explained(plandocket, headers)
    assert found.failed == "timestamp"
    assert "milliseconds" in found.hints[0]


def test_other_scheme_matches() -> None:
    """The scheme by which the request is right is named, and the header that came instead."""
    paystack = SignatureConfig(scheme="paystack", secret="a key of the tests")
    found = explained(GITHUB, sign(paystack, BODY, NOW))
    assert (found.failed, found.matching_schemes) == ("header", ["paystack"])
    assert "the header x-paystack-signature of the scheme paystack is there instead" in found.hints
    assert "the request is right by the scheme paystack" in found.hints


def test_static_and_unsigned() -> None:
    """A wrong static secret is explained, and without a scheme nothing is demanded."""
    mono = SignatureConfig(scheme="mono", secret="a key of the tests")
    assert explained(mono, {"mono-webhook-secret": "other"}).failed == "signature"
    assert explained(SignatureConfig(scheme="none"), {}).ok


@given(
    st.text(max_size=100), st.binary(max_size=100), st.sampled_from(["github", "stripe", "standard-webhooks", "mono"])
)
def test_any_request_is_explained(value: Any, raw: bytes, scheme: str) -> None:
    """Whatever a request holds, it is explained without showing the secret."""
    config = SignatureConfig(scheme=scheme, secret="whsec_Y2FuYXJ5IGNhbmFyeSBjYW5hcnk=")
    header = config.to_scheme().header.lower()
    found = explain(config, raw, {header: value, "webhook-timestamp": value, "webhook-id": "1"}, NOW)
    assert not found.ok
    assert found.failed
    assert "Y2FuYXJ5" not in f"{found.cause} {found.hints}"
