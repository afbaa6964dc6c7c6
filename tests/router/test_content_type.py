"""A rule says as what bodies are read: whoever looks at a request again reads it so, whatever its sender declares."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.testing import RunningApp
from router.request import InboundCall
from router.request_secrets import ALWAYS
from tests.router.conftest import noting, rows, until

pytestmark = pytest.mark.anyio

AMOUNT = {"event": "{{payload.event}}", "text": "NGN {{payload.amount}}"}
PART = b'--b\r\nContent-Disposition: x; name="a"\r\n\r\n1\r\n--b--'
PLAIN = {"content-type": "text/plain"}


def call(body: bytes, reads_as: str | None, declared: str = "text/plain") -> InboundCall:
    """Return a request that a rule reads as what it says."""
    return InboundCall("POST", "p", {"content-type": declared}, "", "", datetime.now(UTC), body, reads_as=reads_as)


@pytest.mark.parametrize(
    ("reads_as", "declared", "body", "value"),
    [
        ("application/json", "text/plain", b'{"a":1.50}', {"a": 1.5}),
        ("application/json", "application/x-www-form-urlencoded", b"[1]", [1]),
        ("application/x-www-form-urlencoded", "text/plain", b"a=1&a=2", {"a": ["1", "2"]}),
        ("application/x-www-form-urlencoded", "x/y; charset=latin1", b"a=\xe9", {"a": "\xe9"}),
        ("text/plain; charset=cp1251", "text/plain; charset=utf-8", b"\xc4\xe0", "\u0414\u0430"),
        ("text/plain", "application/json", b"{", "{"),
        ("multipart/form-data", "x/y; boundary=b", PART, {"a": "1"}),
    ],
)  # fmt: skip
def test_a_body_is_read_as_the_rule_says(reads_as: str, declared: str, body: bytes, value: Any) -> None:
    """The charset and the boundary that the rule leaves out are the sender's."""
    assert call(body, reads_as, declared).payload.value == value


def test_what_was_read_for_one_rule_is_read_anew_for_another() -> None:
    """A back-test asks two rules about one request."""
    request = call(b'{"a":1}', "application/json")
    assert request.payload.kind == "json"
    request.read_as("text/plain")
    assert request.payload == ("text", '{"a":1}')
    request.read_as(None)
    assert request.scope({}, ALWAYS)["payload"] == '{"a":1}'


async def test_a_rule_reads_json_that_is_called_text(app: RunningApp) -> None:
    """Executed, tried, back-tested and driven again, it is the same; its id is found; its secrets are sealed."""
    rule = await noting(app, "as-json", contentType="application/json", parameters=AMOUNT, deduplication="body:id")
    body = b'{"id":1,"event":"as-json","amount":7.10,"password":"hunter2-and-more"}'
    assert (await app.hook("as-json", body, PLAIN)).status == 200
    assert (await app.hook("as-json", body, PLAIN)).status == 200
    await until(app, "as-json", "done", "duplicate")
    row = (await rows(app, path="as-json", cause=None))[0]
    assert row.body == body.replace(b"hunter2-and-more", b"*" * 16)
    tried = await app.cmd("TestWebHookConfigCommand", id=rule["id"], requestId=row.request_id)
    assert tried["outcome"]["message"]["fields"] == {"event": "as-json", "text": "NGN 7.10"}
    tested = await app.cmd("BackTestWebHookConfigCommand", id=rule["id"])
    assert tested["counts"]["same"] == tested["total"] == 1
    await app.cmd("ReplayInboundRequestCommand", requestId=row.request_id, force=True)
    await until(app, "as-json", "done", "duplicate")
    assert (await app.cmd("GetEventListQuery", event="as-json", pageSize=1))["totalCount"] == 2


async def test_what_is_not_as_the_rule_says_is_refused_by_everybody(app: RunningApp) -> None:
    """Live and tried alike, and the back-test of a draft says what it would refuse."""
    fields = {"description": "d", "isEnabled": True, "path": "as-text", "action": "POST", "executionType": 0}
    fields |= {"commandName": "NoteCommand", "parameters": {"event": "as-text"}, "contentType": "application/json"}
    rule = await noting(app, "as-text")
    assert (await app.hook("as-text", b"{", PLAIN)).status == 200
    await until(app, "as-text", "done")
    tested = await app.cmd("BackTestWebHookConfigCommand", id=rule["id"], config=fields)
    assert tested["counts"]["refused"] == tested["total"] == 1
    await app.cmd("UpdateWebHookConfigCommand", id=rule["id"], **fields)
    assert (await app.hook("as-text", b"{", PLAIN)).status == 400
    sample = {"body": "{", "headers": PLAIN}
    tried = await app.cmd("TestWebHookConfigCommand", id=rule["id"], request=sample)
    assert tried["verdict"]["cause"] == "malformed"


async def test_json_that_is_called_a_form_is_told(app: RunningApp) -> None:
    """What `curl -d` sends without a type is a form, of which a rule for JSON makes nothing: the error says why."""
    await noting(app, "as-form", parameters=AMOUNT)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await app.hook("as-form", b' {"event":"x","amount":1}', form)).status == 200
    await until(app, "as-form", "failed")
    (row,) = await rows(app, path="as-form")
    assert "the body looks like JSON and was read as a form" in row.errors[-1]
    assert "contentType" in row.errors[-1]
