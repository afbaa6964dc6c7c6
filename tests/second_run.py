"""Tries the few tests that failed in the last run once more, alone: `python -m tests.second_run`.

The first run is two processes on however busy a machine. A test that fails again is broken; one that passes is
unsteady, is named here, and has to be mended all the same.
"""

import json
import sys
from pathlib import Path

import pytest

FAILED = Path(".venv/.pytest/v/cache/lastfailed")
MAX_TESTS = 3
"""When more tests have failed, it is no accident, and none is tried again."""


def main() -> int:
    """Return pytest's exit code for the second run, or 1 when there is none."""
    failed: dict[str, bool] = json.loads(FAILED.read_text()) if FAILED.exists() else {}
    if not 1 <= len(failed) <= MAX_TESTS:
        return 1
    sys.stdout.write(f"\nSecond run, alone. Unsteady if it passes now: {', '.join(failed)}\n")
    sys.stdout.flush()
    return pytest.main(["--last-failed", "--maxfail", "1"])


if __name__ == "__main__":
    sys.exit(main())
