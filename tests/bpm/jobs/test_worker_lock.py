"""One worker a data folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from bpm.errors import Misconfigured
from bpm.jobs.worker_lock import WorkerLock


def test_a_second_worker_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    """The lock names its holder, and is free again when the holder let go."""
    first, second = WorkerLock(tmp_path / "lock"), WorkerLock(tmp_path / "lock")
    first.take()
    with pytest.raises(Misconfigured, match=r"process \d+ runs the jobs of .*--no-worker"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_killed_worker_holds_nothing(tmp_path: Path) -> None:
    """However a process ends, its folder can be taken."""
    code = f"""
import os, pathlib
from bpm.jobs.worker_lock import WorkerLock
WorkerLock(pathlib.Path({str(tmp_path / "lock")!r})).take()
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    WorkerLock(tmp_path / "lock").take()
