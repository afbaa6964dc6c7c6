"""Receivers that say exactly what a test wants, over plain connections and TLS."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bpm.events.attempt import AttemptClient
from bpm.events.attempt_result import AttemptResult
from bpm.events.delivery_request import DeliveryRequest
from bpm.security.net import AddressList
from bpm.security.net_targets import Targets

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
DAY = timedelta(days=1)
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
"""What Python 3.13 and newer demand of an authority, beside the identifiers of keys."""
LOOPBACK = Targets(AddressList.parse("127.0.0.0/8, ::1/128"))


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Serve connections on a port of loopback."""
    tasks: set[asyncio.Task[None]] = set()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def saying(*pieces: bytes, endless: bool = False, linger: float = 0.05) -> Serve:
    """Return what reads a request, says these bytes, the last ones without end if asked to, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)  # to close with a part unread would reset the connection
        await reader.readexactly(int(length[1]) if length else 0)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while endless:
            writer.write(pieces[-1])
            await writer.drain()
        await asyncio.sleep(linger)

    return serve


async def send(client: AttemptClient, url: str, seconds: float = 2, **headers: str) -> AttemptResult:
    """Send a small request."""
    return await client.send(DeliveryRequest(url, {"Content-Type": "application/json", **headers}, b"{}", seconds))


async def answered(client: AttemptClient, serve: Serve, seconds: float = 2) -> AttemptResult:
    """Send to a receiver that behaves like this."""
    async with serving(serve) as port:
        return await send(client, f"http://127.0.0.1:{port}/", seconds)


class Authority:
    """Somebody who vouches for receivers on loopback; `file` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        builder = self._builder(self._name, self._key)
        for extension in (x509.BasicConstraints(ca=True, path_length=None), SIGNS_CERTIFICATES):
            builder = builder.add_extension(extension, critical=True)
        made = builder.sign(self._key, hashes.SHA256())
        self.file = folder / "authority.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def context(self, name: str = "127.0.0.1", start: timedelta = -DAY, end: timedelta = DAY) -> ssl.SSLContext:
        """Return a server's TLS with a certificate, as `certify` has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certify(name, start, end))
        return context

    def certify(self, name: str = "127.0.0.1", start: timedelta = -DAY, end: timedelta = DAY) -> Path:
        """Write a key and its certificate for a name or address, valid from and until so far from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        is_address = name.replace(".", "").isdigit()
        subject = x509.IPAddress(ip_address(name)) if is_address else x509.DNSName(name)
        builder = self._builder(x509.Name([]), key, start, end)
        made = builder.add_extension(x509.SubjectAlternativeName([subject]), critical=True)
        return write_pair(self._folder / "server.pem", key, made.sign(self._key, hashes.SHA256()))

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, start: timedelta = -DAY, end: timedelta = DAY
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + start)
            .not_valid_after(now + end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def write_pair(file: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Path:
    """Write both to one file, and return it."""
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
