"""Every preset: its example passes, no change of it does, and the doctor names the cause."""

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import pytest

from bpm.signatures import (
    DETAILS,
    PRESETS,
    Explanation,
    Preset,
    PresetExample,
    RequestAddress,
    Scheme,
    SignatureConfig,
    SignatureRefusal,
    SignedRequest,
    TrustSources,
    compile_signature,
    explain,
    sign_request,
)
from bpm.signatures.scheme import SHARED
from bpm.signatures.signed_request import finder, parse_place
from router.config import ResponseConfig
from router.deduplication import delivery_id, locator_of
from router.handshakes import HandshakeConfig, handshake
from router.request import InboundCall
from router.request_secrets import RequestSecrets
from tests.bpm.signatures.signing_keys import Authority, pair

NAMES = sorted(DETAILS)
SIGNED = [name for name in NAMES if PRESETS[name].kind != "none"]
BY_KEY = ("ed25519", "ecdsa", "rsa", "rsa-pss", "jwt")


class Case(NamedTuple):
    """A request that may be changed, and the configuration that it is judged by."""

    config: SignatureConfig
    headers: dict[str, str]
    body: bytes
    address: RequestAddress
    now: float
    published: dict[str, str]

    def explained(self) -> Explanation:
        """What the doctor says; the verdict is always the same."""
        trust = TrustSources(self.lookup)
        found = explain(self.config, self.body, self.headers, self.now, str, self.address, trust)
        verdict = compile_signature(self.config, str, trust).verify(self.body, self.headers, self.now, self.address)
        assert (found.ok, found.cause) == (verdict.ok, verdict.cause)
        assert found.ok or (found.failed and found.cause)
        return found

    def lookup(self, url: str, _is_outdated: bool = False, _is_sent: bool = False, /) -> str:
        if url not in self.published:
            raise SignatureRefusal("secret", "not published")
        return self.published[url]

    def with_value(self, place: str, value: str) -> "Case":
        """The same request with another text at a place."""
        kind, _, name = place.partition(":")
        if kind == "header":
            return self._replace(headers={**self.headers, name.lower(): value})
        former = finder(parse_place(place))(self.request)
        assert former is not None
        if kind == "query":
            return self._replace(address=self.address._replace(query=self.address.query.replace(former, value)))
        if SignedRequest(b"", self.headers).is_form:
            return self._replace(body=self.body.replace(quote_plus(former).encode(), quote_plus(value).encode(), 1))
        written = json.dumps(former)[1:-1].encode()
        body = self.body if self.body.count(written) else self.body.replace(b"\\/", b"/")
        assert written in body or former.encode() in body
        return self._replace(body=body.replace(written if written in body else former.encode(), value.encode(), 1))

    @property
    def request(self) -> SignedRequest:
        return SignedRequest(self.body, self.headers, self.address)

    def value(self, place: str) -> str:
        found = finder(parse_place(place))(self.request)
        assert found is not None, place
        return found


def example_of(name: str) -> PresetExample:
    example = DETAILS[name].example
    assert example is not None, f"{name} has no example"
    return example


def case_of(name: str) -> Case:
    example = example_of(name)
    secret = {"secret": example.secret} if example.secret else {}
    config = SignatureConfig.model_validate({"scheme": name, **secret, **example.more})
    address = RequestAddress(example.method, example.path, example.query, example.base)
    headers = {header.lower(): value for header, value in example.headers.items()}
    return Case(config, headers, example.body.encode(), address, example.now, dict(example.published))


def scheme_of(case: Case) -> Scheme:
    """The form of a preset's scheme that its example has."""
    scheme = case.config.to_scheme()
    found = finder(parse_place(scheme.signature_place))(case.request) if scheme.signature_place else ""
    return scheme.also if found is None and scheme.also is not None else scheme


def other_secret(case: Case) -> dict[str, Any]:
    """A secret of the same form that is not the one."""
    scheme, secret = case.config.to_scheme(), case.config.secret or ""
    if scheme.kind in BY_KEY:
        kind = "rsa" if "rsa" in scheme.kind or (scheme.kind == "jwt" and "RS256" in scheme.algorithms) else scheme.kind
        return {"secret": pair({"jwt": "ecdsa"}.get(kind, kind), 9).public}
    if scheme.kind == "certificate":
        return {"secret": Authority().pem}
    alphabet = str.maketrans("0123456789abcdefABCDEFghy", "1032547698badcfeBADCFEhgz")
    start = "whsec_" if secret.startswith("whsec_") else ""
    return {"secret": start + secret.removeprefix(start).translate(alphabet)}


@pytest.mark.parametrize("name", NAMES)
def test_the_example_passes(name: str) -> None:
    """It is right, the doctor agrees, and the documentation is named."""
    preset, case = DETAILS[name], case_of(name)
    assert case.explained().ok
    assert preset.title
    assert not preset.documentation or preset.documentation.startswith("https://")
    assert example_of(name).source


@pytest.mark.parametrize("name", NAMES)
def test_id_and_event_are_found_where_the_preset_says(name: str) -> None:
    """The id by which repetitions are known, and the event's name for `when`."""
    preset, case, example = DETAILS[name], case_of(name), example_of(name)
    call = InboundCall(
        "POST",
        "p",
        {"content-type": "application/json", **case.headers},
        example.query,
        "192.0.2.1",
        datetime.now(UTC),
        case.body,
    )
    if "text/plain" in call.headers["content-type"]:
        call.headers = {**call.headers, "content-type": "application/json"}
    find = delivery_id(None, preset.scheme)
    found = find(call) if find is not None else None
    assert example.delivery_id in (found or "") if example.delivery_id else found is None
    assert (not example.event) or preset.event
    if example.event:
        locate = locator_of([preset.event])
        assert locate is not None
        assert locate(call.headers, call.query, lambda: call.payload.value) == example.event


@pytest.mark.parametrize("name", NAMES)
def test_handshake_and_answer_are_those_of_a_rule(name: str) -> None:
    """What the preset says of them can be written into a rule."""
    preset = DETAILS[name]
    if preset.handshake is not None:
        assert HandshakeConfig.model_validate(preset.handshake)
    if preset.response is not None:
        assert ResponseConfig.model_validate(preset.response)


def _in_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def signed_token(encode: Callable[[bytes], str]) -> str:
    return encode(hmac.digest(b"the-secret-of-the-rule", b"a-token", "sha256"))


@pytest.mark.parametrize(
    ("name", "method", "query", "headers", "payload", "answer"),
    [
        ("dropbox", "GET", {"challenge": "a-token"}, {}, None, "a-token"),
        ("nylas", "GET", {"challenge": "a-token"}, {}, None, "a-token"),
        ("microsoft-graph", "POST", {"validationToken": "a-token"}, {}, None, "a-token"),
        ("okta", "GET", {}, {"x-okta-verification-challenge": "a-token"}, None, {"verification": "a-token"}),
        (
            "twitch",
            "POST",
            {},
            {"twitch-eventsub-message-type": "webhook_callback_verification"},
            {"challenge": "a-token"},
            "a-token",
        ),
        ("slack", "POST", {}, {}, {"type": "url_verification", "challenge": "a-token"}, "a-token"),
        (
            "zoom",
            "POST",
            {},
            {},
            {"event": "endpoint.url_validation", "payload": {"plainToken": "a-token"}},
            {"plainToken": "a-token", "encryptedToken": signed_token(bytes.hex)},
        ),
        (
            "x",
            "GET",
            {"crc_token": "a-token"},
            {},
            None,
            {"response_token": "sha256=" + signed_token(_in_base64)},
        ),
    ],
)
def test_a_question_of_the_provider_is_answered(
    name: str, method: str, query: dict[str, str], headers: dict[str, str], payload: Any, answer: Any
) -> None:
    """The handshake that the preset names answers as the provider wants it, and takes no event for a question."""
    fields = dict(DETAILS[name].handshake or {})
    if "secret" in fields:
        fields["secret"] = "the-secret-of-the-rule"
    config, case = HandshakeConfig.model_validate(fields), case_of(name)
    body = json.dumps(payload).encode() if payload is not None else b""
    found = handshake(config, method, query, headers, body)
    assert found is not None
    assert found.status == 200
    assert (json.loads(found.body) if isinstance(answer, dict) else found.body.decode()) == answer
    assert handshake(config, "POST", {}, case.headers, case.body) is None


def test_asana_gets_its_secret_back_as_a_header() -> None:
    """It wants no body; a request that is signed is an event."""
    config = HandshakeConfig.model_validate(DETAILS["asana"].handshake)
    headers = {"x-hook-secret": "b537207f20cbfa02357cf448134da559"}
    found = handshake(config, "POST", {}, headers, b"{}")
    assert found is not None
    assert (found.status, found.body) == (200, b"")
    assert ("x-hook-secret", headers["x-hook-secret"]) in found.headers
    assert handshake(config, "POST", {}, {**headers, "x-hook-signature": "00"}, b"{}") is None


def test_what_is_cut_out_of_a_body_is_what_the_provider_says() -> None:
    """Paga and OPay sign fields as their pages write them down; the same is put together here by hand."""
    paga, opay = example_of("paga"), example_of("opay")
    content = "0" + "3206420520" + "250.00" + "1.88" + paga.secret
    assert json.loads(paga.body)["hash"] == hashlib.sha512(content.encode()).hexdigest()
    content = (
        '{Amount:"49160",Currency:"NGN",Reference:"10023",Refunded:f,Status:"SUCCESS",'
        'Timestamp:"2022-05-07T06:20:46Z",Token:"220507145660712931829",TransactionID:"220507145660712931829"}'
    )
    assert json.loads(opay.body)["sha512"] == hmac.digest(opay.secret.encode(), content.encode(), "sha3-512").hex()


MAIL = {"subject": "Offer", "timestamp": "1800000000", "token": "d2e8a0e6fc0a4d8cbb0aa8c7b5c7d3f0aa7b4f9e0c1d2e3f4a"}


def form_with_a_file(fields: list[tuple[str, str]]) -> bytes:
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields]
    file = '--edge\r\nContent-Disposition: form-data; name="signature"; filename="a.txt"\r\n\r\nfile\r\n'
    return "".join([*parts, file, "--edge--\r\n"]).encode()


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=edge"])
def test_a_mail_that_mailgun_forwards_is_verified(media_type: str) -> None:
    """Its fields are those of a form, of several parts when it has files; a field that stands twice proves nothing."""
    case = case_of("mailgun-routes")
    signed = (MAIL["timestamp"] + MAIL["token"]).encode()
    right = [
        *MAIL.items(),
        ("signature", hmac.digest(example_of("mailgun-routes").secret.encode(), signed, "sha256").hex()),
    ]

    def sent(fields: list[tuple[str, str]]) -> Explanation:
        body = form_with_a_file(fields) if media_type.startswith("multipart") else urlencode(fields).encode()
        return case._replace(headers={"content-type": media_type}, body=body).explained()

    assert sent(right).ok
    assert sent([(name, "1800000001" if name == "timestamp" else text) for name, text in right]).failed == "timestamp"
    assert "missing" in sent(right[:-1]).cause
    assert "more than once" in sent([*right, ("token", "another")]).cause


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=edge", b"--edge\r\n"),
        (
            "multipart/form-data; boundary=edge",
            b"--edge\r\nContent-Disposition: form-data; name=a; filename*=odd''x\r\n\r\nx\r\n--edge--\r\n",
        ),
    ],
)
def test_a_multipart_form_that_is_none_is_refused(media_type: str, body: bytes) -> None:
    """With a sentence, not a crash."""
    found = case_of("mailgun-routes")._replace(headers={"content-type": media_type}, body=body).explained()
    assert (found.ok, found.failed) == (False, "body")


def tampered_bodies(case: Case) -> Iterator[Case]:
    """The same request about something else, as far as its signature covers that."""
    scheme = scheme_of(case)
    if scheme.kind == "jwt" and not scheme.body_claim:
        return
    if "{form sorted}" in scheme.signed_content:
        yield case._replace(body=case.body[:-1] + b"x")
        yield case._replace(body=case.body + b"&more=1")
    elif "{body}" in scheme.signed_content or "{digest" in scheme.signed_content:
        yield case._replace(body=case.body.replace(b"1", b"2", 1) if b"1" in case.body else case.body + b"1")
        yield case._replace(body=case.body + b" ")
        yield case._replace(body=b"")
    if "{json:" in scheme.signed_content:
        yield case._replace(body=case.body.replace(b"1", b"2", 1))
    for word in scheme.signed_content.replace("?}", "").replace("{?", "").split("{body:")[1:]:
        path = word.partition("}")[0].removesuffix("*")
        value = finder(parse_place(f"body:{path}"))(case.request)
        if value:
            yield case.with_value(f"body:{path}", value[:-1] + ("0" if value[-1] != "0" else "1"))


STAMPED = [name for name in SIGNED if PRESETS[name].has_timestamp]


def stamp_of(case: Case) -> str:
    scheme = scheme_of(case)
    if scheme.timestamp_place:
        return case.value(scheme.timestamp_place)
    text = case.value(scheme.signature_place)
    return (
        text.partition(scheme.inside)[2].partition(scheme.separator)[0]
        if scheme.inside
        else text.split(scheme.separator)[0]
    )


def with_stamp(case: Case, stamp: str) -> Case:
    scheme, former = scheme_of(case), stamp_of(case)
    if scheme.timestamp_place:
        return case.with_value(scheme.timestamp_place, stamp)
    return case.with_value(scheme.signature_place, case.value(scheme.signature_place).replace(former, stamp, 1))


def private_key(preset: Preset) -> str:
    return preset.example.private_key if preset.example is not None else ""


@pytest.mark.parametrize(
    "name", [name for name in SIGNED if PRESETS[name].kind in SHARED or example_of(name).private_key]
)
def test_what_is_signed_here_is_right_here(name: str) -> None:
    """The command line and tests can send what every provider would send."""
    case, preset = case_of(name), DETAILS[name]
    bare = {header: value for header, value in case.headers.items() if header not in preset.scheme.proving_headers}
    request = SignedRequest(case.body, bare, _without_proof(case.address, preset.scheme))
    sent = sign_request(case.config, request, case.now, "msg-7", private_key=private_key(preset))
    headers = {**bare, **{header.lower(): value for header, value in sent.headers.items()}}
    signed = case._replace(headers=headers, body=sent.body, address=request.address._replace(query=sent.query))
    assert signed.explained().ok, signed.explained()


def _without_proof(address: RequestAddress, scheme: Scheme) -> RequestAddress:
    places = [
        place.partition(":")[2]
        for place in (scheme.signature_place, scheme.timestamp_in, scheme.digest_in)
        if "query:" in place
    ]
    kept = [pair for pair in address.query.split("&") if pair.partition("=")[0] not in places]
    return address._replace(query="&".join(kept))


@pytest.mark.parametrize("name", SIGNED)
def test_proofs_are_hidden(name: str) -> None:
    """What proves the sender is known to what decides about secrets, wherever it stands."""
    scheme = case_of(name).config.to_scheme()
    kind, _, path = scheme.signature_place.partition(":")
    confidential = RequestSecrets(
        scheme.proving_headers, parameters=scheme.proving_parameters, fields=scheme.proving_fields
    )
    assert {
        "header": confidential.hides_header(path.lower()),
        "query": confidential.hides_parameter(path),
        "body": path.rpartition(".")[2] in confidential.fields,
    }[kind]


def test_a_preset_can_not_be_changed() -> None:
    """Presets are data that nobody writes to."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        PRESETS["github"].header = "x"  # type: ignore[misc]
