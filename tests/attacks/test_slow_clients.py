"""Clients that are slow, silent or many: each is closed in time, and the others are served."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.attacks.echo import Echo, answers_in, serving
from tests.attacks.raw_requests import END, POST
from tests.connections import config_of

SHORT = 0.3
LONG = 20
"""Longer than anything takes here, and shorter than the settings that are not under test."""

MIB = 1024 * 1024


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=LONG)


def read_to_end(client: socket.socket) -> bytes:
    """Return what comes until the other side closes; raises `TimeoutError` when it does not."""
    received = b""
    with suppress(ConnectionError):
        while piece := client.recv(65_536):
            received += piece
    return received


def drip(client: socket.socket, piece: bytes) -> bytes:
    """Send a piece again and again until the other side has closed; return what it said."""
    deadline = time.monotonic() + LONG
    with suppress(ConnectionError):
        while time.monotonic() < deadline:
            client.sendall(piece)
            client.settimeout(SHORT / 5)
            with suppress(TimeoutError):
                return client.recv(65_536)
        pytest.fail("the connection is still open")
    return b""


@pytest.fixture
def hasty() -> Iterator[int]:
    """A server that gives its clients little time."""
    with serving(config_of(Echo(), head_seconds=SHORT, idle_seconds=SHORT, answer_seconds=SHORT)) as port:
        yield port


def never_speaks(client: socket.socket) -> bytes:
    return read_to_end(client)


def stops_in_its_head(client: socket.socket) -> bytes:
    client.sendall(POST)
    return read_to_end(client)


def drips_its_head(client: socket.socket) -> bytes:
    client.sendall(POST)
    return drip(client, b"A: b\r\n")


def drips_line_ends(client: socket.socket) -> bytes:
    return drip(client, b"\r\n")


def stops_after_an_answer(client: socket.socket) -> bytes:
    client.sendall(END)
    assert read_to_end(client).endswith(b"GET /end")
    return b""


def drips_after_an_answer(client: socket.socket) -> bytes:
    client.sendall(END)
    assert client.recv(65_536).endswith(b"GET /end")
    return drip(client, b"\r\n")


def stops_in_its_second_head(client: socket.socket) -> bytes:
    client.sendall(END + b"GET /")
    assert read_to_end(client).endswith(b"GET /end")
    return b""


@pytest.mark.parametrize(
    "behave",
    [
        never_speaks,
        stops_in_its_head,
        drips_its_head,
        drips_line_ends,
        stops_after_an_answer,
        drips_after_an_answer,
        stops_in_its_second_head,
    ],
)
def test_who_is_slow_is_closed(hasty: int, behave: Callable[[socket.socket], bytes]) -> None:
    """Silence, half a head and a head by drops end in the time of the settings."""
    with connect(hasty) as client:
        assert behave(client) == b""


async def much(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than any buffer of the way holds."""
    await PlainTextResponse(b"x" * 64 * MIB)(scope, receive, send)


@pytest.mark.parametrize("request_bytes", [END, END.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), END * 100])
def test_who_does_not_read_is_closed(request_bytes: bytes) -> None:
    """An answer that is not read ends, whether the connection was to be kept or not."""
    config = config_of(much, answer_seconds=SHORT)
    with serving(config) as port, connect(port) as client:
        client.sendall(request_bytes)
        deadline = time.monotonic() + LONG
        while not config.connections.open:
            assert time.monotonic() < deadline
        while config.connections.open:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def ask(port: int, target: bytes) -> list[str]:
    with connect(port) as client:
        client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % target)
        return answers_in(read_to_end(client))


def test_above_the_bound_only_health_is_told() -> None:
    """Too many connections get a clear no, health checks their answer, and one log line tells it."""
    with structlog.testing.capture_logs() as logs:
        config = config_of(Echo(), max_open=5, max_per_address=5, proxies="127.0.0.1")
        with serving(config) as port, ExitStack() as open_ones:
            for _ in range(5):
                client = open_ones.enter_context(connect(port))
                client.sendall(END)
                client.recv(65_536)
            for _ in range(20):
                assert ask(port, b"/a") == ["503"]
                assert ask(port, b"/livez?x") == ["GET /livez?x"]
            open_ones.close()
            deadline = time.monotonic() + LONG
            while ask(port, b"/a") != ["GET /a"]:
                assert time.monotonic() < deadline
    assert [entry["event"] for entry in logs] == ["connections refused"]


def test_silent_clients_do_not_keep_health_checks_out() -> None:
    """However many connections wait above the bound, a new one is heard."""
    with serving(config_of(Echo(), max_open=1, proxies="127.0.0.1")) as port, ExitStack() as open_ones:
        for _ in range(50):
            open_ones.enter_context(connect(port))
        assert ask(port, b"/readyz") == ["GET /readyz"]


@pytest.mark.parametrize(("proxies", "answer"), [("", "503"), ("127.0.0.1", "GET /a")])
def test_one_address_has_its_share(proxies: str, answer: str) -> None:
    """Above an address's share only health is told; proxies that are believed have no share."""
    with serving(config_of(Echo(), max_open=10, max_per_address=3, proxies=proxies)) as port, ExitStack() as open_ones:
        for _ in range(3):
            client = open_ones.enter_context(connect(port))
            client.sendall(END)
            assert client.recv(65_536).endswith(b"GET /end")
        for _ in range(5):
            assert ask(port, b"/a") == [answer]
            assert ask(port, b"/livez") == ["GET /livez"]


def test_few_descriptors_mean_few_connections() -> None:
    """The bound follows what the system lets the process open, and is never none."""
    assert config_of(Echo(), 100).connections.most == 92
    assert config_of(Echo(), 3).connections.most == 1
    assert config_of(Echo(), max_open=50).connections.most == 50


def test_bodies_together_are_bounded() -> None:
    """Many half-sent bodies end in a 503 for those who send on, and give back what they took."""
    config = config_of(Echo(), max_buffered_mb=1, max_per_address=100)
    with serving(config) as port:
        with ExitStack() as open_ones:
            clients = [open_ones.enter_context(connect(port)) for _ in range(4)]
            for client in clients[:-1]:
                client.sendall(POST + b"Content-Length: 900000\r\n\r\n" + b"x" * 300_000)
            time.sleep(SHORT)
            with suppress(ConnectionError):
                clients[-1].sendall(POST + b"Content-Length: 900000\r\n\r\n" + b"x" * 300_000)
            assert answers_in(read_to_end(clients[-1])) == ["503"]
        deadline = time.monotonic() + LONG
        while config.connections.buffered:
            assert time.monotonic() < deadline
        assert ask(port, b"/a") == ["GET /a"]


def test_requests_in_advance_cost_their_bytes() -> None:
    """A thousand requests sent at once are read one by one, as their answers go out."""
    with serving(config_of(Echo())) as port, connect(port) as client:
        client.sendall(END * 5_000 + b"GET / HTTP/1.0\r\n\r\n")
        assert len(answers_in(read_to_end(client))) == 5_001
