"""How much work something is: processor time of this process, which others on the machine do not add to."""

import gc
import time
from collections.abc import Generator
from contextlib import contextmanager


class Effort:
    """The processor time that was spent, in seconds."""

    def __init__(self) -> None:
        """Begin to count."""
        self._began = time.process_time()

    @property
    def seconds(self) -> float:
        """What was spent up to now."""
        return time.process_time() - self._began


@contextmanager
def effort_below(seconds: float) -> Generator[None]:
    """Fail when what is done inside takes more processor time; leave a wide margin for slow machines.

    Garbage is not looked for meanwhile: how long that takes depends on all the tests before.
    """
    gc.disable()
    try:
        effort = Effort()
        yield
        spent = effort.seconds
    finally:
        gc.enable()
    assert spent < seconds
