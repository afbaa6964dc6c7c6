"""The product's zygote on a machine that has a process for every second one that is asked for."""

import errno
import itertools
import os
from collections.abc import Mapping

from scripts.child import zygote
from scripts.wall import locks


class CrowdedZygote(zygote.Zygote):
    """Forks where every second attempt is refused, as under `ulimit -u` or `pids.max`."""

    def run(self, state: Mapping[str, locks.Lock]) -> None:
        """Serve after the locks are tried, which takes processes as well."""
        fork, asked = os.fork, itertools.count(1)

        def refuse_every_second() -> int:
            if next(asked) % 2 == 0:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            return fork()

        os.fork = refuse_every_second
        super().run(state)


if __name__ == "__main__":
    zygote.Zygote = CrowdedZygote
    zygote.main()
