"""The sandbox of a server that is not run by root holds as well."""

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 65534
EVERY = 8
"""One script in so many, so that the test is quick; started by hand with 1, all are run."""


INTERPRETERS = (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
"""The one that runs this, or where only root can reach it, the system's of the same version."""


def as_nobody(*arguments: str) -> "subprocess.CompletedProcess[bytes] | None":
    """Run one of our modules as an ordinary user; None where such a user may start no interpreter."""
    for interpreter in INTERPRETERS:
        with contextlib.suppress(PermissionError, FileNotFoundError):
            return subprocess.run(
                [interpreter, "-B", "-m", *arguments],
                cwd=ROOT,
                env={"PYTHONPATH": sysconfig.get_path("purelib")},
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
    return None


@pytest.mark.skipif(os.getuid() != 0, reason="every test is run as an ordinary user already")
def test_the_corpora_end_the_same_for_an_ordinary_user() -> None:
    """Started by nobody, the sandbox has its locks, stops what is hostile and runs what is ordinary."""
    done = as_nobody("tests.scripts.corpus_run", str(EVERY))
    if done is None:
        pytest.skip("an ordinary user may start no interpreter of this version")
    assert done.stdout, done.stderr.decode()
    said = json.loads(done.stdout)
    assert (said["user"], said["wrong"]) == (NOBODY, [])
    assert said["locks"]["user"] == "ordinary user"
    assert said["locks"]["seccomp"]
