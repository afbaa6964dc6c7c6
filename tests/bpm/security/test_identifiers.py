"""Identifiers are unique and sort by time."""

import subprocess
import sys
import time
import uuid

from bpm.security.identifiers import new_id


def test_an_identifier_is_a_uuid_of_version_7() -> None:
    """The text reads as a UUID whose version and variant bits are those of RFC 9562."""
    for _ in range(1_000):
        value = uuid.UUID(new_id())
        assert value.version == 7
        assert value.variant == uuid.RFC_4122


def test_identifiers_are_unique() -> None:
    """A hundred thousand identifiers made at once differ."""
    assert len({new_id() for _ in range(100_000)}) == 100_000


def test_identifiers_sort_by_time() -> None:
    """A later millisecond makes a greater text, and the time can be read from it."""
    before, first = time.time(), new_id()
    time.sleep(0.002)
    assert first < new_id()
    assert abs((uuid.UUID(first).int >> 80) / 1000 - before) < 1


def test_a_forked_child_goes_its_own_way() -> None:
    """A child process does not repeat the identifiers of its parent."""
    script = "import os; from bpm.security.identifiers import new_id; os.fork(); os.write(1, new_id().encode() + b' ')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    parent, child = done.stdout.split()
    assert parent[-19:] != child[-19:]
