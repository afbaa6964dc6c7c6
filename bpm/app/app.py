"""One process's server: its addresses, and the order in which its parts start and stop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bpm.accounts import Installation
from bpm.app.components import build_components
from bpm.app.metrics import build_metrics
from bpm.app.providers import provider_addresses
from bpm.app.status import VERSION
from bpm.clock import Clock, system_clock
from bpm.edge.answer import send_answer
from bpm.edge.envelope import closing_problem
from bpm.edge.headers import require_one_meaning
from bpm.errors import Malformed, Misconfigured
from bpm.events.audit_publisher import AuditPublisher
from bpm.events.queue_watch import QueueWatch
from bpm.settings import Settings
from bpm.stall import StallWatch
from bpm.web import asyncapi, command, dialects, docs, feed, health, openapi, webhook_keys
from bpm.web.auth import auth_routes
from bpm.web.console import console_routes
from bpm.web.console.oidc import SignOnProvider, oidc_routes
from bpm.web.exception_handlers import EXCEPTION_HANDLERS
from bpm.web.metrics import metrics_routes
from router.endpoints import WebhookEndpoint
from router.paths import ADDRESSES
from router.rates import Rates
from scripts import SandboxUnavailable


class App:
    """One process's server: an ASGI application that also starts and stops what stands behind it."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        """Make every part and connect them; nothing is opened yet. Raises `Misconfigured`."""
        self.components = parts = build_components(settings, clock)
        foundation, routing = parts.foundation, parts.routing
        self.settings = settings
        self.lifecycle = parts.lifecycle
        self.database, self.jobs, self.registry = foundation.database, foundation.jobs, foundation.registry
        self.routes, self.fixed, self.execution = routing.routes, routing.fixed, routing.execution
        self.accounts, self.bus, self.sandbox = parts.accounts, parts.bus, parts.sandbox
        self.retention = parts.retention
        self.tracer = foundation.tracer
        self.sign_on_provider = SignOnProvider(settings, clock)
        self.worker = parts.worker()
        self.webhooks = WebhookEndpoint(
            routing.routes,
            routing.fixed,
            Rates(),
            routing.inbox,
            routing.sync,
            routing.immediate,
            routing.answers,
            settings,
            clock,
            self.lifecycle,
            foundation.tracer,
        )
        self.metrics = build_metrics(parts, clock, self.webhooks.requests, self.worker.heartbeat_age)
        self.worker_watch = foundation.worker_watch
        self.commands = command.CommandEndpoint(self.bus, self.accounts, settings, self.lifecycle)
        self.pages = Starlette(routes=self._routes(), exception_handlers=EXCEPTION_HANDLERS, lifespan=self._lifespan)
        self.pages.router.redirect_slashes = False  # it would lead to whatever `Host` says, and over http
        self.queue_watch = QueueWatch(self.bus, self.jobs, clock)
        most_bytes = settings.delivery.max_event_bytes
        self.audit_publisher = AuditPublisher(self.database, parts.outbound.publisher, clock, most_bytes)
        self.generated_password: str | None = None
        self._installation = Installation(self.database, foundation.key, foundation.accepted_key)
        self._stalls = StallWatch()

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
        if self.tracer is not None:
            self.tracer.start()
        try:
            await self._open()
            self.components.routing.published_keys.start()
            await self.routes.start()
            if self.settings.worker:
                await self.worker.start()
                self.retention.start()
                self.audit_publisher.start()
            self.queue_watch.start()
            self.worker_watch.start()
            self.components.routing.secrets.start()
        except BaseException:
            await self.sandbox.close()  # its children would outlive us
            raise
        self.components.status.begin()

    async def _open(self) -> None:
        """Start the sandbox and the database beside each other; neither is left half-started by the other's end."""
        opening = asyncio.gather(self._start_sandbox(), self._open_database(), return_exceptions=True)
        problems = [problem for problem in await opening if problem is not None]
        if problems:
            raise problems[0]

    async def _open_database(self) -> None:
        await self.database.start()
        await self._check_key()
        await self.jobs.prepare()
        self.generated_password = await self.accounts.ensure_administrator()

    async def _check_key(self) -> None:
        """Compare the key with the database's; one that was made because its file was lost is not left behind."""
        try:
            await self._installation.check()
        except Misconfigured as error:
            file = self.components.foundation.new_key_file
            if file is None:
                raise
            file.unlink(missing_ok=True)
            raise Misconfigured(f"{file} is missing; restore it from a backup: {error}") from error

    async def _start_sandbox(self) -> None:
        try:
            await self.sandbox.start()
        except SandboxUnavailable as error:
            raise Misconfigured(str(error)) from error

    async def stop(self) -> None:
        """Finish what is under way, then close everything."""
        self.lifecycle.drain()
        await self.retention.stop()
        await self.queue_watch.stop()
        await self.worker_watch.stop()
        await self.components.routing.secrets.stop()
        await self.audit_publisher.stop()
        await self.worker.drain(self.settings.drain_seconds)
        await self.components.routing.sync.drain(self.settings.drain_seconds)
        self.components.effect_loops.stop()
        await self.routes.stop()
        await self.accounts.stop()
        await self.sandbox.close()
        await self.components.provider_client.close()
        await self.sign_on_provider.close()
        await self.components.routing.published_keys.stop()
        await self.components.outbound.deliveries.close()
        await self.database.stop()
        if self.tracer is not None:
            await asyncio.to_thread(self.tracer.stop)
        self._stalls.stop()

    def _routes(self) -> list[Any]:
        readiness = health.Readiness(
            self.database,
            self.lifecycle,
            self.worker_watch,
            self.worker.heartbeat_age,
            lambda: self.sandbox.locks,
            self.components.routing.secrets.standing,
        )
        feed_limit, foundation = feed.FeedLimit(), self.components.foundation
        return [
            *auth_routes(self.accounts, self.settings),
            Route(feed.PATH, feed.FeedEndpoint(self.bus, self.accounts, self.settings, self.lifecycle, feed_limit)),
            *console_routes(self.bus, self.accounts, self.settings, self.lifecycle, feed_limit),
            *oidc_routes(self.settings, self.accounts, self.sign_on_provider, foundation.box, foundation.clock),
            *health.health_routes(readiness, self.accounts, self.settings),
            *metrics_routes(self.metrics, self.accounts, self.settings),
            *dialects.dialect_routes(self.bus, self.accounts, self.settings, self.lifecycle),
            *openapi.openapi_routes(
                self.registry, VERSION, provider_addresses(), self.components.events, self.settings.base_url
            ),
            *asyncapi.asyncapi_routes(VERSION, self.components.events),
            *webhook_keys.webhook_key_routes(self.database, foundation.box),
            *docs.docs_routes(self.registry, VERSION, self.settings.base_url),
        ]

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        await self.start()
        try:
            yield
        finally:
            await asyncio.shield(self.stop())
