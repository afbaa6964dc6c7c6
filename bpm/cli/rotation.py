"""`bpm rotate-key`: another secret key, without entering a secret again."""

from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.storage import checked, owned, refuse_missing_file, run, shown_progress
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from bpm.settings import Settings
    from bpm.store import Database

New = Annotated[
    bool, typer.Option("--new", help="Only put a new key into secret.key; the former one becomes accepted.key.")
]

WITHOUT = "there is no former key here: set BPM_ACCEPTED_SECRET_KEY to it, or begin with `bpm rotate-key --new`"


def rotate_key(new: New = False) -> None:
    """Seal everything again by the present secret key, and prove that nothing is left under the former one.

    Servers go on meanwhile; they must have been started with both keys. Broken off, the same command goes on.
    """
    run(_replace_key if new else _rotate)


async def _replace_key(settings: "Settings") -> None:
    from bpm.security.secrets import ACCEPTED_KEY_FILE, KEY_FILE, replace_key_file

    if settings.secret_key is not None:
        fail(ExitStatus.USAGE, "BPM_SECRET_KEY is set; give it another value, and BPM_ACCEPTED_SECRET_KEY the former")
    refuse_missing_file(settings)
    replace_key_file(settings.data_dir)
    say(f"{settings.data_dir / KEY_FILE} is new, the former one is {settings.data_dir / ACCEPTED_KEY_FILE}")
    say("Start every server again, then run `bpm rotate-key`.")


async def _rotate(settings: "Settings") -> None:
    from bpm.accounts.key_rotation import rotate_key as rotate
    from bpm.clock import system_clock
    from bpm.security.secrets import load_accepted_key, load_secret_key

    refuse_missing_file(settings)
    former = load_accepted_key(settings)
    if former is None:
        fail(ExitStatus.USAGE, WITHOUT)
    present = load_secret_key(settings)
    if former == present:
        fail(ExitStatus.USAGE, "both keys are the same; there is nothing to rotate")
    database = await checked(settings)
    is_served = await _is_served(database, settings)
    await database.start()
    try:
        with shown_progress() as progress:
            done = await rotate(database, former, present, system_clock, progress, is_served=is_served)
    finally:
        await database.stop()
    say(f"sealed {done.rows} rows again by the key {done.present}; nothing is left under {done.former}")
    say("Keep the former key as the accepted one for 24 hours, so that requests sent again are known; and as")
    say("long as backups that were taken before.")


async def _is_served(database: "Database", settings: "Settings") -> bool:
    """Tell whether a server or worker works on the database."""
    from bpm.errors import Misconfigured
    from bpm.store.servers import connected_servers
    from bpm.store.sync_runner import run_sync

    def look() -> int:
        with database.maintenance.connect() as connection:
            return connected_servers(connection)

    try:
        with owned(settings):
            return await run_sync(look, database.maintenance) > 0
    except Misconfigured:
        return True
