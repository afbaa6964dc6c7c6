"""The certificate that the server shows: checked at the start, and read again when its files change."""

import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bpm.errors import Misconfigured
from bpm.settings import TlsSettings

LOOK_SECONDS = 5.0
"""The files are looked at when a client comes, at most this often."""

MOST_BYTES = 1024 * 1024
"""No certificate with its chain is larger; what is named by mistake is not read whole."""

CERTIFICATE, KEY = "BPM_TLS__CERTIFICATE", "BPM_TLS__KEY"

log = structlog.get_logger("bpm.web")


class Certificate:
    """What the server proves itself with. A new pair of files that can't be used leaves the old one in place."""

    def __init__(self, settings: TlsSettings, now: Callable[[], float] = time.monotonic) -> None:
        """Read the files; raises `Misconfigured`."""
        self._settings = settings
        self._now = now
        self._seen = self._state()
        self._context = load_context(settings)
        self._looked_at = now()

    def context(self) -> ssl.SSLContext:
        """Return what the next handshake is done with."""
        if self._now() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self._now()
            self._look()
        return self._context

    def warn_of_expiry(self) -> None:
        """Say so in the log when it has expired, which hinders the clients and not the start."""
        at = expiry(self._settings)
        if at <= datetime.now(UTC):
            log.warning("the certificate has expired; clients refuse it", expired=at.isoformat())

    def _look(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._context = load_context(self._settings)
        except Misconfigured as wrong:
            log.warning("the new certificate can't be used; the former one is shown", errors=wrong.errors)
        else:
            log.info("a new certificate is shown", expires=expiry(self._settings).isoformat())

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_state_of(file) for file in files_of(self._settings)]


def files_of(settings: TlsSettings) -> tuple[Path, Path]:
    """Return the files of the certificate and of its key, which may be one file."""
    if settings.certificate is None:
        raise Misconfigured(f"{CERTIFICATE}: is missing beside {KEY}")
    return settings.certificate, settings.key or settings.certificate


def load_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return what handshakes are done with, TLS 1.2 and later; raises `Misconfigured`."""
    certificate, key = files_of(settings)
    _check_pair(_read(CERTIFICATE, certificate), _read(KEY, key), KEY if settings.key else CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise Misconfigured(f"{CERTIFICATE}: {certificate} can't be used: {error}") from error
    return context


def expiry(settings: TlsSettings) -> datetime:
    """Return when the certificate expires; raises `Misconfigured`."""
    file, _ = files_of(settings)
    return _certificate(_read(CERTIFICATE, file)).not_valid_after_utc


def _read(setting: str, file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES)
    except OSError as error:
        raise Misconfigured(f"{setting}: {file} can't be read: {error.strerror or error}") from error


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise Misconfigured(f"{CERTIFICATE}: the file holds no certificate in PEM") from error


def _check_pair(certificate: bytes, key: bytes, setting: str) -> None:
    """Say which of the two is wrong; OpenSSL's own words name neither, and it would ask a terminal for a password."""
    shown = _certificate(certificate)
    try:
        private = load_pem_private_key(key, None)
    except TypeError as error:
        raise Misconfigured(
            f"{setting}: the key has a password; store it without (openssl pkey -in … -out …)"
        ) from error
    except ValueError as error:
        raise Misconfigured(f"{setting}: the file holds no private key in PEM") from error
    if private.public_key() != shown.public_key():
        raise Misconfigured(f"{setting}: the key is not that of the certificate")


def _state_of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
