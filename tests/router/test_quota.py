"""How many refused requests are kept."""

from collections.abc import Iterator
from datetime import date

import pytest

from bpm.settings import QuarantineSettings
from router import quota
from router.quota import Quota

TODAY, TOMORROW = date(2030, 1, 1), date(2030, 1, 2)
MIB = 1024 * 1024


def a_quota(requests: int = 1000, size: int = 64 * MIB) -> Quota:
    return Quota(QuarantineSettings(requests_per_day=requests, bytes_per_day=size))


def addresses() -> Iterator[str]:
    return (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(1_000_000))


def kept(counted: Quota, causes: list[str], size: int = 1, organization_id: int = 1, today: date = TODAY) -> int:
    """Return how many of these requests, each from an address of its own, are kept."""
    sources = addresses()
    return sum(counted.allows(organization_id, cause, next(sources), size, today) for cause in causes)


def test_each_source_has_its_share_of_each_cause() -> None:
    """One address fills its own share of one cause, and no other's."""
    counted = a_quota()
    tries = range(quota.PER_SOURCE + 50)
    assert sum(counted.allows(1, "signature", "10.0.0.1", 1, TODAY) for _ in tries) == quota.PER_SOURCE
    assert counted.allows(1, "address", "10.0.0.1", 1, TODAY)
    assert counted.allows(1, "signature", "10.0.0.2", 1, TODAY)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_network_of_ipv6_is_one_source(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str, together: bool
) -> None:
    """A site has a whole /64 of IPv6 addresses; they count as one, and an IPv4 address however it is written."""
    monkeypatch.setattr(quota, "PER_SOURCE", 1)
    counted = a_quota()
    assert counted.allows(1, "signature", first, 1, TODAY)
    assert counted.allows(1, "signature", second, 1, TODAY) is not together


def test_a_day_has_a_limit_and_one_cause_half_of_it() -> None:
    """Any number of addresses together fill no more than the whole, and with one cause no more than half."""
    counted = a_quota(1000)
    assert kept(counted, ["unknown"] * 2000) == 500
    assert kept(counted, ["signature"] * 400) == 400
    assert kept(counted, ["address"] * 400) == 100
    assert counted.of(1, TODAY).not_kept == 1500 + 300


def test_bytes_have_a_limit() -> None:
    """Large requests fill the room sooner, and a small one still finds some."""
    counted = a_quota(10_000, 64 * MIB)
    assert kept(counted, ["size"] * 100, MIB) == 32
    assert kept(counted, ["signature"] * 100, MIB) == 32
    assert kept(counted, ["address"]) == 0


def test_organisations_have_rooms_of_their_own() -> None:
    """What fills one organisation's room leaves another's as it is."""
    counted = a_quota(10)
    assert kept(counted, ["a", "b", "c"] * 10) == 10
    assert kept(counted, ["a", "b", "c"] * 10, organization_id=2) == 10


def test_sources_are_forgotten_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many sources are counted at a time, the newest."""
    monkeypatch.setattr(quota, "MAX_SOURCES", 2)
    monkeypatch.setattr(quota, "PER_SOURCE", 1)
    counted = a_quota()
    asked = [counted.allows(1, "c", address, 1, TODAY) for address in ("a", "b", "c", "c", "a")]
    assert asked == [True, True, True, False, True]


def test_a_new_day_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was full has room again on the next day."""
    monkeypatch.setattr(quota, "PER_SOURCE", 1)
    counted = a_quota()
    assert [counted.allows(1, "c", "a", 1, day) for day in (TODAY, TODAY, TOMORROW)] == [True, False, True]
    assert counted.of(1, TOMORROW).requests == 1
