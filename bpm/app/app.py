"""One process's server, composed.

Everything that one process consists of is made here and handed to whoever needs it, by parameter.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bpm.accounts import Accounts, Installation
from bpm.app.foundation import Foundation, build_foundation
from bpm.app.registry import command_packages
from bpm.app.retention import policies
from bpm.app.routing import build_routing
from bpm.bus import Bus
from bpm.clock import Clock, system_clock
from bpm.edge.answer import send_answer
from bpm.edge.described import DescribedAddress
from bpm.edge.envelope import closing_problem
from bpm.edge.headers import require_one_meaning
from bpm.edge.lifecycle import Lifecycle
from bpm.errors import Malformed, Misconfigured
from bpm.events.catalogue import EventCatalogue, EventKind
from bpm.events.outbound import Outbound
from bpm.events.publisher import Listener
from bpm.process.jobs import ProcessJobs, StartJobs
from bpm.process.runtime import ProcessRuntime
from bpm.process.start_triggers import ProcessStarts
from bpm.security.identifiers import new_id
from bpm.settings import Settings
from bpm.stall import StallWatch
from bpm.store import Transaction
from bpm.store.retention import Retention
from bpm.web import asyncapi, command, dialects, docs, health, openapi
from bpm.web.auth import auth_routes
from bpm.web.console import console_routes
from bpm.web.refusals import EXCEPTION_HANDLERS
from bpm.worker import Worker
from router.endpoints import WebhookEndpoint
from router.paths import ADDRESSES
from router.providers import confirmations, declarations
from router.providers.client import ProviderClient
from router.rates import Rates
from scripts import Limits, Sandbox, SandboxUnavailable

log = structlog.get_logger("bpm")


class App:
    """One process's server: an ASGI application that also starts and stops what stands behind it."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        """Make every part and connect them; nothing is opened yet. Raises `Misconfigured`."""
        self.settings = settings
        self.version = version("bpm-bus")
        self.lifecycle = Lifecycle()
        self.events = EventCatalogue(provider_events())
        foundation = build_foundation(settings, clock)
        self.database, self.jobs, self.registry = foundation.database, foundation.jobs, foundation.registry
        self._installation = Installation(self.database, foundation.key)
        self.accounts = Accounts(self.database, settings, foundation.key, clock)
        self.bus = build_bus(foundation, self.accounts)
        self.sandbox = Sandbox(Limits(), allow_unconfined=settings.scripts.allow_unconfined)
        routing = build_routing(foundation, self.bus, self.accounts)
        self.routes, self.fixed, self.execution = routing.routes, routing.fixed, routing.execution
        processes = ProcessRuntime(self.registry, self.jobs, settings.processes)
        process_jobs = ProcessJobs(self.bus, self.jobs, processes.deployed, foundation.shares)
        starts = ProcessStarts(processes, self.jobs)
        self.outbound = build_outbound(foundation, self.bus, self.sandbox, (starts,))
        self.worker = Worker(
            self.jobs,
            self.bus.scheduled,
            self.execution,
            process_jobs,
            StartJobs(self.bus),
            self.outbound.deliveries,
            routing.back_tests,
        )
        kept = policies(command_packages(settings))
        self.retention = Retention(self.database, settings.retention, clock, new_id(), kept)
        self.provider_client = ProviderClient()
        self._published_keys = routing.published_keys
        self.registry.bind(
            self,
            self.events,
            self.accounts,
            self.registry,
            self.retention,
            self.sandbox,
            settings,
            foundation.box,
            processes,
            process_jobs,
            starts,
            self.routes,
            self.execution,
            routing.quota,
            routing.replays,
            routing.resends,
            routing.back_tests,
            routing.trust,
            *confirmations(settings, self.provider_client),
            *self.outbound.services,
        )
        self.webhooks = WebhookEndpoint(
            self.routes,
            self.fixed,
            Rates(),
            routing.inbox,
            self.execution,
            routing.immediate,
            routing.answers,
            settings,
            clock,
            self.lifecycle,
        )
        self.commands = command.CommandEndpoint(self.bus, self.accounts, settings, self.lifecycle)
        self.pages = Starlette(routes=self._routes(), exception_handlers=EXCEPTION_HANDLERS, lifespan=self._lifespan)
        self.generated_password: str | None = None
        self._stalls = StallWatch()
        self._started = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the two hot addresses are not looked for among the others."""
        if scope["type"] == "http":
            try:
                require_one_meaning(scope["headers"])
            except Malformed as error:
                await send_answer(send, *closing_problem(error))
                return
            path: str = scope["path"]
            if path.startswith(ADDRESSES) and not dialects.is_numbered(scope["method"], path):
                await self.webhooks(scope, receive, send)
                return
            if path == command.PATH:
                await self.commands(scope, receive, send)
                return
        await self.pages(scope, receive, send)

    async def start(self) -> None:
        """Open the database, make sure somebody can sign in, and begin to work. Raises `Misconfigured`."""
        self._stalls.start()
        try:
            await self._open()
            self._published_keys.start()
            await self.routes.start()
            if self.settings.worker:
                await self.worker.start()
                self.retention.start()
        except BaseException:
            await self.sandbox.close()  # its children would outlive us
            raise
        self._started = time.monotonic()

    async def _open(self) -> None:
        """Start the sandbox and the database beside each other; neither is left half-started by the other's end."""
        opening = asyncio.gather(self._start_sandbox(), self._open_database(), return_exceptions=True)
        problems = [problem for problem in await opening if problem is not None]
        if problems:
            raise problems[0]

    async def _open_database(self) -> None:
        await self.database.start()
        await self._installation.check()
        await self.jobs.prepare()
        self.generated_password = await self.accounts.ensure_administrator()

    async def _start_sandbox(self) -> None:
        try:
            await self.sandbox.start()
        except SandboxUnavailable as error:
            raise Misconfigured(str(error)) from error

    async def stop(self) -> None:
        """Finish what is under way, then close everything."""
        self.lifecycle.drain()
        await self.retention.stop()
        await self.worker.drain(self.settings.drain_seconds)
        await self.execution.drain(self.settings.drain_seconds)
        await self.routes.stop()
        await self.accounts.stop()
        await self.sandbox.close()
        await self.provider_client.close()
        await self._published_keys.stop()
        await self.outbound.deliveries.close()
        await self.database.stop()
        self._stalls.stop()

    def report(self, tx: Transaction) -> dict[str, Any]:
        """Return what `GetSystemStatusQuery` shows."""
        return {
            "version": self.version,
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "writer_waiting": self.database.waiting,
            "jobs_waiting": self.jobs.waiting(tx),
            "jobs_running": self.jobs.running,
            "webhooks": len(self.routes),
            "sandbox_locks": dict(self.sandbox.locks),
            "endpoints_off": self.fixed.off(),
            "draining": self.lifecycle.draining,
        }

    def _routes(self) -> list[Any]:
        readiness = health.Readiness(
            self.database, self.lifecycle, self.worker.heartbeat_age, lambda: self.sandbox.locks
        )
        return [
            *auth_routes(self.accounts, self.settings),
            *console_routes(self.bus, self.accounts, self.settings, self.lifecycle),
            *health.health_routes(readiness, self.accounts, self.settings),
            *dialects.dialect_routes(self.bus, self.accounts, self.settings, self.lifecycle),
            *openapi.openapi_routes(self.registry, self.version, provider_addresses(), self.events),
            *asyncapi.asyncapi_routes(self.version, self.events),
            *docs.docs_routes(self.registry, self.version, self.settings.base_url),
        ]

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        await self.start()
        try:
            yield
        finally:
            await asyncio.shield(self.stop())


def build_bus(foundation: Foundation, accounts: Accounts) -> Bus:
    """Make the bus; what unattended work may do is asked of the accounts."""
    settings = foundation.settings
    return Bus(
        foundation.registry,
        foundation.database,
        foundation.jobs,
        foundation.box,
        foundation.clock,
        settings.effect_seconds,
        accounts.rights,
        settings.processes,
    )


def provider_addresses() -> list[DescribedAddress]:
    """Return the fixed addresses that the providers declare."""
    return [address for declaration in declarations() for address in declaration.addresses]


def provider_events() -> list[EventKind]:
    """Return the types of events that the providers declare."""
    return [kind for declaration in declarations() for kind in declaration.events]


def build_outbound(foundation: Foundation, bus: Bus, sandbox: Sandbox, listeners: Sequence[Listener] = ()) -> Outbound:
    """Make what publishes and delivers; `listeners` hear events beside the subscribers."""
    return Outbound(bus, foundation.jobs, foundation.lanes, foundation.box, sandbox, foundation.settings, listeners)
