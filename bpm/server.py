"""The processes that `bpm serve` and `bpm worker` are: the application, with uvicorn or alone, and an orderly end."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, MutableMapping, Sequence
from typing import Any, TextIO, cast

import structlog
import uvicorn
import uvloop
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from bpm.app import App
from bpm.app.settings import load_settings
from bpm.bus.log_ids import add_ids, add_trace_id
from bpm.errors import Misconfigured
from bpm.hang_guard import HangGuard
from bpm.heap import keep_heap_small
from bpm.log_stream import LogStream
from bpm.security.net import AddressList
from bpm.security.redaction import REDACTED, redacted_text
from bpm.security.secret_names import is_secret_name
from bpm.settings import Settings
from bpm.supervisor import EXIT_MISCONFIGURED, Supervisor, bind, can_not_listen, close_all, require_shared_database
from bpm.web.connections import (
    Connections,
    Handshake,
    Handshakes,
    HttpConnection,
    ServerConfig,
    descriptors,
)


class Server(uvicorn.Server):
    """Uvicorn that drains at the first SIGTERM or SIGINT and then ends with status 0."""

    def __init__(self, app: App, parent: int | None = None) -> None:
        """Listen where the settings say.

        `parent` is a file that ends when the process is gone without which this one ends, too.
        """
        tls = app.settings.tls
        self._handshakes = None if tls.certificate is None else Handshakes(tls)
        config = config_of(app, self._handshakes)
        super().__init__(config)
        self._app = app
        self._config = config
        self._parent = parent
        self._sockets: list[socket.socket] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Turn the first signal into a drain; a second one ends without waiting."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        if self._parent is not None:
            loop.add_reader(self._parent, self._parent_ended, self._parent)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _stop(self, number: int) -> None:
        self._app.lifecycle.drain()
        self.handle_exit(number, None)

    def _parent_ended(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        self._stop(signal.SIGTERM)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take the address, start, say who may sign in, listen, and say where; raises `Misconfigured`."""
        descriptors.raise_limit()
        self._sockets = bind(self._app.settings) if sockets is None else sockets
        try:
            await self._start_application()
            await self._listen(self._sockets)
        except BaseException:
            close_all(self._sockets)
            raise
        freeze_startup_objects()
        settings = self._app.settings
        public = "" if settings.public_url is None else f", for others {settings.base_url}"
        announce(f"BPM Bus listens on {settings.own_url}{public}", self._app)
        say(f"The console is at {settings.base_url}/console/")
        if not settings.worker:
            say("This process runs no jobs: what it accepts waits for `bpm worker` with the same settings")

    async def _start_application(self) -> None:
        try:
            await start(self._app)
        except OSError as error:
            raise Misconfigured(str(error)) from error
        settings = self._app.settings
        if self._handshakes is not None:
            self._handshakes.certificate.warn_of_expiry()
        self._config.connections = Connections(
            settings.connections, AddressList.parse(settings.trusted_proxies), descriptors.left_for_connections()
        )

    async def _listen(self, sockets: list[socket.socket]) -> None:
        try:
            await super().startup(sockets)
        except OSError as error:  # another program began to listen meanwhile
            await self._app.stop()
            raise can_not_listen(self._app.settings, error) from error

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the answers under way, then what the application does beside them."""
        if self._handshakes is not None:
            self._handshakes.give_up()
        await super().shutdown(self._sockets)
        if not self.force_exit:
            await self._app.stop()


def config_of(app: App, handshakes: Handshakes | None) -> ServerConfig:
    """Return what uvicorn is told: our own protocol, behind our own handshakes where there are any."""
    settings = app.settings
    config = ServerConfig(
        app,
        http=HttpConnection if handshakes is None else Handshake,
        ws="none",
        host=settings.host,
        port=settings.port,
        lifespan="off",  # the application is started and stopped by the server, so that its errors are ours to tell
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe about a client's address is our own setting
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )
    config.handshakes = handshakes
    return config


def run(sockets: list[socket.socket] | None = None, parent: int | None = None, **changes: Any) -> int:
    """Serve until told to stop; `changes` go before the environment. Return the process's exit status.

    `sockets` are bound ones to answer on, in place of its own; `parent` as `Server` has it.
    """
    return _run(lambda app: Server(app, parent).run(sockets), changes)


def run_several(processes: int, options: Sequence[str], **changes: Any) -> int:
    """Serve with several processes until told to stop, each with these options of `bpm serve`; see `run`."""
    try:
        settings = load_settings(**changes)
        configure_logs(settings)
        require_shared_database(settings)
        freeze_startup_objects()
        with Supervisor(bind(settings), processes, options) as supervisor:
            return asyncio.run(supervisor.run())
    except (Misconfigured, ValueError) as error:
        return _misconfigured(error)


def work(**changes: Any) -> int:
    """Run jobs, without a socket, until told to stop; see `run`."""
    return _run(lambda app: asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_work(app)), changes)


def _run(serve: Callable[[App], None], changes: dict[str, Any]) -> int:
    keep_heap_small()
    os.environ["RUST_BACKTRACE"] = "0"  # a library in Rust that fails for want of memory hangs while it writes one
    try:
        settings = load_settings(**changes)
        configure_logs(settings)
        app = App(settings)
    except (Misconfigured, ValueError, OSError) as error:
        return _misconfigured(error)
    freeze_startup_objects()
    try:
        with HangGuard():
            serve(app)
    except Misconfigured as error:
        return _misconfigured(error)
    return 0


async def _work(app: App) -> None:
    """Work until the first SIGTERM or SIGINT, then drain; a second one ends without waiting."""
    signals = asyncio.Queue[int]()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, number)
    await start(app)
    freeze_startup_objects()
    announce("BPM Bus works", app)
    await signals.get()
    stopping, again = asyncio.create_task(app.stop()), asyncio.create_task(signals.get())
    await asyncio.wait((stopping, again), return_when=asyncio.FIRST_COMPLETED)
    again.cancel()
    if stopping.done():
        stopping.result()
    else:
        stopping.cancel()


def freeze_startup_objects() -> None:
    """Take everything that was loaded out of the garbage collector's sight, and let it look at the rest.

    Half a million objects live as long as the process; a full collection that looks at them all holds up every
    request for 150 ms. What requests leave behind is freed by reference counts; circles of it are collected each time
    that 20,000 objects have come to stay, those that outlived that after 200,000, and the oldest after a million.
    The half million are not looked at here, either: it would only delay the first answer.
    """
    gc.freeze()
    gc.collect()  # of nothing: full collections wait for a quarter more than the last one left
    gc.set_threshold(20_000, 10, 5)
    gc.enable()


async def start(app: App) -> None:
    """Start the application and say who may sign in, also where a part of it can't start: it is never said again."""
    try:
        await app.start()
    finally:
        announce_administrator(app)


def announce_administrator(app: App) -> None:
    """Print the administrator's password, once in the life of a data folder."""
    if app.generated_password is not None:
        name, password = app.settings.admin_username, app.generated_password
        print(f"First administrator: {name}\nOne-time shown password: {password}", flush=True)  # noqa: T201


def announce(words: str, app: App) -> None:
    """Say what the process does now and where its data lies."""
    facts, folder = app.database.facts, f"data in {app.settings.data_dir.resolve()}"
    where = "" if app.settings.database_url is None else f"{facts['database']} {facts['place']}, "
    say(f"{words} ({where}{folder})")


def say(words: str) -> None:
    """Print a line; on a full disk, or where nobody reads it, the process goes on without."""
    with contextlib.suppress(OSError):
        print(words, flush=True)  # noqa: T201


class RedactingFormatter(logging.Formatter):
    """Writes the lines and traces of libraries without what looks like a secret."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redacted_text(super().format(record))


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a secret in our own lines, rendered traces included."""
    for name, value in event.items():
        event[name] = REDACTED if isinstance(value, str) and is_secret_name(name) else _discreet(value)
    return event


def _discreet(value: Any) -> Any:
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, list):
        return [_discreet(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _discreet(item) for name, item in cast("dict[Any, Any]", value).items()}
    return value


def configure_logs(settings: Settings) -> None:
    """Send our logs, and those of the libraries from warning on, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    # no local variables beside a trace: they hold passwords, tokens and what customers send
    traces = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    stream = LogStream(sys.stderr)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler])
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stream)),
        cache_logger_on_first_use=True,
        processors=[
            structlog.contextvars.merge_contextvars,
            add_ids,
            *((add_trace_id,) if settings.traces.endpoint is not None else ()),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            ExceptionRenderer() if console else traces,
            hide_secrets,
            structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(),
        ],
    )


def _misconfigured(error: Exception) -> int:
    print(f"bpm: {error}", file=sys.stderr)  # noqa: T201
    return EXIT_MISCONFIGURED
