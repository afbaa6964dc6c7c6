"""What comes of it when whoever is told of a request can't take it in."""

import pytest

from bpm.errors import Malformed, Overloaded
from bpm.settings import ConnectionSettings
from bpm.web.connections.request_reader import RequestHead, RequestListener, RequestReader

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


class Forgetful(RequestListener):
    """A connection for whose body there is no memory."""

    def take_head(self, head: RequestHead) -> None:
        """Begin."""

    def take_body(self, piece: bytes) -> None:
        """Have no room."""
        raise MemoryError

    def take_end(self, *, keep_alive: bool) -> None:
        """End."""


def test_a_request_for_which_there_is_no_memory_is_not_malformed() -> None:
    """Its sender is asked to try again: there is nothing to mend in it."""
    with pytest.raises(Overloaded, match="no memory"):
        RequestReader(ConnectionSettings(), Forgetful()).read(REQUEST)


def test_what_is_no_request_is_malformed() -> None:
    """The parser says why."""
    with pytest.raises(Malformed, match=r"not HTTP/1\.1"):
        RequestReader(ConnectionSettings(), Forgetful()).read(b"POST /\x01 HTTP/1.1\r\n\r\n")
