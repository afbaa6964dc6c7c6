"""What a unit of work needs and does not find in memory: large things are made ready beside the writer.

To compile a megabyte of a process takes more than a second, in which nobody else's work could be committed. A unit
that needs such a thing raises `PreloadRequired`: it is undone, the thing is made in another thread, and the unit is run
again, which finds it in memory.
"""

from collections.abc import Callable
from typing import Any

LARGE = 32 * 1024
"""From so many bytes on a source is read beside the writer."""

ROUNDS = 20
"""A unit that needs more large things than this makes the rest of them itself: memory may not hold so many."""


class PreloadRequired(BaseException):
    """Raised inside a unit for something that has to be made first; a handler's `except Exception` lets it pass."""

    def __init__(self, size: int, prepare: Callable[[], Any], organization_id: int) -> None:
        """Take how many bytes it is made from, what makes it and keeps it in memory, and for whom."""
        super().__init__(f"{size} bytes are to be read first")
        self.size = size
        self.prepare = prepare
        self.organization_id = organization_id
