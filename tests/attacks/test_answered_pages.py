"""No page that a webhook answers runs on the console's address."""

import pytest

from bpm.testing import RunningApp, running_app
from router.config import ResponseConfig
from router.handshakes import HandshakeConfig

pytestmark = pytest.mark.anyio

PAGE = "<script>fetch('/console/api/cmd')</script>"
ECHO = {"commandName": "PingQuery", "responseMode": "sync"}


@pytest.fixture
async def app():
    """A server of its own."""
    async with running_app() as app:
        yield app


async def policy_of(app: RunningApp, path: str, body: object = None) -> str | None:
    """Return the policy of what a webhook answers."""
    return (await app.hook(path, body or {"page": PAGE})).headers.get("content-security-policy")


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "image/svg+xml", "application/xhtml+xml", "text/plain, text/html", "text/plain;x=,text/html"],
)
async def test_what_a_rule_prescribes_is_isolated(app: RunningApp, content_type: str) -> None:
    """The payload stands in a page of the rule's author, or of whoever may write rules."""
    await app.rule("page", **ECHO, response={"status": 200, "contentType": content_type, "body": "{{payload.page}}"})
    assert await policy_of(app, "page") == "sandbox"


async def test_a_script_can_not_lift_it(app: RunningApp) -> None:
    """Neither by a policy of its own nor by another type."""
    headers = "{'content-type': 'text/html', 'Content-Security-Policy': 'default-src *'}"
    code = f"reply(200, payload['page'], {headers})"
    await app.rule("script", executionType=2, executionCode=code, responseMode="sync")
    assert await policy_of(app, "script") == "sandbox"


async def test_json_needs_none(app: RunningApp) -> None:
    """Browsers only show it, and are told not to guess another type."""
    await app.rule("json", **ECHO)
    answer = await app.hook("json", {})
    assert "content-security-policy" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["NEL", "Report-To", "Set-Cookie", "Accept-CH", "X-Accel-Redirect"])
async def test_a_script_leaves_nothing_in_browsers(app: RunningApp, name: str) -> None:
    """What a browser keeps for the whole address would count for the console, too; what a proxy obeys, for all."""
    await app.rule("kept", executionType=2, executionCode=f"reply(200, '', {{'{name}': 'x'}})", responseMode="sync")
    answer = await app.hook("kept", {})
    assert answer.status >= 400
    assert name.lower() not in answer.headers


@pytest.mark.parametrize(
    "name", ["X-Accel-Redirect", "x_accel_redirect", "X-Sendfile", "X-LIGHTTPD-send-file", "X-Reproxy-URL"]
)
def test_no_rule_commands_the_proxy_in_front(name: str) -> None:
    """nginx, Apache and lighttpd answer with the file or address that such a header of ours names."""
    with pytest.raises(ValueError, match="a proxy in front would obey it"):
        ResponseConfig.model_validate({"headers": {name: "/internal/secret"}})
    with pytest.raises(ValueError, match="a proxy in front would obey it"):
        HandshakeConfig.model_validate({"kind": "echo", "when": "true", "body": "x", "headers": {name: "{{query.to}}"}})
