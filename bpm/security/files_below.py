"""Reads a file below a folder, and nothing else, whatever links lie there."""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

MOST_STEPS = 40
"""Folders and links on the way to a file."""


def read_below(folder: Path, parts: Sequence[str], most_bytes: int) -> bytes:
    """Return what stands in a regular file; raises `OSError`, and `ValueError` for a way that leads elsewhere.

    Links that lead on below their own folder are followed: Kubernetes mounts secrets so, and changes all of them by
    moving one link.
    """
    try:
        return _walk(folder, parts, most_bytes)
    except FileNotFoundError:
        return _walk(folder, parts, most_bytes)  # the link was moved between two steps


def parts_below(path: PurePosixPath) -> tuple[str, ...]:
    """Return the parts of a path; raises `ValueError` unless it leads down."""
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise ValueError("it does not lie below the folder")
    return path.parts


def _walk(folder: Path, parts: Sequence[str], most_bytes: int) -> bytes:
    """Go down part by part, each from the folder that is open, so that nothing can lead away on the way."""
    left = list(reversed(parts))
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for _ in range(MOST_STEPS):
            part = left.pop()
            target = _link_target(place, part)
            if target is not None:
                left += reversed(parts_below(PurePosixPath(target)))
                continue
            opened = _open(part, place, is_last=not left)
            os.close(place)
            place = opened
            if not left:
                return _content(place, most_bytes)
    finally:
        os.close(place)
    raise OSError("there are too many links")


def _link_target(place: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=place)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise


def _open(name: str, place: int, *, is_last: bool) -> int:
    # without O_NONBLOCK a named pipe that nobody writes to would stop the server
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | (os.O_NONBLOCK if is_last else os.O_DIRECTORY), dir_fd=place)


def _content(place: int, most_bytes: int) -> bytes:
    if not stat.S_ISREG(os.fstat(place).st_mode):
        raise OSError("it is not a regular file")
    with os.fdopen(place, "rb", closefd=False) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError("it is too long")
    return content
