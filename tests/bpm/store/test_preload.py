"""Units that need something large wait until it has been made beside the writer."""

import threading

import pytest
from sqlmodel import select

from bpm.store import Database, PreloadRequired, Transaction, utc_now
from bpm.store.committed_cache import SizedLruCache
from bpm.store.organizations import Organization
from bpm.store.preload import ROUNDS

pytestmark = pytest.mark.anyio


def thread() -> str:
    return threading.current_thread().name.rstrip("0123456789")


class Large:
    """A thing that takes long to make, kept once it was made."""

    def __init__(self) -> None:
        self.made_in: list[str] = []

    def use(self, tx: Transaction) -> str:
        if not self.made_in and tx.can_be_put_off:
            raise PreloadRequired(1_000_000, self.make, 1)
        if not self.made_in:
            self.make()
        return "used"

    def make(self) -> None:
        self.made_in.append(thread())


async def names(database: Database) -> list[str]:
    return sorted(await database.read(lambda tx: tx.session(None).exec(select(Organization.name)).all()))


async def test_a_unit_is_undone_and_run_again(database: Database) -> None:
    """What it had done before it found something missing is done once, and the missing is made in another thread."""
    large, before = Large(), await names(database)

    def unit(tx: Transaction) -> str:
        tx.session(None).add(Organization(name="Acme", created_at=utc_now()))
        tx.session(None).flush()
        return large.use(tx)

    assert await database.write(unit) == "used"
    assert large.made_in == ["bpm-large-bodies_"]
    assert await names(database) == sorted([*before, "Acme"])


async def test_the_end_of_patience(database: Database) -> None:
    """A unit for which nothing stays in memory makes what it needs itself, after so many rounds."""
    rounds: list[bool] = []

    def unit(tx: Transaction) -> str:
        rounds.append(tx.can_be_put_off)
        if tx.can_be_put_off:
            raise PreloadRequired(1_000_000, lambda: None, 1)
        return "made here"

    assert await database.write(unit) == "made here"
    assert rounds[-1] is False
    assert rounds.count(True) in (ROUNDS, 2 * ROUNDS)  # where units have no savepoint, one that raises is run twice


async def test_what_preparing_raises_reaches_the_caller(database: Database) -> None:
    def unit(tx: Transaction) -> None:
        raise PreloadRequired(1_000_000, lambda: 1 // 0, 1)

    with pytest.raises(ZeroDivisionError):
        await database.write(unit)


def test_memory_has_a_weight() -> None:
    """What was not asked for longest goes first; what is heavier than all that may be kept is not kept."""
    kept = SizedLruCache[str, str](10, len)
    for name in ("aaaa", "bbbb"):
        kept.keep(name, name)
    assert kept.get("aaaa") == "aaaa"
    kept.keep("cccc", "cccc")
    assert [kept.get(name) for name in ("aaaa", "bbbb", "cccc")] == ["aaaa", None, "cccc"]
    kept.keep("aaaa", "aa")
    kept.keep("dd", "dddd")
    assert [kept.get(name) for name in ("aaaa", "cccc", "dd")] == ["aa", "cccc", "dddd"]
    kept.keep("heavy", "x" * 11)
    assert kept.get("heavy") is None
