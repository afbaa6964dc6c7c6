"""`/livez` and `/readyz`: does the process work or need a restart, and may it be sent work.

A server that can accept but whose work nobody executes, or of whose rules one lacks its secret, is `degraded` and
answers 200: what it accepts is on disk and will be done, while taking it from its load balancer would lose what senders
do not repeat.

The status code is for everybody, what lies behind it only for accounts of the installation.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Authenticator, Incoming, IncomingReader
from bpm.errors import BpmError, Draining
from bpm.jobs.worker_watch import WorkerWatch
from bpm.security.permissions import INSTALLATION
from bpm.settings import Settings
from bpm.store import Database, Transaction, utc_now
from bpm.store.migrate import newest_revision, revision_of
from bpm.store.watchdog import HeldThread
from bpm.web.tables import write_probe

PROBE_SECONDS = 5
"""How long the database may take to write one row."""
HELD_SECONDS = 1
"""After so long it is said what holds the writer, without waiting for it."""

HEARTBEAT_SECONDS = 15
"""How old the worker's last sign of life may be."""

KEPT_SECONDS = 1
"""How long a probe's result is given out again, so that nobody can make us write by asking."""

log = structlog.get_logger("bpm.web")


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of readiness and what was found; without one that is not `required` work is still accepted."""

    name: str
    ok: bool
    detail: str
    required: bool = True


def no_worker() -> None:
    """Say that this process runs no worker."""


class Readiness:
    """Whether this process may be sent work."""

    def __init__(
        self,
        database: Database,
        lifecycle: Lifecycle,
        workers: WorkerWatch,
        heartbeat: Callable[[], float | None] = no_worker,
        locks: Callable[[], Mapping[str, bool | str]] = dict,
        secrets: Callable[[], tuple[bool, str]] = lambda: (True, "no rule refers to one"),
    ) -> None:
        """Take the parts; `heartbeat` returns the age of the own worker's last sign of life in seconds.

        `workers` knows those of other processes, `locks` returns what confines scripts, each on, off or explained, and
        `secrets` whether those that rules refer to can be read, and a sentence.
        """
        self._secrets = secrets
        self._locks = locks
        self._database = database
        self._lifecycle = lifecycle
        self._workers = workers
        self._heartbeat = heartbeat
        self._probing = asyncio.Lock()
        self._probed_at = float("-inf")
        self._probe = Check("database", ok=False, detail="was not asked yet")

    async def checks(self) -> list[Check]:
        """Return every condition; the process is ready when all that are required are met."""
        return [
            self._serving(),
            await self._storage(),
            self._worker(),
            self._scripts(),
            self._handlers(),
            self._rule_secrets(),
        ]

    @property
    def needs_restart(self) -> bool:
        """Whether so many handlers do not end that the next one would hold up everybody."""
        return self._database.abandoned.is_full

    def _serving(self) -> Check:
        draining = self._lifecycle.draining
        return Check("serving", ok=not draining, detail=Draining().message if draining else "takes requests")

    def _worker(self) -> Check:
        age = self._heartbeat()
        if age is None:
            return Check("worker", ok=not self._workers.is_missing, detail=self._workers.describe(), required=False)
        return Check("worker", ok=age <= HEARTBEAT_SECONDS, detail=f"last seen {age:.1f} seconds ago")

    def _handlers(self) -> Check:
        """Tell the handlers that slept in a transaction until their threads were given up."""
        stuck = len(self._database.abandoned.alive)
        detail = f"{stuck} do not end; the log says where they are" if stuck else "all end"
        return Check("handlers", ok=not self.needs_restart, detail=detail)

    def _scripts(self) -> Check:
        """Tell the locks; a server that may not do without one has refused to start without it."""
        words: dict[bool | str, str] = {True: "on", False: "off"}
        shown = [f"{name} {words.get(state, state)}" for name, state in self._locks().items()]
        return Check("scripts", ok=True, detail=", ".join(shown) or "no lock was tried")

    def _rule_secrets(self) -> Check:
        """Tell the rules that lack a secret: their senders are told to come again, everything else works."""
        ok, detail = self._secrets()
        return Check("secrets", ok=ok, detail=detail, required=False)

    async def _storage(self) -> Check:
        async with self._probing:
            if time.monotonic() - self._probed_at > KEPT_SECONDS:
                self._probe = await self._ask_database()
                self._probed_at = time.monotonic()
            return self._probe

    async def _ask_database(self) -> Check:
        writing = asyncio.ensure_future(self._database.write(_written))
        await asyncio.wait((writing,), timeout=HELD_SECONDS)
        held = self._database.held
        if not writing.done() and held is None:
            await asyncio.wait((writing,), timeout=PROBE_SECONDS - HELD_SECONDS)
        if not writing.done():
            writing.cancel()
            return _held_up(held)
        try:
            revision = writing.result()
        except BpmError as error:
            return Check("database", ok=False, detail=error.message)
        except Exception as error:
            log.exception("readiness probe failed", exc_info=error)
            return Check("database", ok=False, detail="can't be written; the log says why")
        newest = newest_revision()
        stands = f"stands at migration {revision}" + ("" if revision == newest else f", not {newest}")
        facts = self._database.facts
        return Check(
            "database", ok=revision == newest, detail=f"{stands}; {facts['database']}, durability {facts['durability']}"
        )


def health_routes(readiness: Readiness, accounts: Authenticator, settings: Settings) -> list[Route]:
    """Return the routes of `/livez` and `/readyz`."""
    incoming = IncomingReader(settings)

    async def livez(request: Request) -> Response:
        if readiness.needs_restart:
            return _answer(503, {"status": "needs a restart"})
        return _answer(200, {"status": "alive"})

    async def readyz(request: Request) -> Response:
        checks = await readiness.checks()
        ready = all(check.ok for check in checks if check.required)
        body: dict[str, object] = {"status": _status(checks)}
        if await _is_known(incoming(request.scope, request.receive), accounts):
            body["checks"] = {check.name: {"ok": check.ok, "detail": check.detail} for check in checks}
        return _answer(200 if ready else 503, body)

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _held_up(held: HeldThread | None) -> Check:
    """Tell why nothing is written; for as long as the probe may take, what is accepted waits and is done."""
    if held is None:
        return Check("database", ok=False, detail=f"wrote nothing within {PROBE_SECONDS} seconds")
    words = f"{held.handler or 'a transaction'} has held the writer for {held.seconds:.1f} seconds, and others wait"
    return Check("database", ok=held.seconds < PROBE_SECONDS, detail=words)


def _written(tx: Transaction) -> str | None:
    write_probe(tx, utc_now())
    return revision_of(tx.connection)


async def _is_known(request: Incoming, accounts: Authenticator) -> bool:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return False
    try:
        principal = await accounts.authenticate(authorization, request.address)
    except BpmError:
        return False
    return principal.organization_id == INSTALLATION


def _status(checks: Iterable[Check]) -> str:
    missing = [check for check in checks if not check.ok]
    if any(check.required for check in missing):
        return "not ready"
    return "degraded" if missing else "ready"


def _answer(status: int, body: dict[str, object]) -> Response:
    retry = {"Retry-After": "1"} if status == 503 else {}
    return JSONResponse(body, status, {"Cache-Control": "no-store", **retry})
