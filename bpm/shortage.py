"""What is raised where the machine gives a process no more memory, or no further thread."""

import errno
from collections.abc import Iterator

NO_THREAD = "can't start new thread"
NO_ERROR = "error return without exception set"
"""What the interpreter raises where it has not even the memory for a `MemoryError`."""
NO_MEMORY = (errno.ENOMEM, errno.EAGAIN)
"""What the system says to who asks for memory or for a process."""


def shortage_in(error: BaseException) -> BaseException | None:
    """Return what says that memory or threads are used up: an error, or one that it came of; None if none does."""
    return next((met for met in _causes(error) if _is_shortage(met)), None)


def _is_shortage(error: BaseException) -> bool:
    match error:
        case MemoryError():
            return True
        case RuntimeError():
            return NO_THREAD in str(error)
        case SystemError():
            return NO_ERROR in str(error)
        case OSError():
            return error.errno in NO_MEMORY
        case _:
            return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    met: BaseException | None = error
    seen = set[int]()
    while met is not None and id(met) not in seen:
        seen.add(id(met))
        yield met
        met = met.__cause__ or met.__context__
