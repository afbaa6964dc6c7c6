"""The addresses below `/api/webhooks/`: plain ASGI, because this is the path that every provider waits on.

A request is read, judged, put on disk and answered; `sync` rules are executed before the answer.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.types import Receive, Scope, Send

from bpm.clock import Clock
from bpm.errors import BpmError, Draining, Malformed, NotFound, TooLarge, TooSlow
from bpm.security.permissions import INSTALLATION
from bpm.security.proxies import Proxies
from bpm.settings import Settings
from router.answers import Answers, accepted
from router.confidential import STRANGE
from router.execution import Execution
from router.fixed import FixedRoutes
from router.guard import Guard, Verdict, address_refused, greeters, method_refused, unknown
from router.inbox import Inbox, Source
from router.paths import requested
from router.providers import Answer, Call, Refusal
from router.request import InboundCall
from router.rule import Rule
from router.table import RouteTable

PREFIXES = ("/api/webhooks/", "/api/webhook/")
BODILESS = (204, 205, 304)

HERE = Answer(200)
"""What HEAD is told where GET is answered."""

STRANGER = Source(INSTALLATION, confidential=STRANGE)
"""Where a request belongs that no rule or provider knows."""


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
        self._proxies = Proxies.parse(settings.trusted_proxies, settings.proxy_header)
        self._body_seconds = settings.connections.body_seconds
        self._clock = clock
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that goes away before it was read leaves nothing."""
        call = self._call(scope)
        try:
            answer = await self._answer(call, Body(receive, call.headers, self._body_seconds))
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
        node = self._table.find(call.path)
        if node is None:
            return await self._refused(call, body, STRANGER, unknown(call.path))
        rules = [self._table.rule(slot) for slot in node.slots.values()]
        if call.method == "HEAD" and any(rule.method == "GET" for rule in rules):
            return self._head(rules, call)
        greeting = await self._greeting(rules, call, body)
        if greeting is not None:
            return greeting
        rule, verdict = self._guard.choose(rules, call)
        source = Source.of(rule)
        if verdict.cause == "disabled":
            return await self._switched_off(call, body, rule, verdict)
        if not verdict.passed:
            return await self._refused(call, body, source, verdict, rule)
        try:
            call.body = await body.read(rule.max_body_bytes)
        except TooLarge:
            return await self._refused(call, None, source, self._guard.too_large(rule.max_body_bytes), rule)
        verdict = self._guard.counted(rule, call, self._guard.after_body(rule, call))
        if not verdict.passed:
            return await self._refused(call, None, source, verdict, rule)
        return await self._passed(call, rule, source)

    def _head(self, rules: list[Rule], call: InboundCall) -> Answer:
        """Tell whether the rule of GET answers here and this address; nothing is verified, executed or kept."""
        rule, verdict = self._guard.choose(rules, replace(call, method="GET"))
        if verdict.passed and rule.broken is None:
            return HERE
        return self._answers.problem(verdict.error or NotFound("There is no webhook here"), call.id)

    async def _switched_off(self, call: InboundCall, body: "Body", rule: Rule, verdict: Verdict) -> Answer:
        """Keep what comes to a rule that is switched off; what its provider has signed is not bound as a stranger's."""
        assert verdict.error is not None
        is_awaited = False
        with contextlib.suppress(TooLarge):  # kept without its body
            call.body = await body.read(rule.max_body_bytes)
            is_awaited = self._guard.proven(rule, call).passed
        await self._inbox.refuse(call, Source.of(rule), verdict, is_awaited=is_awaited)
        return self._answers.problem(verdict.error, call.id)

    async def _greeting(self, rules: list[Rule], call: InboundCall, body: "Body") -> Answer | None:
        """Answer a provider's question to the rule that takes the request; what is none is judged as every request."""
        for rule in greeters(rules, call):
            try:
                call.body = await body.read(rule.max_body_bytes)
                answer = rule.greeting(call)
            except (TooLarge, ValueError):
                return None
            if answer is not None:
                return answer
        return None

    async def _passed(self, call: InboundCall, rule: Rule, source: Source) -> Answer:
        key = rule.delivery_id(call)
        if rule.sync and not rule.paused:
            return await self._execution.at_once(call, rule, source, key)
        answer = self._answers.prescribed(call, rule)
        kept, lane = answer if key is not None else None, rule.lane_of(call)
        first = await self._inbox.accept(call, source, key, kept, lane, paused=rule.paused)
        if first is not None:
            await self._inbox.repeat(call, source, first)
            return self._answers.again(first)
        return answer or accepted(call.id, 202 if rule.sync else 200)

    async def _fixed_answer(self, call: InboundCall, body: "Body", fixed: Mapping[str, Any]) -> Answer:
        is_head = call.method == "HEAD"
        entry = fixed.get("GET" if is_head else call.method)
        if entry is None:
            return await self._refused(call, body, STRANGER, method_refused(call.method, list(fixed)))
        provider, route = entry
        source = Source.of_provider(provider)
        if provider.addresses is not None and not provider.addresses.allows(call.address):
            await self._inbox.refuse(call, source, address_refused(call.address))
            return replace(route.refused, status=403)
        if is_head:
            return HERE
        try:
            call.body = await body.read(self._limit)
            received = Call(call.method, call.headers, call.parameters, call.body, call.address)
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

    async def _refused(
        self, call: InboundCall, body: "Body | None", source: Source, verdict: Verdict, rule: Rule | None = None
    ) -> Answer:
        """Keep what can be kept of a refused request, and say no."""
        if body is not None and not call.body:
            try:
                call.body = await body.read(self._limit)
            except TooLarge:
                call.body = b""
        await self._inbox.refuse(call, source, verdict)
        return self._answers.refused(verdict, call.id, rule)

    def _call(self, scope: Scope) -> InboundCall:
        headers = _headers(scope["headers"])
        path = requested(scope["path"], scope.get("raw_path") or b"")
        peer = scope["client"][0] if scope.get("client") else ""
        return InboundCall(
            method=scope["method"],
            path=_below_prefix(path),
            headers=headers,
            query_string=scope["query_string"].decode("latin-1"),
            address=self._proxies.client(peer, headers),
            received_at=self._clock(),
        )


def _below_prefix(path: str) -> str:
    """Return the part of an address by which rules are found; an address of ours that hides a slash has none."""
    prefix = next((prefix for prefix in PREFIXES if path.startswith(prefix)), "")
    return path[len(prefix) :].rstrip("/")


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name; the values of one that stands several times are joined (RFC 9110, section 5.3).

    A Content-Type is no list, and one that stands twice says the same twice (`bpm.web.repeated`).
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name == "content-type":
            headers.pop(name, None)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class ClientGone(Exception):
    """The connection ended before the request was whole."""


class Body:
    """The body still in the socket; once read, it is kept."""

    def __init__(self, receive: Receive, headers: Mapping[str, str], seconds: float) -> None:
        """Take where it comes from, and how long it may take; who is slower is answered 408."""
        self._seconds = seconds
        self._receive = receive
        self._declared = int(headers.get("content-length", "0"))
        self._read = bytearray()
        self._more = True

    async def read(self, limit: int) -> bytes:
        """Return the whole body.

        Raises `TooLarge` as soon as it must be over `limit` bytes, `TooSlow` when it does not arrive in
        time, and `ClientGone`.
        """
        if self._declared > limit:
            raise TooLarge
        try:
            async with asyncio.timeout(self._seconds):
                await self._receive_up_to(limit)
        except TimeoutError:
            raise TooSlow(f"The body did not arrive within {self._seconds:g} seconds") from None
        return bytes(self._read)

    async def _receive_up_to(self, limit: int) -> None:
        while len(self._read) <= limit and self._more:
            event = await self._next()
            self._read += event.get("body", b"")
            self._more = event.get("more_body", False)
        if len(self._read) > limit:
            raise TooLarge

    async def _next(self) -> Any:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        return event


async def respond(send: Send, answer: Answer, request_id: str) -> None:
    """Send an answer; one whose status allows no body has none (RFC 9110, sections 15.3.5 and 15.4.5)."""
    given = [
        (b"x-request-id", request_id.encode()),
        *((_header(name), _header(value)) for name, value in answer.headers),
    ]
    body = b"" if answer.status in BODILESS else answer.body
    about = [
        (b"content-type", _header(answer.content_type)),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    headers = given if answer.status in BODILESS else about + given
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(text: str) -> bytes:
    return text.encode("latin-1", "replace")
