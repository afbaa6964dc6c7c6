"""The change of the installation's key: everything that the former one has sealed is sealed again."""

from dataclasses import dataclass

from bpm.accounts import tables
from bpm.accounts.installation import Installation, installation_key_id
from bpm.bus.audit import note_offline_work
from bpm.clock import Clock
from bpm.errors import Misconfigured
from bpm.security.resealing import Resealing
from bpm.security.secrets import SecretBox
from bpm.store import Database, Transaction
from bpm.store.rewriting import Progress, Rewriter, rewrite

MOST_RUNS = 10
"""How often everything is looked through until nothing is found; what is sealed meanwhile has the present key."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation has come to: the rows that were sealed again, and the names of both keys."""

    rows: int
    former: str
    present: str


async def rotate_key(
    database: Database, former: bytes, present: bytes, clock: Clock, progress: Progress, *, is_served: bool
) -> Rotation:
    """Seal everything again by the present key, prove that nothing is left, and forget the former one.

    Every server must accept both keys and seal by the present one. May be broken off and run again. Raises
    `Misconfigured` where a server that works seals by another key, or values go on being sealed by the former one.
    """
    ids = tables.KeyIds(installation_key_id(present), installation_key_id(former))
    known = await database.read(lambda tx: tables.known_key_ids(tx.connection))
    if is_served and known.present != ids.present:
        raise Misconfigured(
            f"the server that started last seals by the key {known.present}; start every server with the key "
            f"{ids.present}, and with the former one as the accepted key"
        )
    await Installation(database, present, former).check()
    rows = await _reseal(database, Resealing(SecretBox(former), SecretBox(present)), SecretBox(former).prefix, progress)
    await database.write(lambda tx: _finish(tx, ids, rows, clock))
    return Rotation(rows, str(ids.former), str(ids.present))


async def _reseal(database: Database, resealing: Resealing, mark: str, progress: Progress) -> int:
    """Return how many rows were sealed again, once a run through everything has found none."""
    rewriter = Rewriter(mark, resealing.text, resealing.data)
    total = 0
    for _ in range(MOST_RUNS):
        rows = await rewrite(database, rewriter, progress)
        if rows == 0:
            return total
        total += rows
    raise Misconfigured(
        "values are sealed by the former key all the time: a server still works with it; start every server with the "
        "new one, and run this again"
    )


def _finish(tx: Transaction, ids: tables.KeyIds, rows: int, clock: Clock) -> None:
    known = tables.known_key_ids(tx.connection)
    if known.present != ids.present:
        raise Misconfigured(f"a server that seals by the key {known.present} was started meanwhile; run this again")
    if known.former is None and rows == 0:
        return
    tables.replace_key_ids(tx, tables.KeyIds(ids.present, None))
    done = {"rows": rows, "formerKey": ids.former, "presentKey": ids.present}
    note_offline_work(tx, clock, "bpm rotate-key", done)
