"""Files that only their owner may read, whatever the umask says: the database, the key, the folder around them."""

import os
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
OTHERS = 0o077
COMPANIONS = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a database file; it makes them with the mode of the file itself."""


class PrivacyError(OSError):
    """A file or folder can be read by others and can't be closed to them; the sentence says what to do."""


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, or close an existing one of ours; raises `OSError`.

    A folder that belongs to another account, or that everybody may write to as `/tmp`, is left as it is: what is
    put into it is private by itself.
    """
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    found = path.stat()
    if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
        _close(path, FOLDER)


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner may read, or close an existing one; raises `OSError`."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    except FileExistsError:
        _close(path, FILE)


def make_private_database(path: Path) -> None:
    """Make or close a database's file and what SQLite keeps beside it; raises `OSError`."""
    make_private_file(path)
    for name in COMPANIONS:
        companion = path.with_name(path.name + name)
        if companion.exists():
            _close(companion, FILE)


def _close(path: Path, mode: int) -> None:
    if not path.stat().st_mode & OTHERS:
        return
    try:
        path.chmod(mode)
    except OSError as error:
        raise PrivacyError(
            f"{path} can be read by other accounts and this one may not close it ({error.strerror}); "
            f"run `chmod {mode:o} {path}` as its owner, or give it to the account that runs the server"
        ) from error
