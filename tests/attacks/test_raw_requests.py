"""Requests byte by byte: one meaning or none, and never a request that nobody sent."""

import socket
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from tests.attacks.echo import Echo, answers_in, cut, serving, talk
from tests.attacks.raw_requests import CASES, END
from tests.connections import config_of

SECONDS = 10


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that all cases share."""
    with serving(config_of(Echo())) as port:
        yield port


def converse(port: int, raw: bytes) -> bytes:
    """Send everything, say that no more will come, and return what came back."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
        client.sendall(raw + END)
        received = b""
        while not received.endswith(b"GET /end"):
            piece = client.recv(65_536)
            if not piece:
                return received
            received += piece
        return received


@pytest.mark.parametrize("name", CASES)
def test_a_request_has_one_meaning(port: int, name: str) -> None:
    """What is sent is answered as the case says, and after a refusal the connection is closed."""
    case = CASES[name]
    assert answers_in(converse(port, case.raw)) == list(case.answers)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if len(case.raw) < 3_000])
def test_packets_change_no_meaning(name: str) -> None:
    """A request that arrives in pieces is read as the same request."""
    case = CASES[name]
    for size in (1, 7, 1_000):
        _, written, _ = talk(cut(case.raw + END, size))
        assert answers_in(written) == list(case.answers)


async def show_headers(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with the values of the headers `A`, each between bars."""
    body = b"|".join([b"", *(value for name, value in scope["headers"] if name == b"a"), b""])
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    """Also those behind it: a signature with a blank at its end is the same signature (RFC 9110, section 5.5)."""
    values = (b"A: sha256=1 \t ", b"A:  b c\t", b"A:d", b"A: \t ")
    raw = b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\nConnection: close\r\n\r\n" % b"\r\n".join(values)
    with serving(config_of(show_headers)) as port, socket.create_connection(("127.0.0.1", port), SECONDS) as client:
        client.sendall(raw)
        received = b"".join(iter(lambda: client.recv(65_536), b""))
    assert received.endswith(b"\r\n\r\n|sha256=1|b c|d||")
