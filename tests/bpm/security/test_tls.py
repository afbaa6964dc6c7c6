"""Whose certificates are believed, and how often that is read."""

import os
import ssl
from pathlib import Path

import pytest

from bpm.security.tls import client_context


def test_the_authorities_are_read_once() -> None:
    """Connections share what the system's authorities were read into; another protocol has one of its own."""
    assert client_context() is client_context()
    assert client_context("h2") is client_context("h2")
    assert client_context("h2") is not client_context("http/1.1")
    assert client_context().verify_mode == ssl.CERT_REQUIRED
    assert client_context().check_hostname


def test_authorities_that_change_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file, and a file that was written anew, count for the next connection."""
    system = client_context()
    file = tmp_path / "authorities.pem"
    file.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    empty = client_context()
    assert empty is not system
    assert empty.get_ca_certs() == []
    later = file.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(later, later))
    assert client_context() is not empty
