"""`bpm doctor`: each thing that it looks at is broken, and it says what to do."""

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.cli import doctor
from bpm.cli.doctor import LARGEST_WAL, Finding, Identity
from bpm.settings import Settings
from bpm.testing.process import free_port
from tests.bpm.events.serving import DAY, Authority


def settings(folder: Path, **changes: Any) -> Settings:
    """Settings with their data in a folder."""
    return Settings(data_dir=folder, **changes)


def only(findings: Iterable[Finding], about: str) -> tuple[str, str]:
    """Return the state and the advice of what was found about one thing."""
    (found,) = (each for each in findings if each.about == about)
    assert found.detail
    return found.state, found.advice


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than is needed is a problem, less than is good a warning, enough is neither."""
    monkeypatch.setattr(doctor, "LEAST_SHARE", 0.0)
    monkeypatch.setattr(doctor, "LEAST_FREE", 0)
    assert only(doctor.disk(settings(tmp_path)), "disk") == ("ok", "")
    monkeypatch.setattr(doctor, "LEAST_SHARE", 1.1)
    state, advice = only(doctor.disk(settings(tmp_path)), "disk")
    assert (state, "BPM_RETENTION__MAX_DATABASE_MB" in advice) == ("warning", True)
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**80)
    assert only(doctor.disk(settings(tmp_path)), "disk")[0] == "problem"
    state, advice = only(doctor.disk(settings(tmp_path / "none")), "disk")
    assert (state, "BPM_DATA_DIR" in advice) == ("warning", True)


def test_a_log_that_grows(tmp_path: Path) -> None:
    """A large WAL has a reader that does not end."""
    log = tmp_path / "bpm.db-wal"
    log.touch()
    os.truncate(log, LARGEST_WAL)
    assert only(doctor.wal(settings(tmp_path)), "WAL") == ("ok", "")
    os.truncate(log, LARGEST_WAL + 1)
    state, advice = only(doctor.wal(settings(tmp_path)), "WAL")
    assert (state, "open besides the server" in advice) == ("warning", True)


def test_a_key_that_is_lost_or_open(tmp_path: Path) -> None:
    """Without its key a database is a problem; so is a key that others may read."""
    assert only(doctor.key(settings(tmp_path)), "key")[0] == "warning"
    (tmp_path / "bpm.db").touch()
    state, advice = only(doctor.key(settings(tmp_path)), "key")
    assert (state, "restore it from a backup" in advice) == ("problem", True)
    file = tmp_path / "secret.key"
    file.touch(0o644)
    file.chmod(0o644)
    state, advice = only(doctor.key(settings(tmp_path)), "key")
    assert (state, advice) == ("problem", f"run `chmod 600 {file}`")
    file.chmod(0o600)
    assert only(doctor.key(settings(tmp_path)), "key")[0] == "ok"


@pytest.mark.parametrize(
    ("changes", "about", "advice"),
    [
        ({"host": "0.0.0.0"}, "public URL", "set BPM_PUBLIC_URL"),  # noqa: S104
        ({"public_url": "https://x.example"}, "proxy headers", "set BPM_TRUSTED_PROXIES"),
        ({"public_url": "https://x.example", "trusted_proxies": "10.0.0.1"}, "proxy headers", "set BPM_PROXY_HEADER"),
    ],
)
def test_proxies_that_are_half_configured(tmp_path: Path, changes: dict[str, Any], about: str, advice: str) -> None:
    """What is missing is named."""
    state, said = only(doctor.proxies(settings(tmp_path, **changes)), about)
    assert (state, said[: len(advice)]) == ("warning", advice)


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    """A public address that can't be looked up is a problem."""
    findings = doctor.names(settings(tmp_path, public_url="https://hooks.example.invalid"), [])
    state, advice = only(findings, "name servers")
    assert (state, "/etc/resolv.conf" in advice) == ("problem", True)


def write_nothing(file: Path) -> None:
    file.write_text("")


@pytest.mark.parametrize(
    ("left", "spoil", "state"),
    [
        (30 * DAY, None, "ok"),
        (3 * DAY, None, "warning"),
        (timedelta(hours=-1), None, "problem"),
        (30 * DAY, write_nothing, "problem"),
        (30 * DAY, Path.unlink, "problem"),
    ],
)
def test_a_certificate_that_ends(
    tmp_path: Path, left: timedelta, spoil: Callable[[Path], None] | None, state: str
) -> None:
    """Soon is a warning; one that has ended, or can't be used, is a problem."""
    file = Authority(tmp_path).certify(end=left)
    if spoil is not None:
        spoil(file)
    read = settings(tmp_path, tls={"certificate": file})
    found, advice = only(doctor.certificate(read), "certificate")
    assert (found, bool(advice)) == (state, state != "ok")


def test_a_server_that_is_away() -> None:
    """Nobody answers where it should listen."""
    assert only(doctor.server(f"http://127.0.0.1:{free_port()}"), "server") == ("problem", "start it: bpm serve")


def test_a_server_that_no_worker_helps(httpserver: HTTPServer) -> None:
    """It takes requests, and the doctor says what is missing, as far as it is told."""
    httpserver.expect_request("/readyz").respond_with_json({"status": "degraded"})
    state, advice = only(doctor.server(httpserver.url_for("")), "server")
    assert (state, "bpm worker" in advice, "BPM_TOKEN" in advice) == ("problem", True, True)


@pytest.mark.parametrize(
    "identity", [Identity(token="k"), Identity(username="admin", password="p")], ids=["token", "name"]
)
def test_what_a_server_lacks(httpserver: HTTPServer, identity: Identity) -> None:
    """Who may know is told what is wrong, each with what to do."""
    checks = {
        "worker": {"ok": False, "detail": "no worker runs"},
        "secrets": {"ok": False, "detail": "pay: env:PAY: the environment variable 'PAY' is not set"},
        "database": {"ok": True, "detail": "stands"},
    }
    known = {"Authorization": "Bearer k"}
    httpserver.expect_request("/api/auth/token", method="POST").respond_with_json({"access_token": "k"})
    httpserver.expect_request("/readyz", headers=known).respond_with_json({"status": "degraded", "checks": checks})
    found = list(doctor.server(httpserver.url_for(""), identity=identity))
    assert {each.about: each.state for each in found} == {"worker": "problem", "secrets": "problem"}
    assert "bpm worker" in only(found, "worker")[1]
    assert "set the variable" in only(found, "secrets")[1]
    assert any("'PAY' is not set" in each.detail for each in found)


def test_a_password_that_is_wrong(httpserver: HTTPServer) -> None:
    """Is told as much as a stranger, with the reason."""
    httpserver.expect_request("/api/auth/token", method="POST").respond_with_data("no", status=401)
    httpserver.expect_request("/readyz").respond_with_json({"status": "degraded"})
    found = doctor.server(httpserver.url_for(""), identity=Identity(username="admin", password="wrong"))
    assert only(found, "server")[0] == "problem"


@pytest.mark.parametrize("body", ['{"status": "ready"}', '{"status": "up", "checks": []}'])
def test_a_server_that_says_so_is_ready(httpserver: HTTPServer, body: str) -> None:
    """Whatever the word for it."""
    httpserver.expect_request("/readyz").respond_with_data(body)
    assert only(doctor.server(httpserver.url_for("")), "server") == ("ok", "")


@pytest.mark.parametrize("body", ["[]", "<html>", "{}"])
def test_what_does_not_say_that_it_is_a_server(httpserver: HTTPServer, body: str) -> None:
    """A proxy may put a page of its own there, or another program listen: neither is told as a server."""
    httpserver.expect_request("/readyz").respond_with_data(body)
    state, advice = only(doctor.server(httpserver.url_for("")), "server")
    assert (state, "--url" in advice) == ("warning", True)
