"""Signed bytes are read in one way only, ids are bound to what is signed, and a refusal uses up nobody's id."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bpm.signatures import PRESETS, STORED, SignatureConfig, compile_signature, sign
from bpm.testing import RunningApp
from router.config import WebHookFields
from router.deduplication import DeliveryId, delivery_id
from router.request import InboundCall
from tests.router.conftest import app, noting, rows, runs, stored, until

__all__ = ["app"]

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
SECRET = "a-secret-of-the-tests"
BODY = b'{"note":"x.1800086400.{\\"evil\\":true}"}'
JSON = {"content-type": "application/json"}


def lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def custom(signed_content: str, **more: Any) -> SignatureConfig:
    fields = {"scheme": "custom", "header": "x-s", "secret": SECRET, "signedContent": signed_content}
    return SignatureConfig.model_validate({**fields, **more}, context=more.pop("context", None))


def passes(config: SignatureConfig, raw: bytes, headers: dict[str, str], now: float = NOW) -> bool:
    return compile_signature(config).verify(raw, lowered(headers), now).ok


STANDARD = SignatureConfig(scheme="standard-webhooks", secret=WHSEC)
WITH_ID = {"idHeader": "x-id", "timestampHeader": "x-t"}


def test_the_boundary_of_standard_webhooks_does_not_slide() -> None:
    """The signed bytes of one request are not those of another id, another time and another body."""
    signed = lowered(sign(STANDARD, BODY, NOW, "msg_1"))
    at = BODY.index(b".1800086400.")
    shifted = {**signed, "webhook-id": f"msg_1.{NOW}.{BODY[:at].decode()}", "webhook-timestamp": "1800086400"}
    assert passes(STANDARD, BODY, signed)
    assert not passes(STANDARD, BODY[at + 12 :], shifted, NOW + 86_400)


@pytest.mark.parametrize(
    "signed_content",
    [
        "{id}.{timestamp}.{body}",
        "{timestamp}.{body}",
        "{timestamp}{body}",
        "{body}{timestamp}",
        "v0:{timestamp}:{id}:{body}",
        "{id}--{body}",
        "{body}.{id}",
        "{body}.{timestamp}.{id}",
        "{timestamp}.{body}.{id}",
        "{id}-{timestamp}{body}",
    ],
)
@given(data=st.data())
def test_no_cut_of_the_same_bytes_is_another_request(signed_content: str, data: st.DataObject) -> None:
    """However id, time and body are cut out of the same bytes, only those that were signed pass."""
    alphabet = st.text(st.sampled_from("0123456789.-:{}a"), max_size=25)
    raw = data.draw(alphabet).encode()
    message_id = data.draw(st.text(st.sampled_from("0123456789a"), min_size=1, max_size=12))
    names = {"idHeader": "x-id"} if "{id}" in signed_content else {}
    names |= {"timestampHeader": "x-t"} if "{timestamp}" in signed_content else {}
    verifier = compile_signature(custom(signed_content, **names))
    stamp = data.draw(st.integers(NOW - 300, NOW + 300))
    headers = {"x-s": "", "x-t": str(stamp), "x-id": message_id}
    content = signed_content.replace("{id}", message_id).replace("{timestamp}", str(stamp)).encode()
    content = content.replace(b"{body}", raw)
    headers["x-s"] = hmac.new(SECRET.encode(), content, "sha256").hexdigest()
    assert verifier.verify(raw, headers, NOW).ok
    # cut the same bytes anew: move any number of characters between the parts
    text = content.decode()
    start, middle = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    for other_id, other_stamp, other_body in (
        (text[:start].strip(".-:"), text[start:middle].strip(".-:"), text[middle:].lstrip(".-:")),
        (text[middle:].strip(".-:"), text[start:middle].strip(".-:"), text[:start].rstrip(".-:")),
        (message_id, text[start:middle], raw.decode()),
        (message_id, str(stamp) + text[start:middle], text[middle:]),
        (message_id, "0" + str(stamp), raw[:-1].decode()),
    ):
        given_headers = {"x-s": headers["x-s"], "x-t": other_stamp, "x-id": other_id}
        is_same = (other_body.encode() == raw) and ("x-t" not in names.values() or other_stamp == str(stamp))
        is_same = is_same and ("x-id" not in names.values() or other_id == message_id)
        assert is_same or not verifier.verify(other_body.encode(), given_headers, NOW).ok


@pytest.mark.parametrize(
    ("signed_content", "says"),
    [
        ("{id}{body}", "separator"),
        ("{timestamp}.{id}{body}", "separator"),
        ("{body}{id}", "separator"),
        ("{id}{timestamp}.{body}", "separator"),
        ("{query.bodySHA256}{body}", "separator between {query.bodySHA256}"),
        ("{request.url}{body}", "not {request.url}"),
        ("{{body}}", "not {"),
        ("{ body }{body}", "not { body }"),
        ("{BODY}{body}", "not {BODY}"),
        ("{body", "must hold {body}"),
        ("{body}}", "not }"),
    ],
)
def test_what_could_slide_or_never_match_is_refused(signed_content: str, says: str) -> None:
    """A signed text whose parts can't be told apart, or that holds no word of ours, is refused when it is written."""
    names = {"idHeader": "x-id"} if "{id}" in signed_content else {}
    names |= {"timestampHeader": "x-t"} if "{timestamp}" in signed_content else {}
    with pytest.raises(ValidationError) as caught:
        custom(signed_content, **names)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": "a"},
        {"secret": " " * 20},
        {"secret": "1234567"},
        {"scheme": "standard-webhooks", "secret": "whsec_AA=="},
        {"scheme": "standard-webhooks", "secret": "AA"},
        {"scheme": "standard-webhooks", "secret": "whsec_" + base64.b64encode(b"k" * 15).decode()},
        {"secrets": [SECRET, "b"]},
        {"secrets": [{"name": "old", "secret": "b"}]},
        {"scheme": "custom", "header": "x-s", "keyDecoding": "hex", "secret": "00" * 15},
        {"scheme": "bearer", "secret": "padded-secret "},
        {"scheme": "custom", "type": "static", "header": "x-s", "secret": "line\nbreak-in-it"},
        {"scheme": "custom", "header": "x-s", "secret": SECRET, "prefix": " v1="},
        {"scheme": "custom", "header": "x-s", "secret": SECRET, "type": "standard", "prefix": "v1 "},
        {
            "scheme": "custom",
            "header": "x-s",
            "secret": SECRET,
            "timestampHeader": "X-S",
            "signedContent": "{timestamp}.{body}",
        },
        {
            "scheme": "custom",
            "header": "x-s",
            "secret": SECRET,
            "inside": "v1=",
            "prefix": "v1=",
            "signedContent": "{timestamp}.{body}",
        },
    ],
)
def test_a_weak_secret_and_a_dead_scheme_are_refused_but_go_on_where_they_are_stored(fields: dict[str, Any]) -> None:
    """They are refused when they are saved; a rule that was saved earlier goes on with them, and is warned about."""
    whole = {"scheme": "github", **fields}
    with pytest.raises(ValidationError):
        SignatureConfig.model_validate(whole)
    kept = SignatureConfig.model_validate(whole, context=STORED)
    assert list(kept.warnings())


@pytest.mark.parametrize("secret", ["my-token", "c0ffeec0ffee"])
def test_a_static_secret_is_compared_as_it_is(secret: str) -> None:
    """Without another encoding the header holds the secret itself; hexadecimal digits are no exception."""
    fields = {"scheme": "custom", "type": "static", "header": "X-Gitlab-Token", "secret": secret}
    config = SignatureConfig.model_validate(fields)
    assert passes(config, b"{}", {"X-Gitlab-Token": secret})
    assert not passes(config, b"{}", {"X-Gitlab-Token": secret + "x"})
    as_hex = SignatureConfig.model_validate({**fields, "encoding": "hex"})
    assert passes(as_hex, b"{}", {"X-Gitlab-Token": secret.encode().hex()})
    assert any("encoding text" in warning for warning in as_hex.warnings())


@pytest.mark.parametrize(
    "header",
    ["t=1800000000,t=1,{}", "{},t=1,t=1800000000", "t=01800000000,{}", "t=+1800000000,{}", "t=1800000000.0,{}"],
)
def test_a_time_stands_once_and_in_one_form(header: str) -> None:
    """Two times in one header, or another way of writing the same one, prove nothing."""
    config = SignatureConfig(scheme="stripe", secret=SECRET)
    signature = sign(config, BODY, NOW)["Stripe-Signature"].partition(",")[2]
    assert not passes(config, BODY, {"Stripe-Signature": header.format(signature)})


MUTATIONS: list[Callable[[str], str]] = [
    lambda t: t + "=",
    lambda t: t.rstrip("="),
    lambda t: t[:-2] + "B=",
    str.lower,
]


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_base64_has_one_form(mutate: Callable[[str], str]) -> None:
    """Padding to spare, none at all, or bits to spare are not another way of writing a right signature."""
    config = SignatureConfig(scheme="shopify", secret=SECRET)
    right = sign(config, BODY, NOW)["X-Shopify-Hmac-SHA256"]
    assert passes(config, BODY, {"X-Shopify-Hmac-SHA256": right})
    assert mutate(right) == right or not passes(config, BODY, {"X-Shopify-Hmac-SHA256": mutate(right)})


def test_a_secret_ceases_to_count() -> None:
    """A named secret counts until it expires, and not a second longer."""
    old = {"name": "old", "secret": "the-old-secret", "expiresAt": "2027-01-15T08:00:00Z"}
    config = SignatureConfig.model_validate({"scheme": "github", "secret": SECRET, "secrets": [old]})
    by_old = sign(SignatureConfig(scheme="github", secret="the-old-secret"), BODY, NOW)
    assert passes(config, BODY, by_old, NOW - 1)
    assert not passes(config, BODY, by_old, NOW)
    assert passes(config, BODY, sign(config, BODY, NOW), NOW)


def found(identify: DeliveryId | None, headers: dict[str, str], body: bytes = b"{}", query: str = "") -> str | None:
    assert identify is not None
    call = InboundCall("POST", "p", {**JSON, **headers}, query, "192.0.2.1", None, body)  # type: ignore[arg-type]
    return identify(call)


@pytest.mark.parametrize("place", [None, "header:webhook-id", "header:Svix-Id"])
def test_the_id_of_a_svix_request_is_the_signed_one(place: str | None) -> None:
    """A `webhook-id` beside Svix's headers is nobody's, and makes no new id."""
    identify = delivery_id(place, PRESETS["standard-webhooks"])
    svix = {"svix-id": "msg_1", "svix-signature": "v1,x", "svix-timestamp": "1"}
    assert found(identify, svix) == found(identify, {**svix, "webhook-id": "another"}) == "msg_1"
    both = {**svix, "webhook-id": "msg_2", "webhook-signature": "v1,x"}
    assert found(identify, both) == "msg_2"


@pytest.mark.parametrize(
    ("scheme", "place", "headers"),
    [
        ("github", None, {"x-github-delivery": "1"}),
        ("shopify", None, {"x-shopify-webhook-id": "1"}),
        ("shopify", None, {"x-shopify-event-id": "1"}),
        ("plandocket", None, {"webhook-id": "1"}),
        ("paystack", "header:x-id", {"x-id": "1"}),
        ("stripe", "header:x-id,body:a ?", {"x-id": "1"}),
    ],
)
def test_an_unsigned_id_is_bound_to_the_body(scheme: str, place: str | None, headers: dict[str, str]) -> None:
    """Somebody who sends a genuine body under an id of the future does not keep the genuine request of that id out."""
    identify = delivery_id(place.removesuffix(",body:a ?") if place else None, PRESETS[scheme])
    one, other = found(identify, headers, b'{"a":1}'), found(identify, headers, b'{"a":2}')
    assert one != other
    assert one == found(identify, headers, b'{"a":1}')


@pytest.mark.parametrize("scheme", ["github", "stripe", "standard-webhooks", "bearer"])
def test_a_signed_id_stands_alone(scheme: str) -> None:
    """An id inside the signed body, or one that the sender of a secret says, is known by itself."""
    identify = delivery_id("body:id", PRESETS[scheme])
    assert found(identify, {}, b'{"id":"e","try":1}') == found(identify, {}, b'{"try":2,"id":"e"}') == "e"


@pytest.mark.parametrize(
    "place", ["body:event,body:data.id", "body:event + body:data.id", ["body:event", "body:data.id"]]
)
def test_an_id_of_several_parts(place: Any) -> None:
    """All parts count, none can take from another, and without one of them there is no id."""
    identify = delivery_id(place, None)
    one, other, cut = (
        found(identify, {}, json.dumps({"event": event, "data": {"id": number}}).encode())
        for event, number in (("a", "1"), ("b", "1"), ('a","', "1"))
    )
    assert len({one, other, cut}) == 3
    assert found(identify, {}, b'{"event":"a"}') is None


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"id":5}', "5"),
        (b'{"id":5.0}', "5"),
        (b'{"id":"5"}', "5"),
        (b'{"id":123456789012345678901}', "123456789012345678901"),
        (b'{"id":true}', None),
        (b'{"id":"  "}', None),
        (b'{"id":{}}', None),
        (b'{"id":{"b":1,"a":2}}', '{"a":2,"b":1}'),
        ('{"id":"Ünïcode"}'.encode(), "Ünïcode"),
        (b'{"id":"EVT_1"}', "EVT_1"),
        (b'{"id":" evt_1"}', " evt_1"),
    ],
)
def test_values_of_any_type_have_one_key_or_none(body: bytes, key: str | None) -> None:
    """One number is one id however it is written; blanks and truth values are none; spelling counts."""
    assert found(delivery_id("body:id", None), {}, body) == key


def test_the_whole_body_may_be_the_id() -> None:
    """`body` knows a repetition by its content, whatever a header says."""
    identify = delivery_id("body", PRESETS["github"])
    assert found(identify, {"x-github-delivery": "1"}) == found(identify, {"x-github-delivery": "2"})
    assert found(identify, {}, b"") is None


def paystack(event: str, reference: str = "T-1") -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"event": event, "data": {"reference": reference}}).encode()
    return body, {**JSON, "x-paystack-signature": hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()}


async def test_a_reversal_is_not_a_repetition_of_its_transfer(app: RunningApp) -> None:
    """Paystack's events that share a reference are told apart, also by a rule that names the reference alone."""
    signature = {"scheme": "paystack", "secret": SECRET}
    await noting(app, "paystack", deduplication="body:data.reference", signature=signature)
    for event in ("transfer.success", "transfer.reversed", "transfer.success"):
        assert (await app.hook("paystack", *paystack(event))).status == 200
    await until(app, "paystack", "done", "done", "duplicate")


REFUSING = """
if headers.get('x-mode') != 'good':
    reply({status}, 'no', headers={{'Retry-After': '5'}})
    return 0
reply(202, 'taken', headers={{'X-Ticket': 'T-1', 'Retry-After': '7'}})
return 1
"""


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
async def test_a_refusing_script_uses_up_no_id(app: RunningApp, status: int) -> None:
    """Whoever is told no may try again, and a forged request does not keep the genuine one out."""
    key = f"refusing-{status}"
    code = {
        "executionType": 2,
        "commandName": None,
        "parameters": None,
        "executionCode": REFUSING.format(status=status),
    }
    await app.rule(
        key, **{k: v for k, v in code.items() if v is not None}, responseMode="sync", deduplication="body:id"
    )
    refused = await app.hook(key, {"id": 1}, {"x-mode": "bad"})
    assert (refused.status, refused.headers["retry-after"]) == (status, "5")
    taken, again = [await app.hook(key, {"id": 1}, {"x-mode": "good"}) for _ in range(2)]
    assert (taken.status, taken.body) == (again.status, again.body) == (202, "taken")
    assert (again.headers["x-ticket"], again.headers["retry-after"]) == ("T-1", "7")
    assert [request["state"] for request in await stored(app, key)] == ["done", "done", "duplicate"]


async def test_a_genuine_request_waits_for_a_forged_one(app: RunningApp) -> None:
    """While a request is being refused, the genuine one of the same id is neither accepted unseen nor lost."""
    slow = "total = 0\nfor n in range(300_000):\n    total += n\n" + REFUSING.format(status=403)
    await app.rule("racing", executionType=2, executionCode=slow, responseMode="sync", deduplication="body:id")
    forged = [asyncio.create_task(app.hook("racing", {"id": 1}, {"x-mode": "bad"})) for _ in range(3)]
    while (await app.hook("racing", {"id": 1}, {"x-mode": "good"})).status == 503:
        await asyncio.sleep(0.1)  # one of the others is still open: the provider comes again
    await asyncio.gather(*forged)
    await app.settled()
    taken = [row for row in await rows(app, config_key="racing") if row.headers["x-mode"] == "good" and row.body]
    assert [row.state for row in taken] == ["done"]


async def test_a_dead_request_is_taken_up_by_its_providers_next_try(app: RunningApp) -> None:
    """After the rule is mended, what the provider sends again is executed; a discarded request stays given up."""
    broken = {"commandName": "StumbleCommand", "parameters": {"event": "revived", "times": 1}}
    rule = await app.rule("revived", **broken, deduplication="body:id", retry={"attempts": 1})
    await app.hook("revived", {"id": 1})
    (dead,) = await until(app, "revived", "dead")
    assert (await app.hook("revived", {"id": 1})).data["requestId"] == dead["requestId"]
    first, _ = await until(app, "revived", "done", "duplicate")
    assert (first["requestId"], first["attempt"]) == (dead["requestId"], 2)
    assert (await app.hook("revived", {"id": 1})).status == 200
    assert await runs(app, "revived") == 1
    await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])


async def test_a_discarded_request_stays_given_up(app: RunningApp) -> None:
    """What an administrator has given up, no repetition brings back."""
    broken = {"commandName": "StumbleCommand", "parameters": {"event": "discarded", "times": 1}}
    await app.rule("discarded", **broken, deduplication="body:id", retry={"attempts": 1})
    await app.hook("discarded", {"id": 1})
    (dead,) = await until(app, "discarded", "dead")
    await app.cmd("DiscardInboundRequestCommand", requestId=dead["requestId"], reason="a test")
    await app.hook("discarded", {"id": 1})
    await app.settled()
    assert sorted(request["state"] for request in await stored(app, "discarded")) == ["dead", "duplicate"]
    assert await runs(app, "discarded") == 0


@pytest.mark.parametrize(
    ("response", "status", "is_empty"),
    [
        ({"status": 200}, 401, True),
        ({"status": 200, "body": "Ok"}, 401, False),
        ({"status": 200, "body": "Ok", "refused": {}}, 401, True),
        ({"status": 200, "refused": {"status": 403, "bodiless": False}}, 403, False),
    ],
)
async def test_a_refusal_has_the_form_that_the_provider_wants(
    app: RunningApp, response: dict[str, Any], status: int, is_empty: bool
) -> None:
    """A provider that wants empty answers gets them also for a wrong signature, with the status that it wants."""
    key = f"formed-{abs(hash(str(response)))}"
    await noting(app, key, signature={"scheme": "github", "secret": SECRET}, response=response)
    answer = await app.request("POST", f"/api/webhooks/{key}", b"{}", {**JSON, "x-hub-signature-256": "sha256=00"})
    assert (answer.status, not answer.body) == (status, is_empty)
    assert answer.headers["x-request-id"]


def test_a_stored_rule_goes_on_with_what_is_refused_today() -> None:
    """A rule with a place that is no longer accepted is read as it was."""
    fields = {
        "description": "d", "isEnabled": True, "path": "p", "action": "POST", "executionType": 0, "commandName": "X",
        "deduplication": "body:a,b",
    }  # fmt: skip
    assert WebHookFields.model_validate(fields, context=STORED).deduplication == "body:a,b"
    with pytest.raises(ValidationError):
        WebHookFields.model_validate(fields)
