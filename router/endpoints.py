"""The addresses below `/api/webhooks/`: plain ASGI, because this is the path that every provider waits on.

A request is decided about (`router.decision`), put on disk and answered; `sync` rules are executed before the answer.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from bpm.clock import Clock
from bpm.errors import BpmError, Draining, TooSlow
from bpm.security.proxies import Proxies
from bpm.settings import Settings
from router.answers import Answers, accepted
from router.decision import Decision, Lookups, Place, decide
from router.decision.verdict import SIZE
from router.execution import Execution
from router.fixed import FixedRoutes
from router.inbox import Inbox
from router.paths import requested
from router.providers import Answer
from router.rates import Rates
from router.request import InboundCall
from router.table import RouteTable

PREFIXES = ("/api/webhooks/", "/api/webhook/")
BODILESS = (204, 205, 304)


class WebhookEndpoint:
    """Answers every webhook."""

    def __init__(
        self,
        table: RouteTable,
        fixed: FixedRoutes,
        rates: Rates,
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
        self._lookups = Lookups(count=rates.count)
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
        decision = await self._decide(call, body)
        if decision.spoken is not None:
            return decision.spoken
        if not decision.verdict.passed:
            return await self._refuse(call, body, decision)
        rule = decision.rule
        if rule is not None and rule.executes_first:
            return await self._execution.at_once(call, rule, decision.source, decision.delivery_id)
        return await self._accept(call, decision)

    async def _decide(self, call: InboundCall, body: "Body") -> Decision:
        """Decide about a request, reading its body when it is asked for."""
        deciding = decide(call, self._place(call.path), self._lookups)
        try:
            limit = next(deciding)
            while True:
                limit = deciding.send(await body.read_within(limit))
        except StopIteration as decided:
            return decided.value

    def _place(self, path: str) -> Place:
        fixed = self._fixed.find(path)
        if fixed is not None:
            return Place(fixed=fixed, max_body_bytes=self._limit)
        return Place(self._table.rules_at(path))

    async def _refuse(self, call: InboundCall, body: "Body", decision: Decision) -> Answer:
        """Keep what can be kept of a refused request, and say no."""
        verdict = decision.verdict
        if decision.is_kept:
            if not call.body and verdict.cause != SIZE:
                call.body = await body.read_within(self._limit) or b""
            await self._inbox.refuse(call, decision.source, verdict, is_awaited=decision.is_proven)
        if decision.answer is not None:
            return decision.answer
        return self._answers.refused(verdict, call.id, decision.rule)

    async def _accept(self, call: InboundCall, decision: Decision) -> Answer:
        key, answer, rule = decision.delivery_id, decision.answer, decision.rule
        kept = answer if key is not None or rule is None else None
        is_paused = rule is not None and rule.paused
        first = await self._inbox.accept(call, decision.source, key, kept, decision.lane, paused=is_paused)
        if first is not None:
            await self._inbox.repeat(call, decision.source, first)
            if rule is not None:
                return self._answers.again(first)
        return answer or accepted(call.id, 202 if rule is not None and rule.sync else 200)

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

    A Content-Type is no list, and one that stands twice says the same twice (`bpm.edge.headers`).
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

    async def read_within(self, limit: int) -> bytes | None:
        """Return the whole body, or None as soon as it must be over `limit` bytes.

        Raises `TooSlow` when it does not arrive in time, and `ClientGone`.
        """
        if self._declared > limit:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                await self._receive_up_to(limit)
        except TimeoutError:
            raise TooSlow(f"The body did not arrive within {self._seconds:g} seconds") from None
        return bytes(self._read) if len(self._read) <= limit else None

    async def _receive_up_to(self, limit: int) -> None:
        while len(self._read) <= limit and self._more:
            event = await self._next()
            self._read += event.get("body", b"")
            self._more = event.get("more_body", False)

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
