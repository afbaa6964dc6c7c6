"""Backups: taken while servers write, verified when they are taken, and put back elsewhere.

A backup is a folder with the data in one file and a `manifest.json`, which is written last: a folder without it is
no backup.
"""

from bpm.store.backup.manifest import Manifest, read_manifest
from bpm.store.backup.restoring import restore_backup
from bpm.store.backup.taking import take_backup

__all__ = ["Manifest", "read_manifest", "restore_backup", "take_backup"]
