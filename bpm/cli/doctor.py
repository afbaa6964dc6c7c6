"""`bpm doctor`: looks at this machine and the server's settings, and says what to do about what is wrong."""

import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from bpm.cli.connection import Url
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table

if TYPE_CHECKING:
    import ssl

    import httpx

    from bpm.settings import Settings

GIB, MIB = 1024**3, 1024**2
LEAST_FREE = 1 * GIB
LEAST_SHARE = 0.10
LARGEST_WAL = 256 * MIB
MOST_SKEW = 2.0
"""How many seconds two clocks may differ."""

LEAST_VALIDITY = timedelta(days=14)
"""How long before its end a certificate is to be renewed."""

SLOW_NAMES = 1.0
"""How many seconds looking a name up may take."""

UNSYNCHRONISED = 5
"""What `adjtimex` returns where nothing keeps the clock right (TIME_ERROR of Linux)."""

NameOption = Annotated[list[str] | None, typer.Option("--name", help="A host to look up, such as a subscriber's.")]


class Finding(NamedTuple):
    """What was looked at, how it is, and what to do."""

    about: str
    state: Literal["ok", "warning", "problem"]
    detail: str
    advice: str = ""


def doctor(name: NameOption = None, url: Url = None, output: FormatOption = OutputFormat.AUTO) -> None:
    """Look at clock, disk, WAL, key, proxy headers, public URL, certificate, name servers and the server.

    Run it where the server runs, with its environment. The exit status is 1 when there is a problem.
    """
    from bpm.app.settings import load_settings
    from bpm.errors import Misconfigured

    try:
        settings = load_settings()
    except Misconfigured as wrong:
        fail(ExitStatus.ERROR, "the settings are wrong", *wrong.errors)
    checks: list[Callable[[], Iterator[Finding]]] = [
        clock,
        lambda: disk(settings),
        lambda: wal(settings),
        lambda: key(settings),
        lambda: proxies(settings),
        lambda: certificate(settings),
        lambda: names(settings, name or []),
        lambda: server(url or settings.own_url, None if url else settings.tls.certificate),
    ]
    findings = [finding for check in checks for finding in check()]
    if output.is_text:
        print_table(("about", "state", "detail", "what to do"), findings)
    else:
        for finding in findings:
            print_json(finding._asdict())
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(ExitStatus.ERROR)


def clock() -> Iterator[Finding]:
    """Ask the kernel whether something keeps its clock right: signatures are good for minutes."""
    import ctypes

    try:
        found = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return
    if found == UNSYNCHRONISED:
        yield Finding("clock", "warning", "nothing keeps it right", "run chrony or systemd-timesyncd")
    else:
        yield Finding("clock", "ok", "it is kept right")


def disk(settings: "Settings") -> Iterator[Finding]:
    """Look at the room beside the data: a full disk accepts nothing."""
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("disk", "warning", f"{folder} is not there yet", "start the server, or set BPM_DATA_DIR")
        return
    room = shutil.disk_usage(folder)
    told = f"{room.free / GIB:.1f} of {room.total / GIB:.1f} GiB are free at {folder}"
    if room.free < LEAST_FREE or room.free < LEAST_SHARE * room.total:
        advice = "make room; keep less by BPM_RETENTION__…, or set BPM_RETENTION__MAX_DATABASE_MB"
        yield Finding("disk", "problem" if room.free < LEAST_FREE else "warning", told, advice)
    else:
        yield Finding("disk", "ok", told)


def wal(settings: "Settings") -> Iterator[Finding]:
    """Look at SQLite's write-ahead log, which grows while a reader stays in an old snapshot."""
    from bpm.store.factory import is_embedded
    from bpm.store.sqlite import database_file

    if not is_embedded(settings):
        return
    file = database_file(settings)
    log = file.with_name(f"{file.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > LARGEST_WAL:
        advice = "end what has the database open besides the server (a backup tool, a shell); restart the server"
        yield Finding("WAL", "warning", f"{log} has {size // MIB} MiB", advice)
    else:
        yield Finding("WAL", "ok", f"{size // MIB} MiB")


def key(settings: "Settings") -> Iterator[Finding]:
    """Look for the key that seals secrets, and at who may read it."""
    from bpm.security.secrets import KEY_FILE

    if settings.secret_key is not None:
        yield Finding("key", "ok", "BPM_SECRET_KEY is set")
        return
    file = settings.data_dir / KEY_FILE
    if not file.exists():
        state = "problem" if settings.sqlite_path.exists() else "warning"
        yield Finding(
            "key", state, f"{file} is not there", "restore it from a backup; a new one is made at the first start"
        )
    elif stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding("key", "problem", f"others may read {file}", f"run `chmod 600 {file}`")
    else:
        yield Finding("key", "ok", f"{file}; back it up, apart from the database")


def proxies(settings: "Settings") -> Iterator[Finding]:
    """Compare the public address with what is believed of proxies."""
    is_local = settings.host in ("127.0.0.1", "::1", "localhost")
    if settings.public_url is None:
        state = "ok" if is_local else "warning"
        advice = "" if is_local else "set BPM_PUBLIC_URL to the address that providers call"
        yield Finding("public URL", state, "BPM_PUBLIC_URL is unset", advice)
        return
    yield Finding("public URL", "ok", settings.public_url)
    if is_local and not settings.trusted_proxies:
        advice = "set BPM_TRUSTED_PROXIES to the proxy's address; else every client has the proxy's"
        yield Finding("proxy headers", "warning", "BPM_TRUSTED_PROXIES is unset behind a proxy", advice)
    elif settings.trusted_proxies and settings.proxy_header is None:
        advice = "set BPM_PROXY_HEADER to the one header that your proxy writes, and let it drop the other"
        yield Finding("proxy headers", "warning", "both headers of proxies are read", advice)
    else:
        yield Finding("proxy headers", "ok", settings.trusted_proxies or "clients come directly")


def names(settings: "Settings", wanted: list[str]) -> Iterator[Finding]:
    """Look hosts up as deliveries do: the public one, and those that are asked for."""
    from urllib.parse import urlsplit

    public = urlsplit(settings.public_url or "").hostname
    hosts = [*([public] if public else []), *wanted]
    for host in hosts:
        began = time.monotonic()
        try:
            found = sorted({str(each[4][0]) for each in socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)})
        except OSError as error:
            advice = "look at /etc/resolv.conf, and whether the name servers there answer"
            yield Finding("name servers", "problem", f"{host}: {error.strerror or error}", advice)
            continue
        seconds = time.monotonic() - began
        told = f"{host} is {', '.join(found[:3])} ({seconds:.1f} s)"
        advice = (
            "look at the name servers in /etc/resolv.conf: the first does not answer" if seconds > SLOW_NAMES else ""
        )
        yield Finding("name servers", "warning" if advice else "ok", told, advice)


def certificate(settings: "Settings") -> Iterator[Finding]:
    """Look at the certificate of the server's own, and how long it holds."""
    from datetime import UTC, datetime

    from bpm.errors import Misconfigured
    from bpm.web.connections.certificate import expiry, load_context

    if settings.tls.certificate is None:
        return
    try:
        load_context(settings.tls)
        left = expiry(settings.tls) - datetime.now(UTC)
    except Misconfigured as wrong:
        yield Finding("certificate", "problem", str(wrong), "set both files, and let the server's account read them")
        return
    if left <= LEAST_VALIDITY:
        state = "problem" if left.total_seconds() <= 0 else "warning"
        told = "it has expired" if state == "problem" else f"it expires in {left.days} days"
        yield Finding("certificate", state, told, "renew it; the server shows the new file without a restart")
    else:
        yield Finding("certificate", "ok", f"it holds for {left.days} days")


def server(address: str, shown: Path | None = None) -> Iterator[Finding]:
    """Ask the server whether it is ready, and what time it has; `shown` is the certificate that it must have."""
    import httpx

    from bpm.cli.connection import LOOPBACK, trust

    try:
        outside = httpx.URL(address).host not in LOOPBACK
        verify = trust(address) if shown is None else _trust_only(shown)
        answer = httpx.get(f"{address.rstrip('/')}/readyz", timeout=10, trust_env=outside, verify=verify)
    except OSError as error:
        yield Finding("server", "problem", f"{address} can't be asked ({error})", "look at the certificate")
        return
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        yield Finding("server", "problem", f"nobody answers at {address} ({reason})", "start it: bpm serve")
        return
    if answer.is_success and _is_degraded(answer):
        told = f"{address} takes requests, but no worker runs: what is accepted waits"
        yield Finding("worker", "problem", told, "start `bpm worker` with the server's settings")
    elif answer.is_success:
        yield Finding("server", "ok", f"{address} is ready")
    else:
        yield Finding("server", "problem", f"{address} is not ready: {answer.text[:300]}", "read its log")
    yield from _skew(answer.headers.get("date"))


def _is_degraded(answer: "httpx.Response") -> bool:
    try:
        return answer.json()["status"] == "degraded"
    except (ValueError, KeyError, TypeError):
        return False  # something else answers there


def _trust_only(file: Path) -> "ssl.SSLContext":
    """Trust this one certificate, for whatever name: the server is asked by the address on which it listens."""
    import ssl

    context = ssl.create_default_context(cafile=file)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _skew(date: str | None) -> Iterator[Finding]:
    from email.utils import parsedate_to_datetime

    if date is None:
        return
    skew = abs(parsedate_to_datetime(date).timestamp() - time.time())
    if skew > MOST_SKEW:
        yield Finding("clock", "problem", f"the server's differs by {skew:.0f} s", "keep both right by NTP")
