"""The composition root: settings -> store -> bus -> commands -> ASGI application.

Everything that one process consists of is made here and handed to whoever needs it, by parameter.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points, version
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bpm.accounts import Accounts, Installation
from bpm.bus import Bus, Registry
from bpm.clock import Clock, system_clock
from bpm.errors import BpmError, Malformed, Misconfigured
from bpm.events.outbound import Outbound
from bpm.jobs import Lanes
from bpm.jobs.opening import open_jobs
from bpm.process.jobs import ProcessJobs, StartJobs
from bpm.process.runtime import ProcessRuntime
from bpm.process.start_triggers import ProcessStarts
from bpm.retained import POLICIES
from bpm.security.identifiers import new_id
from bpm.security.private_files import make_private_folder
from bpm.security.secrets import KEY_FILE, SecretBox, load_secret_key
from bpm.settings import Settings
from bpm.stall import StallWatch
from bpm.store import Transaction, open_database
from bpm.store.retention import Retention
from bpm.web import command, dialects, docs, health, openapi
from bpm.web.auth import auth_routes
from bpm.web.lifecycle import Lifecycle
from bpm.web.problems import EXCEPTION_HANDLERS, closing_problem, problem_response
from bpm.web.repeated import require_one_meaning
from bpm.worker import Worker
from router import endpoints, providers
from router.answers import Answers
from router.backtest import BackTests
from router.endpoints import WebhookEndpoint
from router.execution import Execution
from router.fixed import FixedRoutes
from router.inbox import Inbox
from router.providers import Answer
from router.providers.confirmation.client import ProviderClient
from router.providers.confirmation.mono import MonoApi
from router.providers.confirmation.remita import RemitaApi
from router.quota import Quota
from router.rates import Rates
from router.replay import Judge, Replays
from router.rule import RuleCompiler
from router.seal import RequestSeal
from router.table import RouteTable
from scripts import Limits, Sandbox, SandboxUnavailable

ENTRY_POINTS = "bpm.commands"
"""The entry point group under which an installed package offers commands of its own."""

log = structlog.get_logger("bpm")


class App:
    """One process's server: an ASGI application that also starts and stops what stands behind it."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        """Make every part and connect them; nothing is opened yet. Raises `Misconfigured`."""
        self.settings = settings
        self.version = version("bpm-bus")
        prepare_data_dir(settings)
        key = installation_key(settings)
        box = SecretBox(key)
        self.lifecycle = Lifecycle()
        self.database = open_database(settings)
        self.jobs = open_jobs(self.database, settings, clock)
        self.lanes = Lanes(self.jobs, clock)
        self.registry = discovered(settings)
        self._installation = Installation(self.database, key)
        self.accounts = Accounts(self.database, settings, key, clock)
        self.bus = Bus(
            self.registry,
            self.database,
            self.jobs,
            box,
            clock,
            settings.effect_seconds,
            self.accounts.rights,
            settings.processes,
        )
        self.sandbox = Sandbox(Limits(), allow_unconfined=settings.scripts.allow_unconfined)
        compile_rule = RuleCompiler(self.registry, box, settings)
        self.routes = RouteTable(self.database, compile_rule)
        self.fixed = FixedRoutes(providers.discover(settings))
        seal = RequestSeal(box)
        answers = Answers(_problem, seal)
        quota = Quota(settings.quarantine)
        inbox = Inbox(self.database, self.jobs, self.lanes, quota, seal)
        self.execution = Execution(
            self.bus,
            self.routes,
            self.fixed,
            inbox,
            self.jobs,
            self.lanes,
            answers,
            self.accounts.rights.present,
            clock,
            settings.sync_limit_seconds,
            seal,
        )
        replays = Replays(Judge(self.routes, self.fixed, seal, settings.max_body_bytes), self.jobs, self.lanes)
        processes = ProcessRuntime(self.registry, self.jobs, settings.processes)
        process_jobs = ProcessJobs(self.bus, self.jobs, processes.deployed)
        start_jobs = StartJobs(self.bus)
        starts = ProcessStarts(processes, self.jobs)
        self.outbound = Outbound(self.bus, self.jobs, self.lanes, box, self.sandbox, settings, (starts,))
        deliveries = self.outbound.deliveries
        back_tests = BackTests(self.database, self.registry, compile_rule, clock, seal)
        self.worker = Worker(
            self.jobs, self.bus.scheduled, self.execution, process_jobs, start_jobs, deliveries, back_tests
        )
        self.retention = Retention(self.database, settings.retention, clock, new_id(), POLICIES)
        self.provider_client = ProviderClient()
        self.registry.bind(
            {
                **self.outbound.services,
                "accounts": self.accounts,
                "back_tests": back_tests,
                "execution": self.execution,
                "mono_api": MonoApi(settings.mono, self.provider_client),
                "process_jobs": process_jobs,
                "process_starts": starts,
                "processes": processes,
                "quota": quota,
                "registry": self.registry,
                "remita_api": RemitaApi(settings.remita, self.provider_client),
                "replays": replays,
                "retention": self.retention,
                "routes": self.routes,
                "sandbox": self.sandbox,
                "secrets_box": box,
                "settings": settings,
                "status": self,
            }
        )
        self.webhooks = WebhookEndpoint(
            self.routes,
            self.fixed,
            Rates(),
            inbox,
            self.execution,
            answers,
            settings,
            clock,
            lambda: self.lifecycle.draining,
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
                await closing_problem(error)(scope, receive, send)
                return
            path: str = scope["path"]
            if path.startswith(endpoints.PREFIXES) and not dialects.is_numbered(scope["method"], path):
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
            *health.health_routes(readiness, self.accounts, self.settings),
            *dialects.dialect_routes(self.bus, self.accounts, self.settings, self.lifecycle),
            *openapi.openapi_routes(self.registry, self.version),
            *docs.docs_routes(self.registry, self.version, self.settings.base_url),
        ]

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        await self.start()
        try:
            yield
        finally:
            await asyncio.shield(self.stop())


def prepare_data_dir(settings: Settings) -> None:
    """Create the data folder, or close an existing one, so that only its owner may enter; raises `OSError`."""
    make_private_folder(settings.data_dir)
    if not os.access(settings.data_dir, os.W_OK):
        message = f"the data folder {settings.data_dir} can't be written; set BPM_DATA_DIR to one that can"
        raise PermissionError(message)


def installation_key(settings: Settings) -> bytes:
    """Return the key that seals secrets; raises `Misconfigured` rather than make a new one beside old data."""
    if settings.secret_key is None and settings.sqlite_path.exists() and not (settings.data_dir / KEY_FILE).exists():
        raise Misconfigured(
            f"{settings.data_dir / KEY_FILE} is missing, and the secrets in the database can't be read without it; "
            "restore it from a backup, or set BPM_SECRET_KEY and enter every secret again"
        )
    return load_secret_key(settings)


def discovered(settings: Settings) -> Registry:
    """Return a registry with our commands and those of the application's packages."""
    registry = Registry()
    for package in ("commands", *application_packages(settings)):
        registry.discover(package)
    return registry


def application_packages(settings: Settings) -> list[str]:
    """Return the packages with an application's own commands: those the settings name and the installed ones."""
    installed = [entry.value for entry in entry_points(group=ENTRY_POINTS)]
    return list(dict.fromkeys([*settings.command_packages, *installed]))


def _problem(error: BpmError, request_id: str, failed: str) -> Answer:
    response = problem_response(error, request_id, failed)
    headers = tuple(
        (name, value)
        for name, value in response.headers.items()
        if name not in ("content-length", "content-type", "x-request-id")
    )
    return Answer(response.status_code, bytes(response.body), response.headers["content-type"], headers)
