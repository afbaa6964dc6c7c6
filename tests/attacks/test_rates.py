"""Strangers use up nobody's allowance, and fill no disk."""

from datetime import date
from typing import Any

import pytest

from bpm.settings import QuarantineSettings
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp, running_app
from router.quota import Quota
from tests.router.conftest import PROBES, app, noting, rows, send_from

__all__ = ["app"]

pytestmark = pytest.mark.anyio

GITHUB = {"scheme": "github", "secret": "s3cret-of-GitHub"}
JSON = {"content-type": "application/json"}
STRANGER, PROVIDER = "198.51.100.66", "192.0.2.10"


def signed(number: int) -> dict[str, Any]:
    body = b'{"n":%d}' % number
    return {"content": body, "headers": {**JSON, **sign(SignatureConfig.model_validate(GITHUB), body, 0)}}


@pytest.mark.parametrize("address", [STRANGER, PROVIDER])
async def test_strangers_use_up_no_allowance(app: RunningApp, address: str) -> None:
    """However many are refused, the rule's own requests have the whole rate, also from the strangers' address."""
    key = f"rate-{address}"
    await noting(app, key, signature=GITHUB, rateLimit="3/hour")
    refused = [(await send_from(app, address, key, JSON, content=b"{}")).status for _ in range(8)]
    assert refused == [401] * 3 + [429] * 5
    taken = [(await send_from(app, PROVIDER, key, **signed(number))).status for number in range(4)]
    assert taken == [200, 200, 200, 429]


async def test_refusals_are_counted_by_address(app: RunningApp) -> None:
    """One stranger's refusals are not another's; a /64 of IPv6 is one address."""
    await noting(app, "refusals", signature=GITHUB, rateLimit="1/hour")
    peers = ("198.51.100.1", "198.51.100.2", "::ffff:198.51.100.2", "2001:db8::1", "2001:db8::2", "2001:db8:1::1")
    statuses = [(await send_from(app, peer, "refusals", JSON, content=b"{}")).status for peer in peers]
    assert statuses == [401, 401, 429, 401, 429, 401]


async def test_other_refusals_count_like_wrong_signatures(app: RunningApp) -> None:
    """A body that can't be read uses up its sender's own allowance, not the rule's."""
    await noting(app, "unread", rateLimit="2/hour")
    refused = [(await send_from(app, STRANGER, "unread", JSON, content=b"{")).status for _ in range(4)]
    assert refused == [400, 400, 429, 429]
    assert (await send_from(app, PROVIDER, "unread", JSON, content=b"{}")).status == 200


async def test_what_is_kept_of_a_day_is_bounded_and_shown() -> None:
    """Any number of strangers leave no more than a day's room, half of it for one cause; the status counts the rest."""
    bounds = {"requests_per_day": 10, "bytes_per_day": 100_000}
    async with running_app(command_packages=(PROBES,), quarantine=bounds) as own:
        await noting(own, "kept", signature=GITHUB)
        for number in range(12):
            await send_from(own, f"198.51.100.{number}", "nobody/is/here", JSON, content=b"{}")
            await send_from(own, f"198.51.100.{number}", "kept", JSON, content=b"{}")
        assert len(await rows(own, cause="unknown")) == len(await rows(own, cause="signature")) == 5
        refused = (await own.cmd("GetSystemStatusQuery"))["refused"]
        assert (refused["requests"], refused["requestsPerDay"], refused["notKept"]) == (10, 10, 14)
        assert refused["bytes"] <= refused["bytesPerDay"] == 100_000
        assert (await send_from(own, PROVIDER, "kept", **signed(1))).status == 200


def test_strangers_leave_room_for_what_is_awaited() -> None:
    """However many addresses fill a day, what a provider has signed for a rule that is switched off is kept."""
    today = date(2030, 1, 1)
    counted = Quota(QuarantineSettings(requests_per_day=100, bytes_per_day=1_000_000))
    for number in range(1_000):
        counted.allows(1, "disabled" if number % 2 else "unknown", f"2001:db8:0:{number:x}::1", 1, today)
    tries = [counted.allows(1, "disabled", PROVIDER, 1, today, is_awaited=True) for _ in range(60)]
    assert sum(tries) == 50
    assert counted.of(1, today).requests == 150
