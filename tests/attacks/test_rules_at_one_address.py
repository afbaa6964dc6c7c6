"""Conditions between rules of one address are asked before a signature is: strangers pay for them, and see nothing."""

import gzip
import json
import time

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import app, noting, rows

pytestmark = pytest.mark.anyio

__all__ = ["app"]

SECRET = "s3cret-of-eight"
JSON = {"content-type": "application/json"}


async def test_a_body_that_makes_conditions_costly_reaches_no_later_rule(app: RunningApp) -> None:
    """It is refused with a sentence: were the condition passed over, the rest would take what is not its own."""
    await noting(app, "costly-first", path="costly", when="count(payload[item > 5]) > 1", order=1)
    await noting(app, "costly-rest", path="costly")
    answer = await app.hook("costly", list(range(50_000)))
    assert answer.status == 422
    (row,) = await rows(app, path="costly")
    assert (row.cause, row.config_key) == ("condition", "costly-first")
    assert "20000 steps" in row.errors[0]


async def test_all_conditions_of_an_address_share_one_budget(app: RunningApp) -> None:
    """Fifty of them cost no more than one."""
    for order in range(1, 50):
        await noting(app, f"many-{order}", path="many", when="count(payload[item > 5]) > 9999", order=order)
    assert (await app.hook("many", list(range(1_000)))).status == 422
    (row,) = await rows(app, path="many")
    assert "in all" in row.errors[0]


async def test_conditions_do_not_see_what_proves_a_sender(app: RunningApp) -> None:
    """Otherwise a writer of rules could find a credential letter by letter."""
    when = 'starts with(headers.authorization ?? "none", "Bearer") or (headers["x-api-key"] ?? "none") != "none"'
    await noting(app, "blind-first", path="blind", when=when, order=1)
    await noting(app, "blind-rest", path="blind", signature={"scheme": "bearer", "secret": SECRET})
    headers = {"authorization": f"Bearer {SECRET}", "x-api-key": SECRET}
    assert (await app.hook("blind", {}, headers=headers)).ok
    (row,) = await rows(app, path="blind")
    assert (row.cause, row.config_key) == (None, "blind-rest")


async def test_an_unsigned_rule_beside_lets_nothing_into_the_signed_one(app: RunningApp) -> None:
    """Whoever makes up a request is held against the signature of the rule that takes it, at a replay, too."""
    signature = {"scheme": "github", "secret": SECRET}
    await noting(app, "mixed-paid", path="mixed", when='payload.event == "paid"', order=1, signature=signature)
    await noting(app, "mixed-rest", path="mixed")
    assert (await app.hook("mixed", {"event": "paid"})).status == 401
    (row,) = await rows(app, path="mixed")
    replayed = await app.cmd("ReplayInboundRequestCommand", requestId=row.request_id)
    assert (replayed["replayed"], row.config_key) == (False, "mixed-paid")


async def test_a_larger_body_of_a_neighbour_is_not_this_rules(app: RunningApp) -> None:
    """Each rule's own bound counts once it is known."""
    await noting(app, "sized-small", path="sized", when="payload.small", order=1, maxBodyBytes=50)
    await noting(app, "sized-rest", path="sized", maxBodyBytes=500)
    assert (await app.hook("sized", {"small": True, "filler": "x" * 100})).status == 413
    assert (await app.hook("sized", {"small": False, "filler": "x" * 100})).ok
    assert (await app.hook("sized", {"small": False, "filler": "x" * 600})).status == 413


async def test_a_compressed_body_is_held_against_the_bound_of_the_rule_that_takes_it(app: RunningApp) -> None:
    """What was expanded for the conditions, within the largest bound, is expanded again within the rule's own."""
    await noting(app, "packed-small", path="packed", when="payload.small", order=1, maxBodyBytes=100)
    await noting(app, "packed-rest", path="packed", maxBodyBytes=500)
    for small, filler, status in ((True, 300, 413), (False, 300, 200), (False, 600, 413)):
        body = gzip.compress(json.dumps({"small": small, "filler": "x" * filler}).encode())
        assert len(body) <= 100
        answer = await app.request("POST", "/api/webhooks/packed", body, {**JSON, "content-encoding": "gzip"})
        assert answer.status == status


async def work_of(app: RunningApp, path: str, body: bytes, status: int) -> float:
    """Return how long the processor works on a request: the least of three, for the first compiles the rules."""
    spent: list[float] = []
    for _ in range(3):
        start = time.process_time()
        assert (await app.request("POST", f"/api/webhooks/{path}", body, JSON)).status == status
        spent.append(time.process_time() - start)
    return min(spent)


async def test_a_body_is_read_once_for_all_conditions(app: RunningApp) -> None:
    """A stranger's megabyte that turns out to be no JSON costs about the same at forty conditions as at one."""
    body = json.dumps([1.25] * 100_000).encode()[:-1] + b",[]}"
    for path, rules in (("single", 1), ("forty", 40)):
        for order in range(1, rules + 1):
            await noting(app, f"{path}-{order}", path=path, when="payload.small", order=order)
    assert await work_of(app, "forty", body, 400) < await work_of(app, "single", body, 400) * 4


async def test_all_handshakes_of_an_address_share_one_budget(app: RunningApp) -> None:
    """A question that each of forty rules has to think about costs no more than at a few."""
    asking = {"kind": "echo", "when": "count(payload[item > 5]) > 9999", "body": "yes"}
    for path, rules in (("few", 4), ("asked", 40)):
        for order in range(1, rules + 1):
            await noting(app, f"{path}-{order}", path=path, when="false", order=order, handshake=asking)
    body = json.dumps(list(range(3_000))).encode()
    assert await work_of(app, "asked", body, 404) < await work_of(app, "few", body, 404) * 6


async def test_a_body_that_nobody_can_read_is_refused_as_that(app: RunningApp) -> None:
    """No condition holds, but it is the request's fault: it is not kept to be driven again."""
    await noting(app, "legible", path="legible", when="payload.small", order=1)
    assert (await app.request("POST", "/api/webhooks/legible", b"{", JSON)).status == 400
    (row,) = await rows(app, path="legible")
    assert (row.state, row.cause) == ("rejected", "malformed")


PROVING = "x-shop-mark"
STATIC = {"scheme": "custom", "type": "static", "encoding": "text", "secret": SECRET, "header": PROVING}


async def test_a_credential_for_one_rule_is_hidden_from_every_rule_beside(app: RunningApp) -> None:
    """A sender can't know which rule takes its request, and proves itself to all of them."""
    shown = {"token": "{{headers}}"}
    event = {"commandName": "PublishEventCommand", "parameters": {"event": "token.seen", "data": shown}}
    spying = f'(headers["{PROVING}"] ?? "none") != "none"'
    await noting(app, "token-spy", path="token", when=spying, order=1)
    await app.rule("token-open", path="token", when="payload.open", order=2, **event)
    await noting(app, "token-shop", path="token", when="payload.shop", order=3, signature=STATIC)
    for body in ({"open": True}, {"shop": True}, {"other": True}):
        await app.hook("token", body, headers={PROVING: SECRET})
    await app.settled()
    kept = await rows(app, path="token")
    assert [row.cause or row.config_key for row in kept] == ["token-open", "token-shop", "condition"]
    assert [row.headers[PROVING] for row in kept] == ["***"] * 3
    (seen,) = (await app.cmd("GetEventListQuery", event="token.seen"))["items"]
    assert SECRET not in str(seen)


async def test_a_rule_hides_what_a_later_neighbour_calls_secret(app: RunningApp) -> None:
    """It was compiled before there was a neighbour, and shows the header again when the neighbour is gone."""
    await noting(app, "later-open", path="later", when="true", order=1)
    await app.hook("later", {}, headers={PROVING: SECRET})
    neighbour = await noting(app, "later-shop", path="later", signature=STATIC)
    await app.hook("later", {}, headers={PROVING: SECRET})
    await app.cmd("DeleteWebHookConfigCommand", id=neighbour["id"])
    await app.hook("later", {}, headers={PROVING: SECRET})
    assert [row.headers[PROVING] for row in await rows(app, path="later")] == [SECRET, "***", SECRET]
