"""Requests made of the parts that parsers disagree about, read by our connection and by h11.

What ours takes, h11 must read the same; and it must not matter in which pieces a request arrives.
"""

import h11
from hypothesis import strategies as st

from tests.attacks.echo import cut, talk

FRAGMENTS = [
    *(b"GET ", b"POST ", b"/", b"/a?b=c", b"*", b"http://x/", b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2.0", b"#"),
    *(b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b";", b",", b'"', b"\xff", b"0", b"2", b"a", b"{}"),
    *(b"Host: x\r\n", b"Host: y\r\n", b"Content-Length: 2\r\n", b"Content-Length: 0\r\n", b"Content-Length: "),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: ", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    *(
        b"Connection: close\r\n",
        b"Expect: 100-continue\r\n",
        b"2\r\n{}\r\n0\r\n\r\n",
        b"2;x=y\r\n",
        b"0\r\nTrailer: t\r\n",
    ),
    *(b"POST / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
]
PARTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=3)), max_size=14)
STARTS = st.sampled_from([b"POST / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n", b""])


def fuzz(data: st.DataObject) -> None:
    """Raise when a request is read in two ways."""
    raw = data.draw(STARTS) + b"".join(data.draw(PARTS))
    echo, _, _ = talk([raw])
    in_pieces, _, _ = talk(cut(raw, data.draw(st.integers(1, 9))))
    assert echo.seen == in_pieces.seen, raw
    for ours, theirs in zip(echo.seen, _read_by_h11(raw), strict=False):
        assert ours == theirs, raw


def _read_by_h11(raw: bytes) -> list[str]:
    """Return the requests that h11 reads, in the words of `Echo`; it stops where it reads nothing more."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    connection.receive_data(raw)
    seen: list[str] = []
    line, body = "", b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return seen
        if isinstance(event, h11.Request):
            line, body = f"{event.method.decode()} {event.target.decode().removeprefix('http://x')}", b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            seen.append(f"{line} {body.decode('latin-1')}".rstrip(" "))
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return seen
            connection.start_next_cycle()
        else:
            return seen
