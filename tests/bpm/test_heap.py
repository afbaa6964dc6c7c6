"""All threads of a process take the C library's memory from one heap."""

import subprocess
import sys

import pytest

HEAPS = """
import ctypes, sys, tempfile, threading
from bpm.heap import share_heap

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
if not hasattr(library, "malloc_info"):
    sys.exit(77)
if sys.argv[1] == "shared":
    share_heap()
together = threading.Barrier(8)


def take() -> None:
    together.wait()
    for _ in range(10_000):  # without the interpreter's lock, so that threads meet
        library.malloc(2_000)
    together.wait()


threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as report:
    file = ctypes.c_void_p(library.fopen(report.name.encode(), b"w"))
    library.malloc_info(0, file)
    library.fclose(file)
    print(report.read().count(b"<heap nr="))
"""


def _heaps(which: str) -> int:
    """Return the number of heaps of a process with eight threads that take memory at once."""
    ended = subprocess.run([sys.executable, "-c", HEAPS, which], capture_output=True, text=True, timeout=300)
    if ended.returncode == 77:
        pytest.skip("the C library isn't glibc")
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def test_threads_share_one_heap() -> None:
    """Where glibc would make heaps of their own for threads, there is one."""
    assert _heaps("own") > 1
    assert _heaps("shared") == 1
