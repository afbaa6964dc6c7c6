"""One key for all processes on a database: what one seals, and the tokens it signs, the others must be able to read."""

from bpm.accounts import tables
from bpm.errors import Misconfigured
from bpm.security.secrets import derive_key, key_id
from bpm.store import Database, Transaction
from bpm.store.named_lock import take_named_lock
from bpm.store.sync_runner import run_sync


def installation_key_id(key: bytes) -> str:
    """Return the name by which a database remembers the key that it was written with."""
    return key_id(derive_key(key, "installation"))


class Installation:
    """Remembers which key a database was written with, by a name that does not tell it."""

    def __init__(self, database: Database, key: bytes, accepted_key: bytes | None = None) -> None:
        """Take this process's key, and the one that it accepts beside it."""
        self._database = database
        self._own = installation_key_id(key)
        self._accepted = installation_key_id(accepted_key) if accepted_key is not None else None

    async def check(self) -> None:
        """Compare with the keys that the database was written with, and seal by this process's from now on.

        Raises `Misconfigured` when one of those is missing.
        """
        missing = await self._database.write(self._take_over)
        if missing is not None:
            raise Misconfigured(self._words(missing))

    async def examine(self) -> str | None:
        """Say what `check` would, of a database that was checked and is not started; nothing is changed."""

        def look() -> str | None:
            with self._database.maintenance.connect() as connection:
                missing = self._missing(tables.known_key_ids(connection))
                return self._words(missing) if missing is not None else None

        return await run_sync(look, self._database.maintenance)

    async def is_first(self) -> bool:
        """Tell whether the database, which was checked, was written with no key yet; nothing is changed."""

        def look() -> bool:
            with self._database.maintenance.connect() as connection:
                return tables.known_key_ids(connection).present is None

        return await run_sync(look, self._database.maintenance)

    async def adopt(self) -> None:
        """Take this process's key for the database's own from now on, and forget any other."""
        await self._database.write(lambda tx: tables.replace_key_ids(tx, tables.KeyIds(self._own, None)))

    def _take_over(self, tx: Transaction) -> str | None:
        """Return the name of a key that sealed something and is not here; else write down which one seals now."""
        take_named_lock(tx, "installation")
        known = tables.known_key_ids(tx.connection)
        missing = self._missing(known)
        if missing is None and known.present != self._own:
            tables.replace_key_ids(tx, tables.KeyIds(self._own, known.present))
        return missing

    def _missing(self, known: tables.KeyIds) -> str | None:
        missing = {known.present, known.former} - {None, self._own, self._accepted}
        return min(missing, key=str) if missing else None

    def _words(self, missing: str) -> str:
        return (
            f"the database was written with another BPM_SECRET_KEY ({missing}; this one is {self._own}); give "
            "every process the same one, name the former one in BPM_ACCEPTED_SECRET_KEY while it is changed, or, "
            "where it is lost, run `bpm db adopt-key` and enter every secret again"
        )
