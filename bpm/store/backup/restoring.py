"""Puts a backup back: into an empty place, or in the place of what is there."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from bpm.errors import Misconfigured
from bpm.security.durable_files import sync
from bpm.security.private_files import make_private_folder
from bpm.store.backup.dumps import restore_dump
from bpm.store.backup.files import Progress, new_file, require_room, verified_facts
from bpm.store.backup.manifest import Manifest, read_manifest
from bpm.store.database import Database
from bpm.store.exclusive import open_alone
from bpm.store.migrate import newest_revision, revisions
from bpm.store.rows import utc_now


async def restore_backup(folder: Path, database: Database, progress: Progress, *, replace: bool = False) -> Manifest:
    """Put a backup where the settings name a database, and verify it there; return its manifest.

    A SQLite file that is there is refused, or with `replace` kept beside the new one; nobody may have it open.
    PostgreSQL takes a backup into an empty database only. Raises `Misconfigured`; what was there is untouched then.
    """
    progress("verifying", 0, 1)
    manifest = read_manifest(folder)
    _require_fit(manifest, database)
    if database.dsn is None:
        _restore_file(folder / manifest.file, manifest.rows, Path(database.name), replace)
        return manifest
    if replace:
        raise Misconfigured("--replace is for SQLite; make an empty database and name it in BPM_DATABASE_URL")
    await database.check()
    await restore_dump(database, folder / manifest.file, manifest.rows, progress)
    return manifest


def _require_fit(manifest: Manifest, database: Database) -> None:
    kind = "sqlite" if database.dsn is None else "postgresql"
    if manifest.database != kind:
        raise Misconfigured(
            f"the backup is of {manifest.database} and BPM_DATABASE_URL names {kind}; restore it into a database of "
            "its own kind, then move it with `bpm db copy`"
        )
    if manifest.revision not in revisions():
        raise Misconfigured(
            f"the backup stands at revision {manifest.revision}, this version knows up to {newest_revision()}; "
            f"restore it with version {manifest.version} or a newer one"
        )


def _restore_file(source: Path, rows: Mapping[str, int], target: Path, replace: bool) -> None:
    make_private_folder(target.parent)
    if target.exists():
        _require_replaceable(target, replace)
    require_room(target.parent, source.stat().st_size)
    draft = target.with_name(f"{target.name}.restoring")
    draft.unlink(missing_ok=True)  # of a restore that was killed
    with new_file(draft):
        shutil.copyfile(source, draft)
        if verified_facts(draft).rows != rows:
            raise Misconfigured(f"{source} has other rows than its manifest says; use another backup")
        sync(draft)
        if target.exists():
            target.rename(target.with_name(f"{target.stem}-{utc_now():%Y%m%dT%H%M%SZ}{target.suffix}"))
        draft.rename(target)
    sync(target.parent)


def _require_replaceable(target: Path, replace: bool) -> None:
    if not replace:
        raise Misconfigured(
            f"{target} is there already; choose another BPM_DATA_DIR, "
            "or add --replace, which keeps it beside the new one"
        )
    with open_alone(target):
        pass
