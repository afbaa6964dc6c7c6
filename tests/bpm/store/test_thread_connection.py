"""A connection that is cut while its own thread uses it."""

import subprocess
import sys
from pathlib import Path


def test_a_connection_is_cut_beneath_any_statement(tmp_path: Path) -> None:
    """Nothing of it is stored, and the process lives; in one of its own, because a driver that is misused ends it."""
    command = [sys.executable, "-m", "tests.bpm.store.cutting", str(tmp_path / "cut.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
