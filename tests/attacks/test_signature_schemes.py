"""Schemes of any kind: what is right passes, and no change of a part, a place, a key or a token does."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jws
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from bpm.signatures import (
    STORED,
    KeyLookup,
    RequestAddress,
    SignatureConfig,
    SignatureRefusal,
    SignatureVerdict,
    TrustSources,
    compile_signature,
    explain,
)
from bpm.testing import RunningApp, running_app, until
from router.published_keys import PublishedKeys
from tests.bpm.signatures.signing_keys import Authority, pair
from tests.router.conftest import app, send_from

__all__ = ["app"]

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
SECRET = "a-secret-of-the-tests"
BODY = b'{"id":"evt_1","amount":19.90}'
HERE = RequestAddress("POST", "/api/webhooks/p", "", "https://hooks.example.com")


def custom(**fields: Any) -> SignatureConfig:
    given = {"scheme": "custom", "secret": SECRET, **fields}
    return SignatureConfig.model_validate({name: value for name, value in given.items() if value is not None})


def judged(
    config: SignatureConfig,
    headers: dict[str, str],
    body: bytes = BODY,
    address: RequestAddress = HERE,
    now: float = NOW,
    trust: TrustSources | None = None,
) -> SignatureVerdict:
    verifier = compile_signature(config, str, trust) if trust else compile_signature(config)
    return verifier.verify(body, {name.lower(): value for name, value in headers.items()}, now, address)


def digest(content: str | bytes, name: str = "sha256") -> bytes:
    return hmac.digest(SECRET.encode(), content.encode() if isinstance(content, str) else content, name)


@pytest.mark.parametrize(
    ("stamp", "form"),
    [
        (str(NOW), "seconds"),
        (f"{NOW}123", "milliseconds"),
        (f"{NOW}123456", "microseconds"),
        (f"{NOW}123456789", "nanoseconds"),
        ("2027-01-15T08:00:00Z", "iso"),
        ("2027-01-15T09:30:00+0130", "iso"),
        ("2027-01-15T09:00:00.123456789+01:00", "iso"),
    ],
)
def test_a_time_is_read_in_the_form_of_its_provider(stamp: str, form: str) -> None:
    """Seconds, milliseconds and ISO 8601 are ages alike, and one in another form is none."""
    config = custom(header="x-s", timestampHeader="x-t", timestampFormat=form, signedContent="{timestamp}.{body}")
    headers = {"x-s": digest(f"{stamp}.{BODY.decode()}").hex(), "x-t": stamp}
    assert judged(config, headers).ok
    assert "301 s old" in judged(config, headers, now=NOW + 301 + 0.2).cause
    others = {"seconds": "milliseconds", "milliseconds": "microseconds", "microseconds": "nanoseconds"}
    others |= {"nanoseconds": "iso", "iso": "seconds"}
    other = custom(
        header="x-s", timestampHeader="x-t", timestampFormat=others[form], signedContent="{timestamp}.{body}"
    )
    assert not judged(other, headers).ok


@pytest.mark.parametrize(
    "stamp",
    ["2027-01-15T09:00:00+01", "+1800000000", "1800000000.0", "١٨٠٠٠٠٠٠٠٠", "1e9", "2027-13-40T00:00:00Z", "9" * 15],
)
@pytest.mark.parametrize("form", ["seconds", "milliseconds", "iso"])
def test_what_is_no_time_is_refused(stamp: str, form: str) -> None:
    """Signs, fractions, other digits and days that no calendar has are refused and stop nothing."""
    config = custom(header="x-s", timestampHeader="x-t", timestampFormat=form, signedContent="{timestamp}.{body}")
    found = judged(config, {"x-s": digest(stamp).hex(), "x-t": stamp.encode().decode("latin-1")})
    assert not found.ok
    assert "timestamp" in found.cause


def _in_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize(("encoding", "right"), [("base64", 0), ("base64-unpadded", 1)])
def test_base64_with_or_without_padding(encoding: str, right: int) -> None:
    """As the scheme says, and in no other way: there is one text for a signature."""
    config = custom(header="X-Sign", encoding=encoding)
    text = base64.b64encode(digest(BODY)).decode()
    written = (text, text.rstrip("="), text + "=", text[:-2] + "==", text.rstrip("=") + "==", text[:-2])
    assert [judged(config, {"X-Sign": one}).ok for one in written] == [at == right for at in range(len(written))]


@pytest.mark.parametrize(("encoding", "written"), [("base64url", _in_base64url)])
def test_base64url_with_and_without_padding(encoding: str, written: Any) -> None:
    """Both forms of RFC 4648 are the same signature; the alphabet of plain base64 is not read."""
    config, body = custom(header="x-s", encoding=encoding), b"body-3"
    text = written(digest(body))
    assert set(text) & {"-", "_"}
    assert judged(config, {"x-s": text}, body).ok
    assert judged(config, {"x-s": text.rstrip("=")}, body).ok
    assert not judged(config, {"x-s": text.replace("-", "+").replace("_", "/")}, body).ok
    assert not judged(config, {"x-s": text + "="}, body).ok


def test_a_list_between_any_separator() -> None:
    """`t=…;h1=…` in any order, several signatures, and a time that stands twice."""
    config = custom(header="x-s", inside="ts=", prefix="h1=", between=";", signedContent="{timestamp}:{body}")
    right = digest(f"{NOW}:{BODY.decode()}").hex()
    assert judged(config, {"x-s": f"ts={NOW};h1={right}"}).ok
    assert judged(config, {"x-s": f"h1={'0' * 64};h1={right};ts={NOW}"}).ok
    found = judged(config, {"x-s": f"ts={NOW};h1={right}, ts={NOW};h1={right}"})
    assert not found.ok
    assert "more than once" in judged(config, {"x-s": f"ts={NOW};ts={NOW};h1={right}"}).cause
    assert not judged(config, {"x-s": ";".join([f"ts={NOW}", *[f"h1={'0' * 64}"] * 30, f"h1={right}"])}).ok


def test_the_address_is_signed_as_the_provider_knows_it() -> None:
    """The server's public address counts, or the one that the rule gives; another path or query does not."""
    config = custom(header="x-s", signedContent="{method}{url}{body}")
    at = HERE._replace(query="a=1&b=%20")
    url = "https://hooks.example.com/api/webhooks/p?a=1&b=%20"
    right = {"x-s": digest(f"POST{url}{BODY.decode()}").hex()}
    assert judged(config, right, address=at).ok
    for other in (at._replace(query="a=1"), at._replace(path="/api/webhooks/q"), at._replace(method="PUT")):
        assert not judged(config, right, address=other).ok
    given = custom(header="x-s", signedContent="{method}{url}{body}", url=url)
    assert judged(given, right, address=HERE._replace(base="http://10.0.0.1:8000")).ok
    doctor = explain(config, BODY, right, NOW, address=at._replace(base="http://10.0.0.1:8000"))
    assert any("set `url`" in hint for hint in doctor.hints)


def test_what_stands_beside_an_address_does_not_slide_into_it() -> None:
    """The bytes of a body never become a part of a query, nor those of a query a part of the body."""
    config, body = custom(header="x-s", signedContent="{url}{body}"), b'?x=1{"a":1}'
    signed = {"x-s": digest(f"https://hooks.example.com/api/webhooks/p{body.decode()}").hex()}
    assert not judged(config, signed, body).ok
    for cut in range(1, len(body)):
        at = HERE._replace(query=body[1:cut].decode())
        assert judged(config, signed, body[cut:], at).ok is (body[cut:] == b'{"a":1}')


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{url}{query.x}{body}", "separator"),
        ("{header.x-a}{header.x-b}.{body}", "separator"),
        ("{body}{form sorted}", "only one of"),
        ("{body:a*}.{body}", "only one of"),
        ("{?x{body}", "{? without"),
        ("{?x{?y{body}?}?}", "{? without"),
        ("{header.a b}.{body}", "must be header:<name>"),
        ("{path}", "must hold {body}"),
        ("{timestamp}.{id}", "must hold {body}"),
        ("{secret}{body}", "type hash"),
        ("{value.account}{body}", "values.account is required"),
        ("{body:a..b}", "body:<path>"),
    ],
)
def test_a_signed_text_that_can_be_read_in_two_ways_is_refused(content: str, says: str) -> None:
    """Where one value ends and the next begins must follow from the bytes."""
    places = {"timestampHeader": "x-t"} if "{timestamp}" in content else {}
    places |= {"idHeader": "x-i"} if "{id}" in content else {}
    with pytest.raises(ValidationError) as caught:
        custom(header="x-s", signedContent=content, **places)
    assert says in str(caught.value)


def test_values_hold_no_separator() -> None:
    """A header that holds what separates it from the next one is refused, whatever its signature."""
    config = custom(header="x-s", signedContent="{header.x-a}|{query.b}|{body}")
    right = {"x-a": "1", "x-s": digest(f"1|2|{BODY.decode()}").hex()}
    assert judged(config, right, address=HERE._replace(query="b=2")).ok
    shifted = {"x-a": "1|2", "x-s": digest(f"1|2|3|{BODY.decode()}").hex()}
    assert "separates" in judged(config, shifted, address=HERE._replace(query="b=3")).cause
    assert "more than once" in judged(config, right, address=HERE._replace(query="b=2&b=2")).cause
    assert "missing" in judged(config, right).cause


def test_a_group_is_left_out_when_its_value_is() -> None:
    """What stands between `{?` and `?}` is signed only when the request has it."""
    config = custom(header="x-s", signedContent="{?id:{header.x-id};?}{body}")
    assert judged(config, {"x-s": digest(BODY).hex()}).ok
    assert judged(config, {"x-id": "7", "x-s": digest(b"id:7;" + BODY).hex()}).ok
    assert not judged(config, {"x-id": "7", "x-s": digest(BODY).hex()}).ok


def test_a_signature_in_the_query_or_in_the_body() -> None:
    """The other places are read as the header is: once, and only there."""
    in_query = custom(signatureIn="query:sig", signedContent="{path}.{body}")
    at = HERE._replace(query="sig=" + digest(f"/api/webhooks/p.{BODY.decode()}").hex())
    assert judged(in_query, {}, address=at).ok
    assert "more than once" in judged(in_query, {}, address=at._replace(query=f"{at.query}&{at.query}")).cause
    in_body = custom(signatureIn="body:meta.sig", signedContent="{body:id}:{body:note*}")
    fields = {"id": "1", "note": "a:b", "meta": {"sig": digest("1:a:b").hex()}}
    assert judged(in_body, {}, json.dumps(fields).encode()).ok
    assert not judged(in_body, {}, json.dumps({**fields, "id": "1:a", "note": "b"}).encode()).ok
    assert not judged(in_body, {}, json.dumps({**fields, "id": 2}).encode()).ok
    assert not judged(in_body, {}, b"[" * 100_000).ok


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_where_only_forms_are_signed_no_other_body_passes(content_type: str) -> None:
    """The signature of an address without a body, as of a GET, would let any body through that is called otherwise."""
    mandrill = SignatureConfig.model_validate({"scheme": "mandrill", "secret": SECRET})
    own = custom(header="X-Sig", encoding="base64", signedContent="{url}\n{form sorted}", hash="sha1")
    url = f"{HERE.base}{HERE.path}"
    for config, header, signed in ((mandrill, "X-Mandrill-Signature", url), (own, "X-Sig", f"{url}\n")):
        proof = base64.b64encode(hmac.digest(SECRET.encode(), signed.encode(), "sha1")).decode()
        headers = {header: proof, "Content-Type": content_type}
        assert judged(config, headers, b"").ok
        for body in (BODY, b"amount=19.90"):
            found = judged(config, headers, body)
            assert not found.ok
            assert "nothing is signed" in found.cause


def test_a_digest_with_the_secret_in_it() -> None:
    """A plain hash over the secret and the body, where a provider still has one."""
    config = custom(type="hash", header="x-s", signedContent="{secret}{body}")
    assert judged(config, {"x-s": hashlib.sha256(SECRET.encode() + BODY).hexdigest()}).ok
    assert not judged(config, {"x-s": hashlib.sha256(b"another" + BODY).hexdigest()}).ok
    weak = custom(type="hash", header="x-s", signedContent="{secret}{body}", hash="sha1")
    assert any("SHA-1 is weak" in warning for warning in weak.warnings())


def signed_by(kind: str, content: bytes) -> bytes:
    key: Any = pair(kind.removesuffix("-pss")).key
    if kind == "ed25519":
        return key.sign(content)
    if kind == "ecdsa":
        return key.sign(content, ec.ECDSA(hashes.SHA256()))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return key.sign(content, pss if kind == "rsa-pss" else padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa", "rsa-pss"])
def test_a_public_key_proves_its_other_half(kind: str) -> None:
    """In PEM or DER; another key, another kind of signature, another body and another time are refused."""
    mine, other = pair(kind.removesuffix("-pss")), pair(kind.removesuffix("-pss"), 1)
    der = mine.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fields = {
        "type": kind,
        "header": "x-s",
        "timestampHeader": "x-t",
        "signedContent": "{timestamp}{body}",
        "encoding": "base64",
    }
    signature = base64.b64encode(signed_by(kind, str(NOW).encode() + BODY)).decode()
    headers = {"x-s": signature, "x-t": str(NOW)}
    for secret in (mine.public, base64.b64encode(der).decode()):
        assert judged(custom(secret=secret, **fields), headers).ok
    assert judged(custom(secret=other.public, secrets=[mine.public], **fields), headers).ok
    config = custom(secret=mine.public, **fields)
    for wrong in (
        judged(custom(secret=other.public, **fields), headers),
        judged(config, headers, BODY + b" "),
        judged(config, {**headers, "x-t": str(NOW + 1)}),
        judged(config, {**headers, "x-s": base64.b64encode(b"\0" * 64).decode()}),
        judged(config, {**headers, "x-s": ""}),
    ):
        assert not wrong.ok
    assert "301 s old" in judged(config, headers, now=NOW + 301).cause


def test_ecdsa_as_two_numbers_side_by_side() -> None:
    """The form of tokens and of browsers (IEEE P1363) is read as well as DER."""
    config = custom(type="ecdsa", header="x-s", secret=pair("ecdsa").public)
    r, s = decode_dss_signature(signed_by("ecdsa", BODY))
    raw = r.to_bytes(32) + s.to_bytes(32)
    assert judged(config, {"x-s": raw.hex()}).ok
    for wrong in (bytes(64), s.to_bytes(32) + r.to_bytes(32), raw[:63], raw + b"\0", b"\xff" * 64):
        assert not judged(config, {"x-s": wrong.hex()}).ok


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("ed25519", "not a key"),
        ("ed25519", pair("ecdsa").public),
        ("rsa", pair("ed25519").public),
        ("rsa", pair("rsa-1024").public),
        ("ecdsa", pair("secp256k1").public),
        ("rsa", pair("rsa").private),
        ("rsa", "-----BEGIN PUBLIC KEY-----\n" + "A" * 4000 + "\n-----END PUBLIC KEY-----"),
        ("certificate", "x" * 20),
    ],
)
def test_a_key_that_can_not_be_used_is_refused_when_it_is_saved(kind: str, secret: str) -> None:
    """Other kinds, small keys and private keys are refused with a sentence that repeats nothing of them."""
    with pytest.raises(ValidationError) as caught:
        custom(type=kind, header="x-s", secret=secret)
    assert secret[30:60] not in str(caught.value) or len(secret) < 60


@pytest.mark.parametrize("salt", [padding.PSS.DIGEST_LENGTH, padding.PSS.MAX_LENGTH, 20, 0])
def test_a_salt_of_any_length_is_right(salt: Any) -> None:
    """How long it is is the signer's choice; the signature says it itself."""
    config = custom(type="rsa-pss", secret=pair("rsa").public, header="x-signature", encoding="base64")
    key: Any = pair("rsa").key
    made = key.sign(BODY, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    headers = {"x-signature": base64.b64encode(made).decode()}
    assert judged(config, headers).ok
    assert not judged(config, headers, BODY + b" ").ok


@pytest.mark.parametrize(
    "entries", ["[1]", '"abc"', "[null]", "{}", "null", '[{"kty": ["RSA"]}]', '[{"kty": "RSA", "n": 1}]', "[[]]"]
)
def test_a_set_that_holds_no_key_is_refused_with_a_sentence(entries: str) -> None:
    """Whatever stands in it; a right key among such entries counts."""
    with pytest.raises(ValidationError, match="set"):
        by_token(secret=f'{{"keys": {entries}}}')
    if entries.startswith("["):
        mixed = [*json.loads(entries), *json.loads(key_set(0))["keys"]]
        assert judged(by_token(secret=json.dumps({"keys": mixed})), {"authorization": token(CLAIMS)}).ok


def test_sha1_by_a_public_key_can_not_be_chosen() -> None:
    """A signature by SHA-1 can be made to fit another body."""
    with pytest.raises(ValidationError, match="sha1"):
        custom(type="rsa", header="x-s", secret=pair("rsa").public, hash="sha1")


AUDIENCE = "https://hooks.example.com/p"
CLAIMS = {"iss": "https://issuer.example", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 600, "email": "a@example.com"}


def token(claims: dict[str, Any], number: int = 0, **header: Any) -> str:
    key = jwk.RSAKey.import_key(pair("rsa", number).private)
    head = {"alg": "RS256", "kid": f"k{number}", **header}
    return "Bearer " + jws.serialize_compact(head, json.dumps(claims).encode(), key, algorithms=["RS256"])


def key_set(*numbers: int) -> str:
    keys = [{**jwk.RSAKey.import_key(pair("rsa", n).public).as_dict(), "kid": f"k{n}", "use": "sig"} for n in numbers]
    return json.dumps({"keys": keys})


def by_token(**fields: Any) -> SignatureConfig:
    given = {"type": "jwt", "header": "Authorization", "prefix": "Bearer ", "secret": key_set(0), "audience": AUDIENCE}
    return custom(**{**given, **fields})


def test_a_token_is_ours_fresh_and_signed() -> None:
    """Audience, issuer, claims, times and the algorithm are all asked for."""
    config = by_token(issuer=CLAIMS["iss"], claims={"email": "a@example.com"})
    assert judged(config, {"authorization": token(CLAIMS)}).ok
    for change, says in (
        ({"aud": "https://elsewhere.example"}, "audience"),
        ({"aud": None}, "audience"),
        ({"iss": "https://other.example"}, "iss"),
        ({"email": "b@example.com"}, "email"),
        ({"exp": NOW - 61}, "ended"),
        ({"nbf": NOW + 61}, "future"),
        ({"iat": NOW + 61}, "future"),
        ({"exp": "soon"}, "exp is not"),
        ({"exp": None, "iat": None}, "neither"),
        ({"exp": None, "iat": NOW - 301}, "301 s old"),
        ({"exp": 1e400}, "exp is not"),
    ):
        claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
        assert says in judged(config, {"authorization": token(claims)}).cause


def test_a_token_by_another_way_is_none() -> None:
    """No algorithm, the public key as a shared secret, another key, and garbage."""
    config, public = by_token(), pair("rsa").public
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, CLAIMS)]
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    shared = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    mac = hmac.digest(public.encode(), f"{shared}.{parts[1]}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    for text in (
        f"Bearer {none}.{parts[1]}.",
        f"Bearer {shared}.{parts[1]}.{signature}",
        f"Bearer {parts[0]}.{parts[1]}.{signature}",
        token(CLAIMS, 1),
        token(CLAIMS, 1, kid="k0"),
        token(CLAIMS)[:-4],
        "Bearer a.b.c",
        "Bearer " + "é" * 40,
        "Bearer " + "a" * 9000,
        "Bearer",
    ):
        assert not judged(config, {"authorization": text}).ok
        assert not judged(by_token(secret=public), {"authorization": text}).ok
        assert not explain(config, BODY, {"authorization": text}, NOW).ok


def test_what_everybody_can_have_signed_is_pinned() -> None:
    """A provider whose one key signs for all its customers proves nothing without what is one's own."""
    for fields, says in (
        ({"scheme": "aws-sns"}, "values.topicArn"),
        ({"scheme": "google-pubsub", "audience": AUDIENCE}, "claims.email"),
        ({"scheme": "google-pubsub", "claims": {"email": "a@example.com"}}, "audience"),
        ({"scheme": "paypal"}, "values.webhookId"),
        ({"scheme": "mpesa", "secret": "x" * 20}, "signs nothing"),
        ({"scheme": "custom", "type": "jwt", "header": "x", "secret": "a short secret", "audience": "a"}, "32 bytes"),
    ):
        with pytest.raises(ValidationError, match=says):
            SignatureConfig.model_validate(fields)


def test_an_unencoded_payload_is_none() -> None:
    """An extension of tokens that is not asked for is refused (RFC 7797)."""
    config = by_token()
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"k0","b64":false,"crit":["b64"]}').rstrip(b"=").decode()
    payload = json.dumps(CLAIMS)
    signature = base64.urlsafe_b64encode(signed_by("rsa", f"{head}.{payload}".encode())).rstrip(b"=").decode()
    assert not judged(config, {"authorization": f"Bearer {head}.{payload}.{signature}"}).ok
    body = base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()
    signature = base64.urlsafe_b64encode(signed_by("rsa", f"{head}.{body}".encode())).rstrip(b"=").decode()
    assert not judged(config, {"authorization": f"Bearer {head}.{body}.{signature}"}).ok


def test_a_time_inside_the_signed_body() -> None:
    """What covers the body covers a time in it."""
    config = custom(header="x-s", timestampIn="body:at", timestampFormat="milliseconds")
    body = json.dumps({"at": NOW * 1000}).encode()
    assert judged(config, {"x-s": digest(body).hex()}, body).ok
    assert "301 s old" in judged(config, {"x-s": digest(body).hex()}, body, now=NOW + 301).cause


def test_a_token_about_a_body() -> None:
    """The claim that holds the body's digest binds the token to it."""
    config = by_token(bodyClaim="request_body_sha256", audience=None)
    signed = {"authorization": token({"iat": NOW, "request_body_sha256": hashlib.sha256(BODY).hexdigest()})}
    assert judged(config, signed).ok
    assert "the body is not" in judged(config, signed, BODY + b" ").cause
    assert explain(config, BODY + b" ", signed, NOW).failed == "body"
    with pytest.raises(ValidationError, match="audience or bodyClaim"):
        by_token(audience=None)


TOPIC = {"topicArn": "arn:aws:sns:eu-west-1:1:t"}


def by_certificate(pem: str, authorities: list[str], signed_at: float = NOW) -> Any:
    """A request of SNS, signed by the rsa key of the tests, judged with a certificate."""
    fields = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": "a\nb",
        "Timestamp": "2027-01-15T08:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
    }
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    content = "".join(f"{name}\n{fields[name]}\n" for name in names).encode()
    body = {**fields, "Signature": base64.b64encode(signed_by("rsa", content)).decode()}
    config = SignatureConfig.model_validate({"scheme": "aws-sns", "secrets": authorities, "values": TOPIC})
    asked: list[str] = []

    def lookup(url: str, _is_outdated: bool = False, _is_sent: bool = False, /) -> str:
        asked.append(url)
        return pem

    def judge(**changes: Any) -> SignatureVerdict:
        raw = json.dumps({**body, **changes}).encode()
        return judged(config, {}, raw, now=signed_at, trust=TrustSources(lookup))

    return judge, asked


def test_a_certificate_from_an_allowed_host() -> None:
    """What the provider's certificate signs passes; one from elsewhere is not even fetched."""
    authority = Authority()
    pem = authority.issue(pair("rsa").key.public_key(), "sns.amazonaws.com")
    judge, asked = by_certificate(pem, [])
    assert judge().ok
    assert not judge(Message="a").ok
    assert not judge(MessageId="m-2").ok
    assert not judge(Subject="s").ok
    assert not judge(TopicArn="arn:aws:sns:eu-west-1:2:another").ok
    fetched = len(asked)
    for url in (
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://sns.s3.amazonaws.com/x.pem",
        "https://sns.s3-eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com./x.pem",
        "https://sns.EU-WEST-1.amazonaws.com.cn.evil.example/x.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b",
        "https://sns.eu-west-1.amazonaws.com/x.pem#y",
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "file:///etc/passwd",
        "https://[",
        "",
    ):
        assert not judge(SigningCertURL=url).ok
    assert len(asked) == fetched


def test_a_certificate_of_a_pinned_authority() -> None:
    """With authorities pinned a certificate must descend from one of them, have the name, and be valid now."""
    authority, other = Authority(), Authority("Another root")
    key = pair("rsa").key.public_key()
    right, foreign = authority.issue(key, "sns.amazonaws.com"), other.issue(key, "sns.amazonaws.com")
    for pem, passes in (
        (right, True),
        (foreign, False),
        (authority.issue(key, "evil.example"), False),
        (authority.issue(key, "sns.amazonaws.com", days=10), False),
        (authority.issue(pair("rsa", 1).key.public_key(), "sns.amazonaws.com"), False),
        ("no certificate", False),
        (right * 6, False),
    ):
        judge, _ = by_certificate(pem, [authority.pem])
        assert judge().ok is passes


def test_a_clients_certificate_that_a_proxy_passes_on() -> None:
    """Pinned by its authority, with a name if one is asked for, or by its fingerprint; elsewhere it is nothing."""
    authority, other = Authority(), Authority("Another root")
    key = pair("ecdsa").key.public_key()
    mine, foreign = (each.issue(key, "bank.example", client=True) for each in (authority, other))
    der = base64.b64decode("".join(mine.splitlines()[1:-1]))
    trust = TrustSources(lambda url, _=False, _sent=False, /: url, "x-client-cert")
    pinned = custom(type="mtls", secret=authority.pem)
    named = custom(type="mtls", secret=authority.pem, certificateName="bank.example")
    by_print = custom(type="mtls", secret=hashlib.sha256(der).hexdigest())
    for config in (pinned, named, by_print):
        for written in (quote(mine), f":{base64.b64encode(der).decode()}:"):
            assert judged(config, {"x-client-cert": written}, now=NOW, trust=trust).ok
        for wrong in (quote(foreign), "garbage", ":AAAA:", "", quote(mine) * 20):
            assert not judged(config, {"x-client-cert": wrong}, now=NOW, trust=trust).ok
        assert "BPM_CLIENT_CERTIFICATE_HEADER" in judged(config, {"client-cert": quote(mine)}).cause
    other_name = custom(type="mtls", secret=authority.pem, certificateName="other.example")
    assert not judged(other_name, {"x-client-cert": quote(mine)}, now=NOW, trust=trust).ok


def test_costs_are_bounded() -> None:
    """A hundred signatures, long texts and deep bodies are judged at once."""
    config = custom(type="rsa", header="x-s", between=",", secret=pair("rsa").public)
    many = ",".join([base64.b16encode(signed_by("rsa", b"other")).decode()] * 30)
    started = time.process_time()
    for headers in ({"x-s": many}, {"x-s": "a" * 1_000_000}):
        assert not judged(config, headers).ok
    sns = SignatureConfig.model_validate({"scheme": "aws-sns", "values": TOPIC})
    assert not judged(sns, {}, b'{"a":' * 50_000).ok
    assert not judged(
        custom(header="x-s", signedContent="{query.a}.{body}"),
        {"x-s": "0" * 64},
        address=HERE._replace(query="a=1&" * 5000),
    ).ok
    assert time.process_time() - started < 5


@pytest.fixture
async def issuer(anyio_backend: str) -> Any:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


async def test_keys_are_fetched_beside_the_request(issuer: HTTPServer) -> None:
    """The first request is told to come again, the next is right; a new key is fetched when a token names it."""
    served = {"set": key_set(0)}
    issuer.expect_request("/keys").respond_with_handler(lambda _: _answer(served["set"]))
    url = issuer.url_for("/keys").replace("localhost", "127.0.0.1")
    changes: dict[str, Any] = {"delivery": {"allowed_networks": "127.0.0.0/8"}}
    async with running_app(**changes) as app:
        signature = {
            "scheme": "custom", "type": "jwt", "header": "Authorization", "prefix": "Bearer ", "keysUrl": url,
            "audience": AUDIENCE,
        }  # fmt: skip
        await app.rule(
            "by-token", commandName="PublishEventCommand", parameters={"event": "x", "data": {}}, signature=signature
        )
        claims = {**CLAIMS, "iat": int(time.time()), "exp": int(time.time()) + 600}
        first = await app.hook("by-token", {"id": 1}, {"authorization": token(claims)})
        assert (first.status, first.headers["retry-after"]) == (503, "5")
        assert (await _until_known(app, token(claims))).status == 200
        assert (await app.hook("by-token", {"id": 2}, {"authorization": token(claims, 1, kid="k0")})).status == 401
        requests = await app.requests(configKey="by-token")
        assert {request["verdict"] for request in requests} == {"passed", "keys", "signature"}
        assert token(claims)[10:] not in str(requests)


async def _until_known(app: RunningApp, written: str) -> Any:
    return await until(
        lambda: app.hook("by-token", {"id": 2}, {"authorization": written}), lambda answer: answer.status != 503
    )


def _answer(text: str) -> Any:
    from werkzeug import Response

    return Response(text, content_type="application/json")


async def test_keys_of_hosts_that_may_not_be_reached_are_not_fetched(issuer: HTTPServer) -> None:
    """Private addresses, other schemes and answers that are too large end in a sentence, not in a key."""
    from bpm.security.net import AddressList
    from bpm.security.net_targets import Targets

    issuer.expect_request("/large").respond_with_data("x" * 70_000)
    issuer.expect_request("/moved").respond_with_data("", status=302, headers={"location": "/large"})
    local = issuer.url_for("").replace("localhost", "127.0.0.1").rstrip("/")
    for allowed, url in (("", f"{local}/keys"), ("127.0.0.0/8", f"{local}/large"), ("127.0.0.0/8", f"{local}/moved")):
        published = PublishedKeys(Targets(AddressList.parse(allowed)))
        published.start()
        keys = published.of(1)
        try:
            refusal = await until(
                lambda keys=keys, url=url: _refusal(keys, url),
                lambda refusal: "can't be fetched" in refusal.cause,
            )
            assert refusal.is_pending
        finally:
            await published.stop()


def _refusal(keys: KeyLookup, url: str) -> SignatureRefusal:
    with pytest.raises(SignatureRefusal) as caught:
        keys(url)
    return caught.value


async def test_a_draft_finds_out_nothing_hidden_in_a_body(app: RunningApp) -> None:
    """Whoever writes a scheme can't ask for one beginning of a password after another."""
    await app.rule("hidden", commandName="PublishEventCommand", parameters={"event": "x", "data": {}})
    await app.hook("hidden", {"password": "hunter2hunter2", "id": 1})
    (row,) = await app.requests(configKey="hidden")
    for fields in (
        {"type": "static", "signatureIn": "body:password", "secret": "hunter2hunter2"},
        {"type": "hmac", "signatureIn": "body:password", "prefix": "hunter2", "secret": "x" * 20},
    ):
        draft = {"scheme": "custom", **fields}
        found = await app.cmd("ExplainSignatureQuery", requestId=row["requestId"], signature=draft)
        assert not found["ok"]
        assert "does not start" in found["cause"] or found["failed"] != "encoding"
        assert found["failed"] != ""


@pytest.mark.parametrize(
    ("signature", "query", "body"),
    [
        ({"type": "static", "signatureIn": "query:k", "secret": SECRET}, f"k={SECRET}&a=1", b'{"id":1}'),
        ({"signatureIn": "query:proof", "secret": SECRET}, "a=1&proof={mac}", b'{"id":1}'),
        ({"type": "static", "signatureIn": "body:clientState", "secret": SECRET}, "", b'{"clientState":"%b"}'),
    ],
)
async def test_a_proof_in_the_query_or_body_is_sealed(
    app: RunningApp, signature: dict[str, Any], query: str, body: bytes
) -> None:
    """It is shown to nobody, no template sees it, and the stored request is verified by it again."""
    key = f"sealed-{signature['signatureIn'].replace(':', '-')}"
    body = body.replace(b"%b", SECRET.encode())
    proof = digest(body).hex()
    query = query.replace("{mac}", proof)
    seen = {"commandName": "PublishEventCommand", "parameters": {"event": key, "data": {"all": "{{query}}{{payload}}"}}}
    await app.rule(key, **seen, signature={"scheme": "custom", **signature})
    path = f"/api/webhooks/{key}?{query}"
    answer = await app.request("POST", path, body, {"content-type": "application/json"})
    assert answer.status == 200, answer.body
    assert (
        await app.request("POST", f"/api/webhooks/{key}?a=1", b"{}", {"content-type": "application/json"})
    ).status == 401
    await app.settled()
    refused, done = await app.requests(configKey=key)
    detail = await app.cmd("GetInboundRequestByIdQuery", requestId=done["requestId"])
    events = await app.cmd("GetEventListQuery", event=key)
    for shown in (refused, done, detail, events):
        assert SECRET not in str(shown)
        assert proof not in str(shown)
    found = await app.cmd("ExplainSignatureQuery", requestId=done["requestId"])
    assert found["ok"], found
    again = await app.cmd("ReplayInboundRequestsCommand", requestIds=[done["requestId"]], force=True)
    assert SECRET not in str(again)


async def test_a_certificate_counts_only_from_a_trusted_proxy() -> None:
    """A client that writes the proxy's header itself is nobody; through the proxy it is known."""
    authority = Authority()
    mine = quote(authority.issue(pair("ecdsa").key.public_key(), "bank.example", client=True))
    changes: dict[str, Any] = {"trusted_proxies": "10.9.0.0/16", "client_certificate_header": "X-Client-Cert"}
    async with running_app(**changes) as app:
        signature = {"scheme": "custom", "type": "mtls", "secret": authority.pem}
        rule: dict[str, Any] = {"commandName": "PublishEventCommand", "parameters": {"event": "x", "data": {}}}
        await app.rule("by-certificate", **rule, signature=signature)
        headers = {"x-client-cert": mine, "content-type": "application/json"}
        for peer, status in (("10.9.0.1", 200), ("10.8.0.1", 401), ("192.0.2.1", 401)):
            answer = await send_from(app, peer, "by-certificate", headers, content=b"{}")
            assert answer.status == status, peer


@pytest.mark.parametrize(
    ("name", "secret", "headers", "body", "address"),
    [
        (
            "twilio",
            "12345",
            {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "content-type": "application/x-www-form-urlencoded"},
            b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
            RequestAddress("POST", "/myapp.php", "foo=1&bar=2", "https://mycompany.com"),
        ),
        (
            "sanity",
            "test",
            {"sanity-webhook-signature": "t=1633519811129,v1=tLa470fx7qkLLEcMOcEUFuBbRSkGujyskxrNXcoh0N0"},
            b'{"_id":"resume"}',
            HERE,
        ),
        (
            "hubspot-v2",
            "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
            {"x-hubspot-signature": "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"},
            b"",
            RequestAddress("GET", "/webhook_uri", "", "https://www.example.com"),
        ),
    ],
)
def test_published_examples(
    name: str, secret: str, headers: dict[str, str], body: bytes, address: RequestAddress
) -> None:
    """What providers publish is right here, also with the short secrets of their examples."""
    config = SignatureConfig.model_validate({"scheme": name, "secret": secret}, context=STORED)
    assert compile_signature(config).verify(body, headers, 1_633_519_811, address).ok
