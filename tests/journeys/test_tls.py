"""`bpm serve` with a certificate of its own, as one process and as two."""

import os
import signal
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from bpm.testing import ServerProcess, until
from bpm.testing.process import ServerDidNotStart
from tests.bpm.events.serving import DAY, Authority
from tests.journeys.children import answering_children

pytestmark = pytest.mark.anyio

SECONDS = 60


class SecuredServer(ServerProcess):
    """A server whose clients trust one authority."""

    def __init__(self, authority: Authority, **environment: str) -> None:
        super().__init__(BPM_TLS__CERTIFICATE=str(authority.certify()), **environment)
        self._trust = ssl.create_default_context(cafile=authority.file)
        self.http = httpx.AsyncClient(base_url=self.url, timeout=SECONDS, trust_env=False, verify=self._trust)

    @property
    def url(self) -> str:
        """The server's address."""
        return f"https://127.0.0.1:{self.port}"

    def shown(self) -> object:
        """Return the number of the certificate that a new client is shown."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as client,
            self._trust.wrap_socket(client, server_hostname="127.0.0.1") as secured,
        ):
            certificate = secured.getpeercert()
        assert certificate is not None
        return certificate["serialNumber"]


class TwoProcesses(SecuredServer):
    """A server of two processes."""

    options = ("--processes", "2")

    def each_alone(self) -> list["Alone"]:
        """Return a way to have the one, and a way to have the other of them answer."""
        children = answering_children(self.pid)
        assert len(children) == 2
        return [Alone(child) for child in children]


class Alone:
    """While it is entered, the other process stands still."""

    def __init__(self, other: int) -> None:
        self._other = other

    def __enter__(self) -> None:
        os.kill(self._other, signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        os.kill(self._other, signal.SIGCONT)


async def test_a_certificate_of_its_own(tmp_path: Path) -> None:
    """A rule's address and its client's are as in clear; a silent handshake does not delay the end."""
    async with SecuredServer(Authority(tmp_path)) as server:
        made = await server.rule(
            "tls", executionType=2, responseMode="sync", executionCode="reply(200, 1)", allowableIPs="127.0.0.1"
        )
        assert made["url"] == f"{server.url}/api/webhooks/tls"
        assert (await server.http.post(made["url"], json={})).json() == 1
        assert f"listens on {server.url}" in server.log
        with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS):
            assert await server.stop() == 0


async def test_a_new_certificate_is_shown_without_a_restart(postgres_url: str, tmp_path: Path) -> None:
    """By each of two processes; half a file in between is not."""
    authority = Authority(tmp_path)
    async with TwoProcesses(authority, BPM_DATABASE_URL=postgres_url) as server:
        await until(lambda: server.log.count("BPM Bus listens") == 2, seconds=SECONDS)
        file = tmp_path / "server.pem"
        first = server.shown()
        file.write_bytes(file.read_bytes()[:100])
        for refused, alone in enumerate(server.each_alone(), 1):
            with alone:
                await until(
                    lambda: server.shown() == first and server.log.count("can't be used"),
                    refused.__eq__,
                    seconds=SECONDS,
                )
        authority.certify(end=7 * DAY)
        for alone in server.each_alone():
            with alone:
                await until(server.shown, lambda number: number != first, seconds=SECONDS)
        assert await server.stop() == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"BPM_TLS__CERTIFICATE": "missing.pem"}, "BPM_TLS__CERTIFICATE: missing.pem can't be read: No such file"),
        ({"BPM_TLS__KEY": "key.pem"}, "BPM_TLS__KEY: BPM_TLS__CERTIFICATE is missing beside it"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_made(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    """The start ends with a sentence, and leaves no data."""
    with pytest.raises(ServerDidNotStart, match=words):
        async with ServerProcess(**settings, BPM_DATA_DIR=str(tmp_path / "data")):
            pytest.fail("it started")
    assert not (tmp_path / "data" / "bpm.db").exists()
