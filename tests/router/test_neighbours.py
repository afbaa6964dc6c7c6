"""Rules at one address, of which one can't be read any more, or of which several wait for a provider's question."""

from typing import Any

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import noting, rows
from tests.router.test_execution import change_definition

pytestmark = pytest.mark.anyio

UNREADABLE = {"fieldOfTheFuture": 1}


async def keys_and_causes(app: RunningApp, path: str) -> list[tuple[str | None, str | None]]:
    return [(row.config_key, row.cause) for row in await rows(app, path=path)]


async def test_a_rule_that_can_not_be_read_takes_its_own_requests_only(app: RunningApp) -> None:
    """Its condition still chooses: what it would have taken is refused for it, the rest goes to its neighbours."""
    first = await noting(app, "unread-first", path="unread", when="payload.kind == 1", order=1)
    await noting(app, "unread-rest", path="unread")
    await change_definition(app, first, **UNREADABLE)
    assert [(await app.hook("unread", {"kind": kind})).status for kind in (1, 2)] == [503, 200]
    assert await keys_and_causes(app, "unread") == [("unread-first", "broken"), ("unread-rest", None)]


@pytest.mark.parametrize("when", ["payload.", 7, ["true"]])
async def test_a_condition_that_can_not_be_read_holds_for_nothing(app: RunningApp, when: Any) -> None:
    """Nobody knows what such a rule would take, so it takes nothing of what its neighbours want."""
    path = f"unread-{type(when).__name__}"
    first = await noting(app, f"{path}-first", path=path, when="true", order=1)
    await noting(app, f"{path}-rest", path=path)
    await change_definition(app, first, when=when)
    assert (await app.hook(path, {})).status == 200
    assert await keys_and_causes(app, path) == [(f"{path}-rest", None)]


async def test_two_apps_of_a_provider_verify_one_address(app: RunningApp) -> None:
    """Each rule knows its own verify token; a token that none knows is refused."""
    for number, fields in enumerate([{"when": "payload.app == 1", "order": 1}, {}]):
        handshake = {"kind": "meta", "verifyToken": f"token-of-{number}"}
        await noting(app, f"meta-{number}", path="two-apps", handshake=handshake, **fields)
    answers: list[tuple[int, Any]] = []
    for token in ("token-of-0", "token-of-1", "another"):
        query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"
        answer = await app.request("GET", f"/api/webhooks/two-apps?{query}")
        answers.append((answer.status, answer.body))
    assert [status for status, _ in answers] == [200, 200, 403]
    assert str(answers[1][1]) == "1158201444"


async def test_a_dry_run_knows_who_hears_a_question(app: RunningApp) -> None:
    """A rule that another one's method takes away hears none, as in live traffic; one with the right token does."""
    echo = {"kind": "echo", "when": "query.ask != null", "body": "{{query.ask}}"}
    rule = await noting(app, "hears-post", path="hears", handshake=echo)
    request = {"method": "GET", "query": "ask=1"}
    alone = await app.cmd("TestWebHookConfigCommand", id=rule["id"], request=request)
    assert alone["handshake"]["body"] == "1"
    await noting(app, "hears-get", path="hears", action="GET")
    beside = await app.cmd("TestWebHookConfigCommand", id=rule["id"], request=request)
    assert (beside["handshake"], beside["verdict"]["cause"]) == (None, "method")
    assert (await app.request("GET", "/api/webhooks/hears?ask=1")).body["message"] == "Accepted"
