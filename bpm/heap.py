"""The C library's heap, from which the embedded database and large bodies take their memory."""

import ctypes

M_ARENA_MAX = -8
"""Of glibc's `mallopt`: how many heaps there may be."""


def share_heap() -> None:
    """Let all threads of this process take memory from one heap; called before there are threads.

    glibc makes a heap for each thread that finds the others in use. What one thread has freed in its own serves no
    other one: under load a server held 30 MB more for it. Where the C library isn't glibc, nothing happens.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(M_ARENA_MAX, 1)
