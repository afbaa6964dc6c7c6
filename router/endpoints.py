"""The addresses below `/api/webhooks/`: plain ASGI, because this is the path that every provider waits on.

A request is read, judged, put on disk and answered; `sync` rules are executed before the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.types import Receive, Scope, Send

from bpm.clock import Clock
from bpm.errors import BpmError, Draining, Malformed, TooLarge
from bpm.expressions import EvaluationError
from bpm.security.net import AddressList, client_address
from bpm.settings import Settings
from router.answers import Answers, accepted
from router.execution import Execution
from router.fixed import FixedRoutes
from router.guard import Guard, Verdict, address_refused, may_greet, method_refused, unknown
from router.handshakes import handshake
from router.inbox import Inbox, Source
from router.providers import Answer, Call, Refusal
from router.request import InboundCall
from router.rule import Rule
from router.table import Match, RouteTable

PREFIXES = ("/api/webhooks/", "/api/webhook/")
BODY_SECONDS = 30.0
"""A caller that sends its body slower than this is answered 408."""

INSTALLATION = Source(organization_id=1)


class WebhookEndpoint:
    """Answers every webhook."""

    def __init__(
        self,
        table: RouteTable,
        fixed: FixedRoutes,
        guard: Guard,
        inbox: Inbox,
        execution: Execution,
        answers: Answers,
        settings: Settings,
        clock: Clock,
        draining: Callable[[], bool],
    ) -> None:
        """Take the parts that a request walks through."""
        self._table = table
        self._fixed = fixed
        self._guard = guard
        self._inbox = inbox
        self._execution = execution
        self._answers = answers
        self._limit = settings.max_body_bytes
        self._trusted = AddressList.parse(settings.trusted_proxies) if settings.trusted_proxies else None
        self._clock = clock
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that goes away before it was read leaves nothing."""
        call = self._call(scope)
        try:
            answer = await self._answer(call, Body(receive, call.headers))
        except ClientGone:
            return
        except BpmError as error:
            answer = self._answers.problem(error, call.id)
        except Exception as error:
            answer = self._answers.defect(error, call.id)
        await respond(send, answer, call.id)

    async def _answer(self, call: InboundCall, body: "Body") -> Answer:
        if self._draining():
            raise Draining
        fixed = self._fixed.find(call.path)
        if fixed is not None:
            return await self._fixed_answer(call, body, fixed)
        match = self._table.find(call.path)
        if match is None:
            return await self._refused(call, body, INSTALLATION, unknown(call.path))
        rule, verdict = self._matching(match, call)
        source = Source.of(rule)
        if rule.fields.handshake is not None and may_greet(rule, call):
            call.body = await body.read(rule.max_body_bytes)
            greeting = handshake(rule.fields.handshake, call.method, call.query, call.headers, call.body)
            if greeting is not None:
                return greeting
        verdict = verdict or self._guard.before_body(rule, call)
        if not verdict.passed:
            return await self._refused(call, body, source, verdict)
        try:
            call.body = await body.read(rule.max_body_bytes)
        except TooLarge:
            return await self._refused(call, None, source, self._guard.too_large(rule.max_body_bytes))
        verdict = self._guard.after_body(rule, call)
        if not verdict.passed:
            return await self._refused(call, None, source, verdict)
        return await self._passed(call, rule, match, source)

    def _matching(self, match: Match, call: InboundCall) -> tuple[Rule, Verdict | None]:
        slot = match.slots.get(call.method)
        if slot is not None:
            return self._table.rule(slot), None
        rules = [self._table.rule(slot) for slot in match.slots.values()]
        enabled = [rule for rule in rules if rule.enabled]
        if not enabled:
            return rules[0], None
        return enabled[0], None if enabled[0].fields.handshake else method_refused(
            call.method, [r.method for r in enabled]
        )

    async def _passed(self, call: InboundCall, rule: Rule, match: Match, source: Source) -> Answer:
        key = rule.dedupe(call.headers, call.query, lambda: call.payload.value) if rule.dedupe else None
        if rule.sync:
            return await self._execution.at_once(call, rule, match.values, source, key)
        answer = self._prescribed(call, rule, match)
        first = await self._inbox.accept(call, source, key, answer if key is not None else None)
        if first is not None:
            await self._inbox.repeat(call, source, first)
            return self._answers.again(first)
        return answer or accepted(call.id)

    def _prescribed(self, call: InboundCall, rule: Rule, match: Match) -> Answer | None:
        if rule.response is None:
            return None
        try:
            return rule.response.render(call.scope(rule.path_values(match.values)))
        except EvaluationError as error:
            return self._answers.unrenderable(error, call.id)

    async def _fixed_answer(self, call: InboundCall, body: "Body", fixed: Mapping[str, Any]) -> Answer:
        entry = fixed.get(call.method)
        if entry is None:
            return await self._refused(call, body, INSTALLATION, method_refused(call.method, list(fixed)))
        provider, route = entry
        source = Source(organization_id=1, provider=provider.name, secret_header=provider.secret_header)
        if provider.addresses is not None and not provider.addresses.allows(call.address):
            await self._inbox.refuse(call, source, address_refused(call.address))
            return replace(route.refused, status=403)
        try:
            call.body = await body.read(self._limit)
            received = Call(call.method, call.headers, call.query, call.body, call.address)
        except TooLarge:
            return await self._refused(call, None, source, self._guard.too_large(self._limit))
        except ValueError as error:
            return await self._refused(call, None, source, Verdict("malformed", str(error), Malformed(str(error))))
        cause = route.verify(received)
        if cause is not None:
            await self._inbox.refuse(call, source, Verdict("signature", cause))
            return route.refused
        try:
            reception = route.read(received)
        except Refusal as refusal:
            await self._inbox.refuse(call, source, Verdict("malformed", refusal.cause))
            return refusal.answer
        first = await self._inbox.accept(call, source, reception.dedupe_key, reception.answer)
        if first is not None:
            await self._inbox.repeat(call, source, first)
        return reception.answer

    async def _refused(self, call: InboundCall, body: "Body | None", source: Source, verdict: Verdict) -> Answer:
        """Keep what can be kept of a refused request, and say no."""
        if body is not None and not call.body:
            try:
                call.body = await body.read(self._limit)
            except TooLarge:
                call.body = b""
        await self._inbox.refuse(call, source, verdict)
        assert verdict.error is not None
        return self._answers.problem(verdict.error, call.id)

    def _call(self, scope: Scope) -> InboundCall:
        headers = _headers(scope["headers"])
        path: str = scope["path"]
        prefix = PREFIXES[0] if path.startswith(PREFIXES[0]) else PREFIXES[1]
        peer = scope["client"][0] if scope.get("client") else ""
        return InboundCall(
            method=scope["method"],
            path=path[len(prefix) :].rstrip("/"),
            headers=headers,
            query_string=scope["query_string"].decode("latin-1"),
            address=client_address(peer, headers, self._trusted) if self._trusted else peer,
            received_at=self._clock(),
        )


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name; the values of one that stands several times are joined (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class ClientGone(Exception):
    """The connection ended before the request was whole."""


class Body:
    """The body still in the socket."""

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        """Take where it comes from."""
        self._receive = receive
        self._declared = headers.get("content-length", "")

    async def read(self, limit: int) -> bytes:
        """Return the whole body; raises `TooLarge` as soon as it must be over `limit` bytes."""
        if self._declared.isdigit() and int(self._declared) > limit:
            raise TooLarge
        async with asyncio.timeout(BODY_SECONDS):
            return await self._read(limit)

    async def _read(self, limit: int) -> bytes:
        event = await self._next()
        body: bytes = event.get("body", b"")
        if not event.get("more_body"):
            return _within(body, limit)
        chunks = [body]
        size = len(body)
        while event.get("more_body"):
            event = await self._next()
            chunks.append(event.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise TooLarge
        return b"".join(chunks)

    async def _next(self) -> Any:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        return event


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise TooLarge
    return body


async def respond(send: Send, answer: Answer, request_id: str) -> None:
    """Send an answer."""
    headers = [
        (b"content-type", answer.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", request_id.encode()),
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
