"""How many refused requests are kept."""

import pytest

from router import quota
from router.quota import Quota


def test_each_source_has_its_share_of_each_cause() -> None:
    """One address fills its own share of one cause, and no other's."""
    kept = Quota()
    assert sum(kept.allows("signature", "10.0.0.1", 1) for _ in range(quota.PER_SOURCE + 50)) == quota.PER_SOURCE
    assert kept.allows("address", "10.0.0.1", 1)
    assert kept.allows("signature", "10.0.0.2", 1)


def test_all_together_have_a_limit() -> None:
    """Any number of addresses together fill no more than the whole."""
    kept = Quota()
    allowed = sum(kept.allows("unknown", f"10.0.{n >> 8}.{n & 255}", 1) for n in range(quota.PER_WINDOW + 50))
    assert allowed == quota.PER_WINDOW


def test_bytes_have_a_limit() -> None:
    """Large requests fill the room sooner, and a small one still finds some."""
    kept = Quota()
    mib = 1024 * 1024
    assert sum(kept.allows("size", f"10.0.0.{n}", mib) for n in range(100)) == quota.BYTES_PER_WINDOW // mib
    assert not kept.allows("size", "10.0.1.1", 1)


def test_sources_are_forgotten_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many sources are counted at a time, the newest."""
    monkeypatch.setattr(quota, "MAX_SOURCES", 2)
    monkeypatch.setattr(quota, "PER_SOURCE", 1)
    kept = Quota()
    assert [kept.allows("c", address, 1) for address in ("a", "b", "c", "c", "a")] == [True, True, True, False, True]


def test_a_new_hour_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was full has room again in the next window."""
    monkeypatch.setattr(quota, "PER_SOURCE", 1)
    kept = Quota()
    assert [kept.allows("c", "a", 1) for _ in range(2)] == [True, False]
    monkeypatch.setattr(quota, "WINDOW_SECONDS", 0)
    assert kept.allows("c", "a", 1)
