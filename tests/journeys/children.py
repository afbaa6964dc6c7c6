"""The processes of a server that answer requests, as the system lists them."""

import psutil


def answering_children(server: int) -> set[int]:
    """Return the ids of the processes of a server that answer; not of those that have ended meanwhile."""
    return {child.pid for child in psutil.Process(server).children() if "--socket" in _words(child)}


def _words(process: psutil.Process) -> list[str]:
    """Return how a process was started."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie, too
        return []
