"""PostgreSQL: the same grouped writer in each process, any number of processes and machines side by side."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, cast

import structlog
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bpm.errors import Invalid, Misconfigured
from bpm.settings import Settings
from bpm.store.database import APPLICATION, Database
from bpm.store.faults import Fault
from bpm.store.sync_runner import run_on_private_loop

try:
    import asyncpg
except ImportError:
    raise Misconfigured('PostgreSQL needs asyncpg; pip install "bpm-bus[postgres]"') from None

OLDEST_VERSION = 130_000
READING_THREADS = 4

CONNECT_SECONDS = 5
GRACE_SECONDS = 0.5
"""So much longer than a handler a statement may take: the watchdog speaks first, and PostgreSQL ends what it names."""
ANSWER_SECONDS = 5
"""So much longer than a handler the server may be silent; after this the connection counts as dead."""
START_SECONDS = 10.0
"""How long a server that is away may take to come up while we start."""
PAUSE_SECONDS = 0.5

UNLIMITED = {"application_name": f"{APPLICATION} maintenance", "TimeZone": "UTC"}
LIMITS = {
    "application_name": APPLICATION,
    "lock_timeout": "500ms",
    "idle_in_transaction_session_timeout": "30s",
    "jit": "off",
    "TimeZone": "UTC",
}
"""Settings of every connection of writer and readers: nothing waits for ever, for whatever reason.

Compiling a statement costs more than it saves: a deep page of a million requests takes a fifth longer with it.
"""

OUTAGE_CLASSES = ("08", "28", "3D", "53", "57P", "58", "25006")
"""How the SQLSTATE of an outage begins: connection, authorisation, database, resources, operator, system; and a
standby that only reads (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

CONTENTION = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialization failure, deadlock, lock timeout, statement timeout."""

WITH_NUL = "22021"

UNREACHABLE = "PostgreSQL can't be reached: {}; start it, or look at the address and the account in BPM_DATABASE_URL"
MALFORMED = (
    "BPM_DATABASE_URL can't be understood; write it as postgresql://user:password@host:5432/name, "
    "with %40 for an @ in the password, %2F for a / and so on"
)

POOLED = (
    "a pooler such as PgBouncer must give each connection a session of its own: set pool_mode=session there, or let "
    "BPM_DATABASE_URL name PostgreSQL itself"
)

open_connection = cast("Any", asyncpg).connect
"""asyncpg tells only some of its types."""

log = structlog.get_logger("bpm.store")


_SET_ALL = "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS setting (name, value)"
_SESSION = "SELECT pg_backend_pid()"


class ServerGone(Exception):
    """The server does not answer, or the network lost the connection to it."""


class PostgresDatabase(Database):
    """A writer and a few readers, each with a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        """Take the address from the settings; nothing is opened yet."""
        self.dsn = plain_dsn(settings.database_url or "")
        """The address as PostgreSQL's own tools read it, for connections beside ours."""
        self._relaxed = settings.durability == "relaxed"
        limits = {**LIMITS, "statement_timeout": f"{round((settings.handler_seconds + GRACE_SECONDS) * 1000)}ms"}
        if self._relaxed:
            limits["synchronous_commit"] = "off"
        answer_seconds = settings.handler_seconds + ANSWER_SECONDS
        snapshots: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        super().__init__(
            self._engine(limits, answer_seconds),
            self._engine(limits, answer_seconds).execution_options(**snapshots),
            self._engine(UNLIMITED),
            diagnose,
            run_on_private_loop,
            reading_threads=READING_THREADS,
            optimistic=True,
            work_seconds=settings.handler_seconds,
        )

    @property
    def name(self) -> str:
        """See `Database.name`."""
        return "PostgreSQL"

    async def _reach(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = await open_connection(self.dsn, timeout=CONNECT_SECONDS)
            except ValueError:  # its words may hold a part of the password
                raise Misconfigured(MALFORMED) from None
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not _may_come_up(error) or time.monotonic() > deadline:
                    raise Misconfigured(UNREACHABLE.format(_sentence(error))) from error
                log.warning("PostgreSQL can't be reached yet", error=_sentence(error))
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                await connection.close()
                break
        await refuse_transaction_pooler(self.dsn or "")

    def _engine(self, server_settings: dict[str, str], answer_seconds: float | None = None) -> Engine:
        async def connect(**_: Any) -> Any:
            try:
                connection = await open_connection(self.dsn, timeout=CONNECT_SECONDS, command_timeout=answer_seconds)
                # not as parameters of the connection: PgBouncer refuses those it does not know
                await connection.execute(_SET_ALL, list(server_settings), list(server_settings.values()))
            except (OSError, TimeoutError) as error:
                raise ServerGone(_sentence(error)) from error
            return connection

        url = "postgresql+asyncpg://"
        engine = create_async_engine(url, async_creator=connect, poolclass=NullPool, hide_parameters=True).sync_engine
        event.listen(engine, "handle_error", _name_error)
        return engine

    def _examine(self) -> Mapping[str, str]:
        with self.maintenance.connect() as connection:
            shown = {name: _setting(connection, name) for name in ("fsync", "full_page_writes", "synchronous_commit")}
            version = int(_setting(connection, "server_version_num"))
            name = _setting(connection, "server_version")
            place = connection.execute(select(func.current_database())).scalar_one()
        if version < OLDEST_VERSION:
            raise Misconfigured(f"PostgreSQL {name} is too old; version {OLDEST_VERSION // 10_000} or newer is needed")
        unsafe = [setting for setting, value in shown.items() if value == "off"]
        if unsafe and not self._relaxed:
            raise Misconfigured(
                f"PostgreSQL runs with {', '.join(f'{setting}=off' for setting in unsafe)}, so that a power cut loses "
                "what was acknowledged; set it to on, or accept that with BPM_DURABILITY=relaxed"
            )
        durability = "relaxed" if self._relaxed else "full"
        return {"database": f"PostgreSQL {name}", "place": place, **shown, "durability": durability}


async def refuse_transaction_pooler(dsn: str) -> None:
    """Raise `Misconfigured` when each transaction meets another session, as behind PgBouncer in transaction mode.

    Prepared statements, LISTEN and the limits of a session do not hold there.
    """
    first = await open_connection(dsn, timeout=CONNECT_SECONDS, statement_cache_size=0)
    other = await open_connection(dsn, timeout=CONNECT_SECONDS, statement_cache_size=0)
    try:
        session = await first.fetchval(_SESSION, timeout=CONNECT_SECONDS)
        async with other.transaction():
            taken = await other.fetchval(_SESSION, timeout=CONNECT_SECONDS)
            same = await first.fetchval(_SESSION, timeout=CONNECT_SECONDS)
    except (TimeoutError, asyncpg.PostgresError) as error:
        raise Misconfigured(f"PostgreSQL can't be used: {_sentence(error)}; {POOLED}") from error
    finally:
        first.terminate()
        other.terminate()
    if session == taken or same != session:
        raise Misconfigured(POOLED)


def plain_dsn(url: str) -> str:
    """Return a `postgresql://` address without SQLAlchemy's name of the driver."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"


def diagnose(error: BaseException) -> Fault | None:
    """Tell a server that is away, and transactions in each other's way, from a mistake in a statement."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return Fault.OUTAGE
        error = (error.orig and error.orig.__cause__) or error
    state = getattr(error, "sqlstate", None)
    if state in CONTENTION:
        return Fault.CONTENTION
    if isinstance(state, str):
        return Fault.OUTAGE if state.startswith(OUTAGE_CLASSES) else None
    unusable = isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)
    return Fault.OUTAGE if unusable or isinstance(error, ServerGone) else None


def _name_error(context: ExceptionContext) -> None:
    """Give errors that PostgreSQL and the network raise below SQLAlchemy a name of their own."""
    error = context.original_exception
    if isinstance(error, OSError | TimeoutError):
        raise ServerGone(_sentence(error)) from error
    if getattr(error, "sqlstate", None) == WITH_NUL:
        raise Invalid("text can't hold the character NUL (\\u0000)") from error


def _may_come_up(error: Exception) -> bool:
    return isinstance(error, OSError) or getattr(error, "sqlstate", "") in ("57P03", "53300")


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__


def _setting(connection: Connection, setting: str) -> str:
    return connection.exec_driver_sql(f"SHOW {setting}").scalar_one()
