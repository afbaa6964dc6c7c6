"""A process whose interpreter hangs is ended."""

import subprocess
import sys

import pytest

HANGING = """
import ctypes
from bpm.hang_guard import HangGuard
hold = ctypes.PyDLL(None).sleep  # keeps the interpreter's lock
def hang(seconds):
    hold(seconds)
with HangGuard(seconds=0.5):
    {within}
{after}
"""


@pytest.mark.parametrize(
    ("within", "after", "status"),
    [("hang(600)", "", 1), ("pass", "hang(2)", 0)],
    ids=["while it is guarded", "when it is not any more"],
)
def test_a_process_that_hangs_is_ended_and_says_where(within: str, after: str, status: int) -> None:
    """With status 1, so that whatever runs it starts it again."""
    source = HANGING.format(within=within, after=after)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("Timeout" in done.stderr and "in hang" in done.stderr) is bool(status), done.stderr
