"""TLS of the server's own: a handshake has its time and its place, and behind it everything is as in clear."""

import socket
import ssl
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from bpm.settings import TlsSettings
from tests.attacks.echo import Echo, answers_in, serving
from tests.attacks.raw_requests import END, POST
from tests.attacks.test_slow_clients import LONG, SHORT, connect, drip, much, read_to_end
from tests.bpm.events.serving import Authority
from tests.connections import config_of

CLOSE = b"GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
HELLO_BEGUN = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The first bytes of a greeting of 512 bytes."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Somebody whom the clients trust."""
    return Authority(tmp_path)


@pytest.fixture
def port(authority: Authority) -> Iterator[int]:
    """A server that gives its clients the time they need."""
    with serving(config_of(Echo(), tls=TlsSettings(certificate=authority.certify()))) as port:
        yield port


@pytest.fixture
def hasty(authority: Authority) -> Iterator[int]:
    """A server that gives handshakes little time."""
    tls = TlsSettings(certificate=authority.certify(), handshake_seconds=SHORT)
    with serving(config_of(Echo(), tls=tls)) as port:
        yield port


@contextmanager
def secured(port: int, authority: Authority, **versions: ssl.TLSVersion) -> Generator[ssl.SSLSocket]:
    """A client that trusts the authority and nobody else."""
    context = ssl.create_default_context(cafile=authority.file)
    for name, version in versions.items():
        with warnings.catch_warnings(action="ignore"):
            setattr(context, name, version)
    with connect(port) as client, context.wrap_socket(client, server_hostname="127.0.0.1") as tunnel:
        yield tunnel


def ask(port: int, authority: Authority, request: bytes = CLOSE) -> list[str]:
    """Send a request over TLS; return the answers until the other side closes."""
    with secured(port, authority) as client:
        client.sendall(request)
        return answers_in(read_to_end(client))


def never_speaks(client: socket.socket) -> bytes:
    return read_to_end(client)


def stops_in_its_greeting(client: socket.socket) -> bytes:
    client.sendall(HELLO_BEGUN)
    return read_to_end(client)


def drips_its_greeting(client: socket.socket) -> bytes:
    client.sendall(HELLO_BEGUN)
    return drip(client, b"\0")


@pytest.mark.parametrize("behave", [never_speaks, stops_in_its_greeting, drips_its_greeting])
def test_who_is_slow_with_the_handshake_is_closed(hasty: int, behave: Callable[[socket.socket], bytes]) -> None:
    """Silence, half a greeting and one by drops end in the time of the settings."""
    with connect(hasty) as client:
        assert behave(client) == b""


def test_who_speaks_in_clear_reads_nothing_of_the_application(port: int, authority: Authority) -> None:
    """Its connection ends, at most with an alert of TLS."""
    with connect(port) as client:
        client.sendall(END)
        assert b"HTTP" not in read_to_end(client)
    assert ask(port, authority) == ["GET /end"]


def test_many_silent_handshakes_give_way(authority: Authority) -> None:
    """Above the bound the oldest is closed, so that those who mean it are served."""
    tls = TlsSettings(certificate=authority.certify(), handshake_seconds=600, max_handshakes=3)
    with serving(config_of(Echo(), tls=tls)) as port, ExitStack() as open_ones:
        silent = [open_ones.enter_context(connect(port)) for _ in range(8)]
        assert ask(port, authority) == ["GET /end"]
        assert [read_to_end(client) for client in silent[:5]] == [b""] * 5
        silent[-1].settimeout(SHORT)
        with pytest.raises(TimeoutError):
            silent[-1].recv(1)


def test_handshakes_have_places_of_connections(authority: Authority) -> None:
    """They count by address; above the bound a client is told so over TLS, and health checks are answered."""
    tls = TlsSettings(certificate=authority.certify(), handshake_seconds=600)
    config = config_of(Echo(), tls=tls, max_open=10, max_per_address=3)
    with serving(config) as port:
        with ExitStack() as open_ones:
            for _ in range(3):
                open_ones.enter_context(connect(port))
            assert ask(port, authority) == ["503"]
            assert ask(port, authority, CLOSE.replace(b"/end", b"/livez")) == ["GET /livez"]
        assert config.connections.open <= 3
    assert config.connections.open == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_is_spoken(port: int, authority: Authority, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3, with HTTP/1.1 inside."""
    with secured(port, authority, minimum_version=version, maximum_version=version) as client:
        client.sendall(CLOSE)
        assert answers_in(read_to_end(client)) == ["GET /end"]


def test_older_versions_are_refused(port: int, authority: Authority) -> None:
    """TLS 1.1 finds nobody who speaks it."""
    old = ssl.TLSVersion.TLSv1_1
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        secured(port, authority, minimum_version=old, maximum_version=old),
    ):
        pass


def test_requests_are_bounded_as_in_clear(port: int, authority: Authority) -> None:
    """Pipelined requests one by one, a body that is large, and a refusal that arrives."""
    assert len(ask(port, authority, END * 500 + CLOSE)) == 501
    body = b"x" * 600_000
    (answer,) = ask(port, authority, POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert len(answer) == len("POST / ") + len(body)
    assert ask(port, authority, b"GET / HTTP/3.0\r\n\r\n") == ["400"]


@pytest.mark.parametrize("begun", [b"", POST])
def test_silence_behind_the_handshake_ends(authority: Authority, begun: bytes) -> None:
    """The time of a head begins with the connection behind the handshake."""
    config = config_of(Echo(), tls=TlsSettings(certificate=authority.certify()), head_seconds=SHORT)
    with serving(config) as port:
        assert ask(port, authority, begun) == []


def test_an_answer_that_is_not_read_ends(authority: Authority) -> None:
    """Whoever does not read what was asked for is closed; what TLS holds back counts as sent, so that it is idle."""
    tls = TlsSettings(certificate=authority.certify())
    config = config_of(much, tls=tls, answer_seconds=SHORT, idle_seconds=SHORT)
    with serving(config) as port, secured(port, authority) as client:
        client.sendall(END)
        assert client.recv(1) == b"H"
        deadline = time.monotonic() + 3 * LONG
        while config.connections.open:
            assert time.monotonic() < deadline
            time.sleep(SHORT / 10)


def test_the_application_knows_the_client_and_that_it_is_https(authority: Authority) -> None:
    """The address is the client's, as it is in clear."""
    seen: list[tuple[str, str]] = []
    echo = Echo()

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["client"][0], scope["scheme"]))
        await echo(scope, receive, send)

    with serving(config_of(noting, tls=TlsSettings(certificate=authority.certify()))) as port:
        assert ask(port, authority) == ["GET /end"]
    assert seen == [("127.0.0.1", "https")]
