"""Random nonces, fetched from the system many at a time.

Each question to the system's random source hands the interpreter's lock to another thread, which costs a busy server
more than sealing a header does.
"""

import os

AT_ONCE = 512


class Nonces:
    """Gives each nonce once; a forked process begins with none, so that it never gives its parent's again."""

    def __init__(self, size: int) -> None:
        """Give nonces of `size` bytes."""
        self._size = size
        self._fetched: list[bytes] = []
        os.register_at_fork(after_in_child=self._fetched.clear)

    def next(self) -> bytes:
        """Return a nonce that nobody was given; safe in any thread, for taking one off a list is one step."""
        try:
            return self._fetched.pop()
        except IndexError:
            source = os.urandom(self._size * AT_ONCE)
            first, *others = (source[at : at + self._size] for at in range(0, len(source), self._size))
            self._fetched.extend(others)
            return first
