"""The child's end of its socket: blocking frames on descriptor 3."""

import os
from collections.abc import Mapping
from typing import Any

from scripts.shared.frames import HEADER, SOCKET, pack, unpack


class Wire:
    """Frames to and from the server. A closed socket ends the process: nobody is left to answer."""

    def read(self) -> dict[str, Any]:
        """Wait for the next frame."""
        (size,) = HEADER.unpack(self._exactly(HEADER.size))
        return unpack(self._exactly(size), unicode_errors="surrogatepass")

    def write(self, message: Mapping[str, Any]) -> None:
        """Send one frame, whole."""
        rest = memoryview(pack(message))
        try:
            while rest:
                rest = rest[os.write(SOCKET, rest) :]
        except OSError:
            os._exit(0)

    def wait_for_end(self) -> None:
        """Wait until the server closes the socket."""
        self._exactly(1)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                chunk = os.read(SOCKET, min(size - len(data), 1 << 18))
            except OSError:
                chunk = b""
            if not chunk:
                os._exit(0)
            data += chunk
        return bytes(data)
