"""One key for all processes on a database: what one seals, and the tokens it signs, the others must be able to read."""

from bpm.accounts import tables
from bpm.errors import Misconfigured
from bpm.security.secrets import derive_key, key_id
from bpm.store import Database, Transaction
from bpm.store.ordering import one_at_a_time


def installation_key_id(key: bytes) -> str:
    """Return the name by which a database remembers the key that it was written with."""
    return key_id(derive_key(key, "installation"))


class Installation:
    """Remembers which key a database was written with, by a name that does not tell it."""

    def __init__(self, database: Database, key: bytes) -> None:
        """Take this process's key."""
        self._database = database
        self._key_id = installation_key_id(key)

    async def check(self) -> None:
        """Compare with the key of the first process that used the database; raises `Misconfigured`."""
        if await self._database.write(self._known) != self._key_id:
            raise Misconfigured(
                "the database was written with another BPM_SECRET_KEY; give every process the same one, or, where the "
                "former key is lost, run `bpm db adopt-key` and enter every secret again"
            )

    async def adopt(self) -> None:
        """Take this process's key for the database's own from now on."""
        await self._database.write(lambda tx: tables.replace_key_id(tx, self._key_id))

    def _known(self, tx: Transaction) -> str:
        one_at_a_time(tx, "installation")
        known = tables.known_key_id(tx)
        if known is None:
            tables.replace_key_id(tx, self._key_id)
        return known or self._key_id
