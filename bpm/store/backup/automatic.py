"""The backup that is taken by itself before a new version migrates a SQLite file."""

import shutil
from pathlib import Path

from bpm.errors import Misconfigured
from bpm.store.backup.manifest import NAME
from bpm.store.backup.taking import take_file_backup
from bpm.store.rows import utc_now

PREFIX = "before-upgrade-"
KEPT = 2
"""How many of them stay; the older ones go when a new one is whole."""


def keep_before_upgrade(file: Path, revision: str) -> Path:
    """Back a file up beside itself and return the folder; raises `Misconfigured`, with how to go on without."""
    folder = file.with_name(f"{PREFIX}{utc_now():%Y%m%dT%H%M%SZ}-{revision}")
    try:
        take_file_backup(file, folder)
    except (Misconfigured, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Misconfigured(
            f"the database is to be migrated and could not be backed up before: {error}; "
            "mend that, or set BPM_BACKUP_BEFORE_UPGRADE=false and start again"
        ) from error
    for old in _kept(file.parent)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _kept(folder: Path) -> list[Path]:
    """Return the whole ones, the oldest first; whatever else has such a name is not ours to delete."""
    return sorted(path.parent for path in folder.glob(f"{PREFIX}*/{NAME}"))
