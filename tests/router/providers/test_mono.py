"""Mono's callback: events by POST, browsers by GET."""

from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bpm.errors import Misconfigured
from router.providers import Answer, Call, Reception, Refusal
from router.providers.mono import endpoints as mono_provider
from router.providers.mono.endpoints import read_redirect
from router.providers.mono.settings import MonoSettings
from tests.payloads import payload
from tests.router.providers.contract import ADDRESS, ProviderContract

PATH = "mono/callback"


def visit(redirect: str | None = None, **query: str) -> Reception:
    return read_redirect(Call("GET", {}, query, b"", ADDRESS), redirect)


class TestMono(ProviderContract):
    name = "mono"
    on: ClassVar = {"mono": {"webhook_secret": "s3cret-of-Mono"}}
    half_on = ({"mono": {"webhook_secret": ""}}, {"mono": {"webhook_secret": "  "}}, {"mono": {"secret_key": "x"}})
    headers: ClassVar = {"mono-webhook-secret": "s3cret-of-Mono"}
    switch = "BPM_MONO__WEBHOOK_SECRET"
    recorded = tuple(
        (PATH, name, "ProcessMonoEventCommand")
        for name in (
            "mono_account_connected",
            "mono_account_updated",
            "mono_direct_debit_payment_successful",
            "mono_mandate_ready",
            "mono_mandate_debit_successful",
        )
    )
    words = ("event", "event_id", "timestamp", "data", "EVENT", "Event-Id")

    def test_the_key_of_duplicates_is_the_event_id(self) -> None:
        """Two bodies with one event id have one key."""
        read = self.route("POST", PATH).read
        first = read(self.call(b'{"event": "a", "event_id": "e1", "data": {"n": 1}}'))
        second = read(self.call(b'{"event": "a", "event_id": "e1", "data": {"n": 2}}'))
        assert first.dedupe_key == second.dedupe_key == "event:e1"

    def test_without_an_event_id_the_body_is_the_key(self) -> None:
        """The same bytes have one key, other bytes another, and an endless event id counts as none."""
        read = self.route("POST", PATH).read
        keys = [
            read(self.call(body)).dedupe_key
            for body in (
                b'{"event": "a"}',
                b'{"event": "a"}',
                b'{"event": "a"} ',
                b'{"event": "a", "event_id": "%s"}' % (b"x" * 201),
            )
        ]
        assert keys[0] == keys[1]
        assert len(set(keys)) == 3
        assert all(key is not None and len(key) < 100 for key in keys)

    def test_an_envelope_inside_another_is_read(self) -> None:
        """Events of disputes come so; an event whose data happen to name an event does not."""
        read = self.route("POST", PATH).read
        inner = b'{"event": "mono.transaction.dispute_initiated", "event_id": "e9", "data": {"amount": "40000"}}'
        dispute = read(self.call(b'{"data": %b}' % inner))
        assert dispute.dedupe_key == "event:e9"
        assert (dispute.fields["event"], dispute.fields["data"]) == (
            "mono.transaction.dispute_initiated",
            {"amount": "40000"},
        )
        debit = read(self.call(b'{"event": "events.mandates.debit.processing", "data": {"event": "processing"}}'))
        assert debit.fields["event"] == "events.mandates.debit.processing"

    def test_amounts_stay_exact(self) -> None:
        """A number that no float holds reaches the message digit by digit."""
        body = b'{"event": "a", "data": {"amount": 12345678901234567890.1234567, "kobo": 12345678901234567890123}}'
        data = self.decoded(self.route("POST", PATH).read(self.call(body))).model_dump()["data"]
        assert data == {"amount": "12345678901234567890.1234567", "kobo": 12345678901234567890123}

    def test_unknown_events_are_read(self) -> None:
        """An event that Mono invents tomorrow is no reason to refuse it, nor are data that are no object."""
        reception = self.route("POST", PATH).read(self.call(b'{"event": "brand.new", "data": [1]}'))
        assert reception.fields["event"] == "brand.new"
        assert reception.fields["data"] == {"value": [1]}

    def test_the_secret_is_named_for_the_inbox(self) -> None:
        """The inbox is told which header and which parameter nobody may see."""
        confidential = self.provider(self.on).confidential
        assert confidential.hides_header("mono-webhook-secret")
        assert confidential.hides_parameter("code")


def test_a_returning_browser_is_thanked() -> None:
    """A code becomes a command and a page that repeats nothing of the query."""
    reception = visit(code="code_abc123", ref="<script>", state="s")
    assert reception.message_type == "CompleteMonoConnectionCommand"
    assert reception.fields["code"] == "code_abc123"
    assert reception.fields["reference"] == "<script>"
    assert reception.fields["query"] == {"ref": "<script>", "state": "s"}
    assert reception.answer.status == 200
    assert reception.answer.content_type.startswith("text/html")
    assert b"script" not in reception.answer.body
    assert ("Content-Security-Policy", "default-src 'none'") in reception.answer.headers


def test_a_code_is_exchanged_once() -> None:
    """The key of duplicates is the code's, without showing it; a visit without a code has none."""
    assert visit(code="abc").dedupe_key == visit(code="abc", ref="1").dedupe_key != visit(code="abd").dedupe_key
    assert "abc" not in str(visit(code="abc").dedupe_key)
    assert visit(status="cancelled").dedupe_key is None


def test_a_cancelled_connection_is_kept() -> None:
    """Status and reason without a code are kept, and the page says that nothing was connected."""
    reception = visit(status="cancelled", reason="user closed the window", reference="r1")
    assert reception.fields["code"] is None
    assert (reception.fields["status"], reception.fields["reason"]) == ("cancelled", "user closed the window")
    assert b"not completed" in reception.answer.body


@pytest.mark.parametrize("query", [{}, {"utm": "x"}, {"code": "a b"}, {"code": "x" * 201}, {"code": "<b>"}])
def test_a_visit_without_sense_is_refused(query: dict[str, str]) -> None:
    """A query without anything of Mono's, or with a damaged code, is refused with a page."""
    with pytest.raises(Refusal) as caught:
        visit(**query)
    assert caught.value.answer.status == 400
    assert b"<b>" not in caught.value.answer.body


def test_the_browser_goes_on_to_the_configured_address() -> None:
    """With a redirect address the browser is sent there, with reference and status and nothing else."""
    answer = visit(
        "https://shop.example/done?a=1#end", code="c", reference="r 1&x", status="linked", url="//evil"
    ).answer
    target = location(answer)
    assert answer.status == 303
    assert target.startswith("https://shop.example/done?a=1&")
    assert parse_qs(urlsplit(target).query) == {"a": ["1"], "reference": ["r 1&x"], "status": ["linked"]}
    assert "code" not in target


@given(
    st.dictionaries(
        st.sampled_from(["code", "ref", "reference", "status", "reason", "redirect_url", "next"]), st.text()
    )
)
def test_there_is_no_open_redirect(query: dict[str, str]) -> None:
    """Whatever the query holds, the browser goes to the configured host or nowhere."""
    try:
        answer = visit("https://shop.example/done", **query).answer
    except Refusal as refusal:
        answer = refusal.answer
        assert answer.headers
        return
    target = location(answer)
    assert urlsplit(target)[:3] == ("https", "shop.example", "/done")
    assert target.isascii()
    assert target.isprintable()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "https://a.example/\r\nX: 1", "shop.example"])
def test_a_wrong_redirect_address_is_found_at_start(url: str) -> None:
    """A redirect address that is no web address stops the start with the setting's name."""
    with pytest.raises(Misconfigured, match="BPM_MONO__REDIRECT_URL"):
        mono_provider.provider(MonoSettings(webhook_secret=SecretStr("s"), redirect_url=url))


def test_recorded_account_update_keeps_its_data() -> None:
    """The data of a recorded event reach the message whole."""
    reception = mono_provider.read_event(Call("POST", {}, {}, payload("mono_account_updated"), ADDRESS))
    assert reception.fields["data"]["account"]["balance"] == 33333350
    assert reception.fields["timestamp"] == "2026-03-02T09:14:41.007Z"


def location(answer: Answer) -> str:
    return dict(answer.headers)["Location"]
