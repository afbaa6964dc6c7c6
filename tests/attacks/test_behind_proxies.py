"""The same bytes through nginx and HAProxy: nothing of one request reaches the application as another."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.attacks.echo import Echo, serving
from tests.attacks.proxies import PROXIES, is_installed, proxy
from tests.attacks.raw_requests import CASES, END, OFFER, POST, TRAILERS
from tests.connections import config_of

SECONDS = 6
AT_ONCE = 24


@pytest.fixture(params=PROXIES)
def echo_and_port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Echo, int]]:
    """An application behind a proxy, and the proxy's port."""
    if not is_installed(request.param):
        pytest.skip(f"{request.param} is not installed; `make proxies` installs it where apt-get is")
    echo = Echo()
    with serving(config_of(echo, proxies="127.0.0.1")) as upstream, proxy(request.param, upstream, tmp_path) as port:
        yield echo, port


def send(port: int, raw: bytes) -> bytes:
    """Send everything with `END` behind it; return what came back until that was answered or the other side closed."""
    received = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
        client.sendall(raw + END)
        while not received.endswith(b"GET /end") and (piece := client.recv(65_536)):
            received += piece
    return received


def test_no_case_smuggles_a_request(echo_and_port: tuple[Echo, int]) -> None:
    """Of all raw cases together the application is never asked for what nobody may ask for."""
    echo, port = echo_and_port
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(partial(send, port), [case.raw for case in CASES.values()]))
    assert not [seen for seen in echo.seen if seen.startswith("GET /smuggled")]
    assert "GET /end" in echo.seen


def test_a_body_that_looks_like_requests_stays_a_body(echo_and_port: tuple[Echo, int]) -> None:
    """Behind an offer to upgrade that the proxy passes on, a body larger than any buffer is still a body."""
    echo, port = echo_and_port
    inner = b"POST /smuggled HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 2\r\n\r\n{}"
    body = b"\r\n" * 150_000 + inner
    send(port, POST + OFFER + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    first, *others = echo.seen
    assert (first[:7], len(first)) == ("POST / ", len("POST / ") + len(body))
    assert set(others) <= {"GET /end"}


def test_trailers_are_no_headers(echo_and_port: tuple[Echo, int]) -> None:
    """What a client says in a trailer about its address the application does not hear."""
    echo, port = echo_and_port
    for name in ("trailer b'X-Forwarded-For: 10.0.0.1'", "trailer b'Authorization: Bearer x'"):
        send(port, TRAILERS[name].raw)
    assert echo.seen
    for headers in echo.headers:
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert "authorization" not in headers
