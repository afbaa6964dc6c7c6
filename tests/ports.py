"""Waits for servers that a test started as processes of their own."""

import socket
import time

PAUSE_SECONDS = 0.05


def wait_for(port: int, seconds: float = 60) -> None:
    """Wait until somebody listens on a port of this machine; raises `OSError` when nobody does in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return
