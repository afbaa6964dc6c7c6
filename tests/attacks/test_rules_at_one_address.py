"""Conditions between rules of one address are asked before a signature is: strangers pay for them, and see nothing."""

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import app, noting, rows

pytestmark = pytest.mark.anyio

__all__ = ["app"]

SECRET = "s3cret-of-eight"


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
    """Each rule's own bound counts once it is known, also of what a body expands to."""
    await noting(app, "sized-small", path="sized", when="payload.small", order=1, maxBodyBytes=50)
    await noting(app, "sized-rest", path="sized", maxBodyBytes=500)
    assert (await app.hook("sized", {"small": True, "filler": "x" * 100})).status == 413
    assert (await app.hook("sized", {"small": False, "filler": "x" * 100})).ok
    assert (await app.hook("sized", {"small": False, "filler": "x" * 600})).status == 413
