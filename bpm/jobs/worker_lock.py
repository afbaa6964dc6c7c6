"""One worker a database file: the embedded job engine takes up whatever is open, so it must be alone."""

import fcntl
import os
from pathlib import Path

from bpm.errors import Misconfigured
from bpm.security.private_files import make_private_file
from bpm.settings import Settings
from bpm.store.sqlite import database_file

USUAL_FILE = "bpm.db"


def worker_lock(settings: Settings) -> "WorkerLock":
    """Return the lock of the SQLite file that the settings name: beside the file, whoever reaches it by which path."""
    file = database_file(settings).resolve()
    return WorkerLock(file.with_name("worker.lock" if file.name == USUAL_FILE else f"{file.name}.worker.lock"))


class WorkerLock:
    """A lock file held while the process lives; the system lets go of it however the process ends."""

    def __init__(self, path: Path) -> None:
        """Take the file; nothing is opened yet."""
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Become the owner; raises `Misconfigured` when another process is."""
        make_private_file(self._path)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise Misconfigured(
                f"process {owner} runs the jobs of the database in {self._path.parent} already; "
                "stop it, choose another database, or start with --no-worker"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another process become the owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
