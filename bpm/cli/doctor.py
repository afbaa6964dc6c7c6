"""`bpm doctor`: looks at this machine and the server's settings, and says what to do about what is wrong."""

import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, cast

import typer

from bpm.cli.connection import Password, Token, Url, Username
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

ADVICE = {
    "worker": "start `bpm worker` with the server's settings",
    "secrets": "set the variable where the server starts, and start it again; a file counts within seconds",
}
"""What to do about what the server says that it lacks."""

NameOption = Annotated[list[str] | None, typer.Option("--name", help="A host to look up, such as a subscriber's.")]


class Finding(NamedTuple):
    """What was looked at, how it is, and what to do."""

    about: str
    state: Literal["ok", "warning", "problem"]
    detail: str
    advice: str = ""


def doctor(
    name: NameOption = None,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Look at clock, disk, WAL, key, proxy headers, public URL, certificate, name servers and the server.

    Run it where the server runs, with its environment. As an account of the installation it also says what the server
    itself lacks, such as a worker or the secret of a rule. The exit status is 1 when there is a problem.
    """
    from bpm.app.settings import load_settings
    from bpm.errors import Misconfigured

    try:
        settings = load_settings()
    except Misconfigured as wrong:
        fail(ExitStatus.ERROR, "the settings are wrong", *wrong.errors)
    identity = Identity(token, username, password)
    checks: list[Callable[[], Iterator[Finding]]] = [
        clock,
        lambda: disk(settings),
        lambda: wal(settings),
        lambda: key(settings),
        lambda: proxies(settings),
        lambda: certificate(settings),
        lambda: names(settings, name or []),
        lambda: server(url or settings.own_url, None if url else settings.tls.certificate, identity),
    ]
    findings = [finding for check in checks for finding in check()]
    if output.is_text:
        print_table(("about", "state", "detail", "what to do"), findings)
    else:
        for finding in findings:
            print_json(finding._asdict())
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(ExitStatus.ERROR)


class Identity(NamedTuple):
    """As whom the server is asked: with a token, or a name and its password; as a stranger without either."""

    token: str | None = None
    username: str | None = None
    password: str | None = None


STRANGER = Identity()


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


def server(address: str, shown: Path | None = None, identity: Identity = STRANGER) -> Iterator[Finding]:
    """Ask the server whether it is ready, and what time it has; `shown` is the certificate that it must have."""
    import httpx

    from bpm.cli.connection import LOOPBACK, trust

    try:
        outside = httpx.URL(address).host not in LOOPBACK
        verify = trust(address) if shown is None else _trust_only(shown)
        with httpx.Client(base_url=address, timeout=10, trust_env=outside, verify=verify) as client:
            answer = client.get("/readyz", headers=_headers(client, identity))
    except OSError as error:
        yield Finding("server", "problem", f"{address} can't be asked ({error})", "look at the certificate")
        return
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        yield Finding("server", "problem", f"nobody answers at {address} ({reason})", "start it: bpm serve")
        return
    yield from _readiness(address, answer)
    yield from _skew(answer.headers.get("date"))


def _headers(client: "httpx.Client", identity: Identity) -> dict[str, str]:
    """Sign in; who can't is told as much as a stranger."""
    from bpm.client import TOKEN_PATH

    token = identity.token
    if token is None and identity.username and identity.password:
        fields = {"username": identity.username, "password": identity.password}
        answer = client.post(TOKEN_PATH, data=fields)
        token = answer.json().get("access_token") if answer.is_success else None
    return {"Authorization": f"Bearer {token}"} if token else {}


def _readiness(address: str, answer: "httpx.Response") -> Iterator[Finding]:
    """Say whether the server is ready, and what is wrong as far as it tells."""
    status, checks = _told(answer)
    wrong = {name: str(check["detail"]) for name, check in checks.items() if not check["ok"]}
    if answer.is_success and not status:
        told = f"what answers at {address} does not say that it is a BPM Bus server"
        advice = "a proxy may answer by itself: ask the server past it by --url; else look at BPM_HOST and BPM_PORT"
        yield Finding("server", "warning", told, advice)
    elif answer.is_success and status != "degraded":
        yield Finding("server", "ok", f"{address} is ready")
    elif answer.is_success and not wrong:
        told = f"{address} takes requests, but no worker runs, or a rule lacks its secret"
        advice = "start `bpm worker`; say who you are (BPM_TOKEN, or BPM_USERNAME and BPM_PASSWORD), and it says which"
        yield Finding("server", "problem", told, advice)
    elif not answer.is_success and not wrong:
        yield Finding("server", "problem", f"{address} is not ready: {answer.text[:300]}", "read its log")
    for name, detail in wrong.items():
        yield Finding(name, "problem", detail[:300], ADVICE.get(name, "read the server's log"))


def _told(answer: "httpx.Response") -> tuple[str, dict[str, Any]]:
    """Return the status and the checks; neither when something else answers there."""
    try:
        said = answer.json()
        checks = said.get("checks")
        return said["status"], cast("dict[str, Any]", checks) if isinstance(checks, dict) else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", {}


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
