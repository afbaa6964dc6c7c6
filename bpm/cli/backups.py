"""`bpm db backup`, `restore` and `compact`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json
from bpm.cli.storage import owned, refuse_missing_file, run, shown_progress
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from bpm.settings import Settings
    from bpm.store.backup import Manifest

MEGABYTE = 1_000_000


def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="A new folder.")],
    format: FormatOption = OutputFormat.AUTO,  # noqa: A002 the option's name
) -> None:
    """Back the database up while servers go on, and verify the copy.

    The secret key is not in it: keep secret.key, or BPM_SECRET_KEY, in another safe place.
    """

    async def work(settings: "Settings") -> None:
        from bpm.store import open_database
        from bpm.store.backup import take_backup

        refuse_missing_file(settings)
        database = open_database(settings)
        await database.check()
        with shown_progress() as progress:
            manifest = await take_backup(database, to, progress)
        if not format.is_text:
            print_json(manifest.model_dump(mode="json", by_alias=True))
            return
        say(f"backed up {database.name} to {to}: {_described(manifest)}")
        say(_key_sentence(settings, manifest) or f"it needs the secret key {manifest.key_id}, which is in use here")

    run(work)


def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="A folder that `bpm db backup` has written.")],
    replace: Annotated[
        bool, typer.Option(help="Put it in the place of a SQLite file, which is kept beside it.")
    ] = False,
) -> None:
    """Put a backup where BPM_DATA_DIR or BPM_DATABASE_URL says; stop the servers first."""

    async def work(settings: "Settings") -> None:
        from bpm.security.private_files import make_private_folder
        from bpm.store import open_database
        from bpm.store.backup import restore_backup

        make_private_folder(settings.data_dir)
        database = open_database(settings)
        with owned(settings), shown_progress() as progress:
            manifest = await restore_backup(source, database, progress, replace=replace)
        say(f"restored {database.name}: {_described(manifest)}")
        if sentence := _key_sentence(settings, manifest):
            say(f"bpm: {sentence}", err=True)

    run(work)


def compact() -> None:
    """Give the free space of a SQLite file back to the disk; stop the servers first."""

    async def work(settings: "Settings") -> None:
        from bpm.store.compaction import compact as compact_file
        from bpm.store.factory import is_embedded
        from bpm.store.sqlite import database_file

        if not is_embedded(settings):
            fail(ExitStatus.ERROR, "this is for SQLite; PostgreSQL gives space back with VACUUM FULL")
        refuse_missing_file(settings)
        with owned(settings):
            before, after = compact_file(database_file(settings))
        say(f"{database_file(settings)}: {before / MEGABYTE:.1f} MB before, {after / MEGABYTE:.1f} MB now")

    run(work)


def _described(manifest: "Manifest") -> str:
    return (
        f"{sum(manifest.rows.values())} rows of {len(manifest.rows)} tables at revision {manifest.revision}, "
        f"as of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, taken by version {manifest.version}"
    )


def _key_sentence(settings: "Settings", manifest: "Manifest") -> str | None:
    """Say what to do where the key of these settings is not the backup's; None where it is, or where none is needed."""
    from bpm.accounts.installation import installation_key_id
    from bpm.security.secrets import KEY_FILE, load_secret_key

    if manifest.key_id is None:
        return None
    path = settings.data_dir / KEY_FILE
    if settings.secret_key is None and not path.exists():
        return f"there is no key here: put {KEY_FILE} with the key {manifest.key_id} to {path}, or set BPM_SECRET_KEY"
    here = installation_key_id(load_secret_key(settings))
    if here == manifest.key_id:
        return None
    return (
        f"the key here is {here}, the data was sealed with {manifest.key_id}: bring that one, or, where it is lost, "
        "run `bpm db adopt-key` and enter every secret again"
    )
