"""A process keeps little memory of the C library's that nobody uses."""

import subprocess
import sys

import pytest

BEGINNING = """
import ctypes, sys, tempfile, threading
from bpm.heap import keep_heap_small

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
if not hasattr(library, "mallinfo2"):
    sys.exit(77)
if sys.argv[1] == "small":
    keep_heap_small()
"""
HEAPS = """
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
LARGE_BLOCK = """
class Figures(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]


library.mallinfo2.restype = Figures
before = library.mallinfo2().hblkhd
library.free(library.malloc(19_000_000))
library.malloc(19_000_000)
print(library.mallinfo2().hblkhd - before)
"""


def _figure(program: str, which: str) -> int:
    """Return what a program prints in a process of its own, with or without our adjustment."""
    command = [sys.executable, "-c", BEGINNING + program, which]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if ended.returncode == 77:
        pytest.skip("the C library isn't glibc of 2.33 or later")
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def test_threads_share_one_heap() -> None:
    """Where glibc would make heaps of their own for eight threads that take memory at once, there is one."""
    assert _figure(HEAPS, "own") > 1
    assert _figure(HEAPS, "small") == 1


def test_a_large_block_is_no_part_of_the_heap() -> None:
    """Where glibc would keep a large block that was freed for the next one, it goes back to the system."""
    assert _figure(LARGE_BLOCK, "own") < 19_000_000
    assert _figure(LARGE_BLOCK, "small") >= 19_000_000
