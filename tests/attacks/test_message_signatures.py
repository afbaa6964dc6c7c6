"""HTTP Message Signatures of requests: an independent library signs, and nothing but what it signed passes."""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import http_message_signatures
import pytest

from bpm.signatures import PRESETS, RequestAddress, SignatureConfig, compile_signature, explain
from bpm.signatures.message_signatures import SignedMessage, message_headers
from tests.bpm.signatures.signing_keys import pair

RFC9421: Any = http_message_signatures
NOW = 1_800_000_000
BODY = b'{"id":"evt_1","amount":100}'
SECRET = "a-secret-of-some-length"
HOOK = RequestAddress("POST", "/api/webhooks/paid", "a=1&b=two", "https://hooks.example.com")
URL = "https://hooks.example.com/api/webhooks/paid?a=1&b=two"
COVERED = ("@method", "@authority", "@path", "content-type", "content-digest")
KINDS: dict[str, tuple[str, str]] = {
    "HMAC_SHA256": ("hmac", "sha256"),
    "ED25519": ("ed25519", "sha256"),
    "ECDSA_P256_SHA256": ("ecdsa", "sha256"),
    "ECDSA_P384_SHA384": ("ecdsa", "sha384"),
    "RSA_PSS_SHA512": ("rsa-pss", "sha512"),
    "RSA_V1_5_SHA256": ("rsa", "sha256"),
}


class Keys(RFC9421.HTTPSignatureKeyResolver):
    """Knows one key."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def resolve_private_key(self, key_id: str) -> Any:
        return self.key


def half(name: str, number: int = 0) -> Any:
    """Return a pair of keys for an algorithm."""
    kind = {"ECDSA_P384_SHA384": "p384", "ECDSA_P256_SHA256": "ecdsa", "ED25519": "ed25519"}.get(name, "rsa")
    return pair(kind, number)


def config(name: str = "HMAC_SHA256", number: int = 0, **more: Any) -> SignatureConfig:
    """Return how a rule names the scheme."""
    kind, hash_ = KINDS[name]
    secret = SECRET if kind == "hmac" else half(name, number).public
    fields = {"scheme": "custom", "type": kind, "hash": hash_, "header": "Signature", "signedContent": "{message}"}
    return SignatureConfig.model_validate({**fields, "secret": secret, **more})


def signed(name: str = "HMAC_SHA256", covered: tuple[str, ...] = COVERED, **more: Any) -> dict[str, str]:
    """Return the headers of a request that the other library has signed."""
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
    headers = {"content-type": "application/json", "content-digest": digest, "x-id": "7"}
    message = SimpleNamespace(method="POST", url=URL, headers=dict(headers))
    key = SECRET.encode() if name == "HMAC_SHA256" else half(name).key
    signer = RFC9421.HTTPMessageSigner(signature_algorithm=getattr(RFC9421.algorithms, name), key_resolver=Keys(key))
    fields: dict[str, Any] = {"created": datetime.fromtimestamp(NOW, UTC), **more}
    signer.sign(message, key_id="k", covered_component_ids=covered, body=BODY, use_existing_digest=True, **fields)
    return {header.lower(): str(value) for header, value in message.headers.items()}


def cause(
    headers: dict[str, str],
    body: bytes = BODY,
    address: RequestAddress = HOOK,
    now: float = NOW,
    rule: SignatureConfig | None = None,
) -> str:
    """Return why a request is refused, or nothing."""
    return compile_signature(rule or config()).verify(body, headers, now, address).cause


@pytest.mark.parametrize("name", KINDS)
def test_what_another_library_signs(name: str) -> None:
    """By each algorithm that RFC 9421 names, with the right key and no other."""
    headers = signed(name)
    assert cause(headers, rule=config(name)) == ""
    other = config(name, secret=SECRET[1:]) if name == "HMAC_SHA256" else config(name, 7)
    assert "does not match" in cause(headers, rule=other)
    assert "does not match" in cause({**headers, "content-type": "text/plain"}, rule=config(name))


def test_what_is_sent_here_passes_here() -> None:
    """A delivery of another server of ours, with the signature of a former secret beside it."""
    secrets = [f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2)]
    message = SignedMessage(URL, "application/json", "evt_1", BODY)
    sent = {name.lower(): text for name, text in message_headers("hmac-sha256", secrets, message, NOW).items()}
    headers = {**sent, "content-type": "application/json", "webhook-id": "evt_1"}
    for secret in secrets:
        assert cause(headers, rule=config(secret=secret, keyDecoding="whsec")) == ""
    assert cause({**headers, "webhook-id": "evt_2"}, rule=config(secret=secrets[0], keyDecoding="whsec"))


@pytest.mark.parametrize(
    "component",
    ["@target-uri", "@request-target", "@scheme", "@query", "x-id", '@query-param";name="b'],
)
def test_every_part_that_may_be_covered(component: str) -> None:
    """It is what the other library takes it for, and another one is another request."""
    if "query-param" in component:
        headers = signed(covered=(*COVERED, '"@query-param";name="b"'))
    else:
        headers = signed(covered=(*COVERED, component))
    assert cause(headers) == ""
    other = HOOK._replace(query="a=1&b=three", base="http://hooks.example.com")
    assert cause({**headers, "x-id": "8"}, address=other)


CHANGES: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "a signature that is not there": lambda h: {**h, "signature": ""},
    "no description": lambda h: {name: text for name, text in h.items() if name != "signature-input"},
    "another label": lambda h: {**h, "signature": h["signature"].replace("=:", "x=:", 1)},
    "a label twice": lambda h: {**h, "signature-input": f"{h['signature-input']}, {h['signature-input']}"},
    "two blanks": lambda h: {**h, "signature-input": h["signature-input"].replace('" "', '"  "', 1)},
    "a part twice": lambda h: {**h, "signature-input": h["signature-input"].replace('("', '("@method" "', 1)},
    "a part of a response": lambda h: {**h, "signature-input": h["signature-input"].replace('"@path"', '"@status"')},
    "a part of another request": lambda h: {**h, "signature-input": h["signature-input"].replace('h"', 'h";req', 1)},
    "less that is covered": lambda h: {**h, "signature-input": h["signature-input"].replace(' "content-type"', "")},
    "no digest covered": lambda h: {**h, "signature-input": h["signature-input"].replace('"content-digest"', '"x-id"')},
    "another time": lambda h: {**h, "signature-input": h["signature-input"].replace(str(NOW), str(NOW + 1))},
    "no time": lambda h: {**h, "signature-input": h["signature-input"].replace(f";created={NOW}", "")},
    "another algorithm": lambda h: {**h, "signature-input": h["signature-input"].replace("hmac-sha256", "ed25519")},
    "a digest of another name": lambda h: {**h, "content-digest": h["content-digest"].replace("sha-256", "md5")},
    "a second digest": lambda h: {**h, "content-digest": f"{h['content-digest']}, sha-512=:AAAA:"},
    "a signature of nothing": lambda h: {**h, "signature": h["signature"].split("=:")[0] + "=::"},
    "more signatures than are looked at": lambda h: {
        **h, "signature": ", ".join([f"x{n}=:AAAA:" for n in range(6)] + [h["signature"]])
    },
    "very long": lambda h: {**h, "signature-input": h["signature-input"] + ', a=("b")' * 5_000},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_such_signature(change: str) -> None:
    """Every change is refused, with a sentence."""
    headers = signed()
    assert cause(headers) == ""
    changed = CHANGES[change](headers)
    assert cause(changed)
    found = explain(config(), BODY, changed, NOW, str, HOOK)
    assert (found.cause, bool(found.failed)) == (cause(changed), True)


def test_another_request_with_the_same_signature() -> None:
    """Body, method, host, path and time are those that were signed."""
    headers = signed()
    assert "digest" in cause(headers, body=BODY + b" ")
    assert cause(headers, address=HOOK._replace(method="PUT"))
    assert cause(headers, address=HOOK._replace(path="/api/webhooks/other"))
    assert cause(headers, address=HOOK._replace(base="https://other.example.com"))
    assert "tolerated 300 s" in cause(headers, now=NOW + 301)
    assert "tolerated 300 s" in cause(headers, now=NOW - 301)
    expiring = signed(expires=datetime.fromtimestamp(NOW + 10, UTC))
    assert cause(expiring, now=NOW + 10) == ""
    assert cause(expiring, now=NOW + 11) == "the signature has expired"


def test_a_public_key_is_no_secret() -> None:
    """Whoever knows the public key of a rule can't sign with it as if it were a shared one."""
    public = half("ED25519").public
    headers = signed()
    forged = compile_signature(config("ED25519")).verify(BODY, headers, NOW, HOOK)
    assert not forged.ok
    assert cause(signed("ED25519"), rule=config(secret=public))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"signedContent": "{message}.{body}"}, "holds nothing else"),
        ({"hash": "sha1"}, "the types and hashes of RFC 9421"),
        ({"type": "hash"}, "the types and hashes of RFC 9421"),
        ({"header": "X-Signature"}, "header must be Signature"),
        ({"prefix": "v1="}, "prefix and between can't be set"),
    ],
)
def test_what_goes_with_it(more: dict[str, Any], says: str) -> None:
    """What can't be is refused when the rule is saved."""
    with pytest.raises(ValueError, match=says):
        config(**more)


def test_an_id_in_a_covered_body_is_signed() -> None:
    """The digest is always covered, so an id in the body is nobody else's."""
    scheme = config().to_scheme()
    assert scheme.covers("body:id")
    assert not scheme.covers("header:x-id")
    assert "{message}" not in {scheme.signed_content for scheme in PRESETS.values()}


def test_parameters_of_the_query_are_read_once() -> None:
    """Whatever a request says to be covered: before anything is proven, no query is read again for each parameter."""
    names = [f"a{number}" for number in range(26)]
    covered = (*COVERED[:2], "content-digest", *(f'@query-param";name="{name}' for name in names))
    listed = " ".join(f'"{component}"' for component in covered)
    claims = ", ".join(f"s{number}=({listed});created={NOW}" for number in range(5))
    made = ", ".join(f"s{number}=:AAAA:" for number in range(5))
    headers = {**signed(), "signature-input": claims, "signature": made}
    query = "&".join(f"a{number}=" for number in range(1_000))
    assert "does not match" in cause(headers, address=HOOK._replace(query=query))
    assert cause(headers, address=HOOK._replace(query=f"{query}&b=")) == "the query has more than 1000 fields"
