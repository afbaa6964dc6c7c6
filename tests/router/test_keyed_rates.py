"""A rule's `rate`: so many requests with one key, counted after the signature; the slow rates need no clock."""

from typing import Any

import pytest

from bpm.security.rate_limiter import MOST_COUNTED
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp
from router.config import RateConfig
from router.keyed_rate import KeyedRate
from router.rates import Rates
from tests.router.conftest import noting, rows, runs, send_from, settled

pytestmark = pytest.mark.anyio

GITHUB = {"scheme": "github", "secret": "s3cret-of-GitHub"}
JSON = {"content-type": "application/json"}
BY_ACCOUNT = {"perSecond": 0.0001, "burst": 2, "key": "{{payload.account}}"}
PROVIDER, OTHER = "192.0.2.10", "198.51.100.66"


async def statuses(app: RunningApp, key: str, *accounts: Any) -> list[int]:
    return [(await app.hook(key, {"account": account, "n": n})).status for n, account in enumerate(accounts)]


async def test_each_key_has_its_own_rate(app: RunningApp) -> None:
    """One account that sends too much is refused, with the time to wait; the others are not."""
    await noting(app, "by-account", rate=BY_ACCOUNT)
    assert await statuses(app, "by-account", "a", "a", "a", "b", "a", "b", "b") == [200, 200, 429, 200, 429, 200, 429]
    answer = await app.hook("by-account", {"account": "a"})
    assert 1 < int(answer.headers["retry-after"]) <= 10_000
    kept = [row for row in await rows(app, path="by-account") if row.cause == "rate"]
    assert {row.state for row in kept} == {"rejected"}
    assert "0.0001 a second and 2 at once" in str(kept[0].errors)
    await settled(app, "by-account")
    assert await runs(app, "by-account") == 4


async def test_requests_without_a_key_share_one(app: RunningApp) -> None:
    """They are accepted as far as one key's rate goes, whatever their body is."""
    await noting(app, "keyless", rate=BY_ACCOUNT)
    assert [(await app.hook("keyless", body)).status for body in ({}, [1], {}, {"account": "a"})] == [
        200,
        200,
        429,
        200,
    ]
    await noting(app, "no-key", rate={"perSecond": 0.0001})
    assert await statuses(app, "no-key", "a", "b") == [200, 429]


async def test_strangers_use_up_no_account_s_rate(app: RunningApp) -> None:
    """What is not signed is refused for that, however often it comes, and counts for no key."""
    await noting(app, "signed-rate", signature=GITHUB, rate=BY_ACCOUNT)
    body = b'{"account":"a"}'
    signed = {**JSON, **sign(SignatureConfig.model_validate(GITHUB), body, 0)}
    forged = [(await send_from(app, OTHER, "signed-rate", JSON, content=body)).status for _ in range(5)]
    assert forged == [401] * 5
    taken = [(await send_from(app, PROVIDER, "signed-rate", signed, content=body)).status for _ in range(3)]
    assert taken == [200, 200, 429]


async def test_an_address_can_be_the_key(app: RunningApp) -> None:
    """A /64 of IPv6 is one address."""
    await noting(app, "by-address", rate={"perSecond": 0.0001, "burst": 1, "key": "{{request.address}}"})
    peers = (PROVIDER, OTHER, PROVIDER, "2001:db8::1", "2001:db8::2", "2001:db8:1::1")
    found = [(await send_from(app, peer, "by-address", JSON, content=b"{}")).status for peer in peers]
    assert found == [200, 200, 429, 200, 429, 200]


async def test_what_one_key_is_refused_is_left_of_the_rule_s_rate(app: RunningApp) -> None:
    """And what the rule's rate refuses is left of the key's."""
    await noting(app, "both", rate={**BY_ACCOUNT, "burst": 1}, rateLimit="2/hour")
    assert await statuses(app, "both", "a", "a", "a", "b", "c") == [200, 429, 429, 200, 429]


async def test_trials_and_replays_count_nothing(app: RunningApp) -> None:
    """A dry run, a back-test and a replay pass, and take nothing of what is left."""
    rule = await noting(app, "trials", rate={**BY_ACCOUNT, "burst": 1})
    assert await statuses(app, "trials", "a", "a") == [200, 429]
    refused = next(row for row in await rows(app, path="trials") if row.cause == "rate")
    for account in ("a", "b"):
        sample = {"body": {"account": account}}
        trial = await app.cmd("TestWebHookConfigCommand", id=rule["id"], request=sample)
        assert trial["verdict"]["passed"]
    back = await app.cmd("BackTestWebHookConfigCommand", id=rule["id"])
    assert (back["counts"]["same"], back["counts"]["accepted"]) == (1, 1)
    replayed = await app.cmd("ReplayInboundRequestCommand", requestId=refused.request_id)
    assert replayed["replayed"] is True
    assert await statuses(app, "trials", "b", "b") == [200, 429]


async def test_a_rate_is_what_it_says(app: RunningApp) -> None:
    """Rates that let nothing through, or keys that are no templates, are refused when saved."""
    for rate in ({"perSecond": 0}, {"perSecond": 1, "burst": 0}, {"perSecond": 1, "key": "{{payload.}}"}, {}):
        answer = await app.send("TestWebHookConfigCommand", {"config": {"rate": rate}, "request": {}})
        assert any(sentence.startswith("config.rate") for sentence in answer.errors), answer.errors


def test_time_gives_back_what_was_taken() -> None:
    """A second at two a second lets two through; the counters are bounded."""
    rate, key = KeyedRate(1, RateConfig(per_second=2)), "a"
    assert (rate.allowance.burst, rate.allowance.seconds) == (2, 0.5)
    moment = 0.0
    rates = Rates(now=lambda: moment)
    counted = rates._keyed[1]  # pyright: ignore[reportPrivateUsage]
    assert [counted.take(key, rate.allowance) for _ in range(3)] == [0, 0, 0.5]
    moment = 1.0
    assert [counted.take(key, rate.allowance) for _ in range(3)] == [0, 0, 0.5]
    for number in range(MOST_COUNTED + 10):
        counted.take(f"key-{number}", rate.allowance)
    assert len(counted) == MOST_COUNTED


async def test_a_number_is_one_key_however_it_is_written(app: RunningApp) -> None:
    """Zeros at its end give nobody another allowance."""
    await noting(app, "by-number", rate={**BY_ACCOUNT, "burst": 1})
    bodies = (b'{"account":7}', b'{"account":7.0}', b'{"account":70e-1}', b'{"account":"7"}', b'{"account":8}')
    found = [(await send_from(app, PROVIDER, "by-number", JSON, content=body)).status for body in bodies]
    assert found == [200, 429, 429, 429, 200]
