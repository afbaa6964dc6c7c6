"""The server's certificate: what is said of a pair of files that can't be used, and a new pair that is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bpm.errors import Misconfigured
from bpm.settings import TlsSettings
from bpm.web.connections.certificate import LOOK_SECONDS, Certificate, load_context
from tests.bpm.events.serving import DAY, Authority


def other_key(password: bytes | None = None) -> bytes:
    """A key that is not the certificate's."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def write_a_word(file: Path) -> None:
    file.write_text("key")


def write_another_key(file: Path) -> None:
    file.write_bytes(other_key())


def write_a_locked_key(file: Path) -> None:
    file.write_bytes(other_key(b"x"))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (None, "No such file"),
        (Path.mkdir, "Is a directory"),
        (write_a_word, "no private key"),
        (write_another_key, "not that of the certificate"),
        (write_a_locked_key, "password"),
    ],
)
def test_what_is_wrong_with_a_key(tmp_path: Path, write: Callable[[Path], None] | None, words: str) -> None:
    """A sentence that names the setting and what is wrong."""
    file = tmp_path / "key.pem"
    if write is not None:
        write(file)
    with pytest.raises(Misconfigured) as refused:
        load_context(TlsSettings(certificate=Authority(tmp_path).certify(), key=file))
    assert str(refused.value).startswith("BPM_TLS__KEY")
    assert words in str(refused.value)


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate(tmp_path: Path, content: str) -> None:
    """A file that is empty or broken."""
    file = tmp_path / "server.pem"
    file.write_text(content)
    with pytest.raises(Misconfigured, match="BPM_TLS__CERTIFICATE: the file holds no certificate"):
        load_context(TlsSettings(certificate=file))


def test_new_files_are_shown_and_broken_ones_are_not(tmp_path: Path) -> None:
    """They are looked at again after a while; what can't be used leaves the former in place."""
    seconds = 0.0
    authority = Authority(tmp_path)
    file = authority.certify()
    certificate = Certificate(TlsSettings(certificate=file), lambda: seconds)
    first = certificate.context()
    authority.certify(end=7 * DAY)
    assert certificate.context() is first
    seconds += LOOK_SECONDS
    second = certificate.context()
    assert second is not first
    for content in (b"", b"-----BEGIN"):
        file.write_bytes(content)
        seconds += LOOK_SECONDS
        assert certificate.context() is second
    file.unlink()
    seconds += LOOK_SECONDS
    assert certificate.context() is second
    authority.certify(end=timedelta(days=30))
    seconds += LOOK_SECONDS
    assert certificate.context() not in (first, second)
