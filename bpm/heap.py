"""The C library's heap, from which the embedded database, passwords and large bodies take their memory."""

import ctypes

M_MMAP_THRESHOLD = -3
"""Of glibc's `mallopt`: from how many bytes on a block is no part of the heap, and goes back when it is freed."""
M_ARENA_MAX = -8
"""How many heaps there may be."""
OWN_BLOCK_BYTES = 1024 * 1024


def keep_heap_small() -> None:
    """Let a process keep little memory that nobody uses; called before there are threads.

    Left to itself, glibc makes a heap for each thread that finds the others in use, and what one thread has freed in
    its own serves no other one: 30 MB after some minutes of load. Once a large block was freed, it takes such blocks
    from the heap, which then stays as large: a sign-in, whose check of the password takes 19 MB, left them behind.
    Where the C library isn't glibc, nothing happens.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(M_ARENA_MAX, 1)
        adjust(M_MMAP_THRESHOLD, OWN_BLOCK_BYTES)
