"""One worker a database file."""

import subprocess
import sys
from pathlib import Path

import pytest

from bpm.errors import Misconfigured
from bpm.jobs.worker_lock import WorkerLock, worker_lock
from bpm.settings import Settings


def test_a_second_worker_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    """The lock names its holder, and is free again when the holder let go."""
    first, second = WorkerLock(tmp_path / "lock"), WorkerLock(tmp_path / "lock")
    first.take()
    with pytest.raises(Misconfigured, match=r"process \d+ runs the jobs of .*--no-worker"):
        second.take()
    first.release()
    second.take()
    second.release()


@pytest.mark.parametrize("name", ["bpm.db", "other.db"])
def test_the_lock_is_the_file_s(tmp_path: Path, name: str) -> None:
    """Whichever data folder a worker has, and by whichever path it reaches the file; another file is another matter."""
    home = tmp_path / "home"
    home.mkdir()
    (home / name).touch()
    (tmp_path / "link.db").symlink_to(home / name)
    beside = Settings(data_dir=tmp_path / "a", database_url=f"sqlite:///{home / name}")
    linked = Settings(data_dir=tmp_path / "b", database_url=f"sqlite:///{tmp_path / 'link.db'}")
    usual = Settings(data_dir=home)
    first = worker_lock(beside)
    first.take()
    for settings in (linked, usual) if name == "bpm.db" else (linked,):
        with pytest.raises(Misconfigured, match="runs the jobs of the database in"):
            worker_lock(settings).take()
    if name != "bpm.db":
        worker_lock(usual).take()


def test_a_killed_worker_holds_nothing(tmp_path: Path) -> None:
    """However a process ends, its folder can be taken."""
    code = f"""
import os, pathlib
from bpm.jobs.worker_lock import WorkerLock, worker_lock
from bpm.settings import Settings
WorkerLock(pathlib.Path({str(tmp_path / "lock")!r})).take()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    WorkerLock(tmp_path / "lock").take()
