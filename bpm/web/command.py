"""`POST /api/bpm/cmd`: one JSON object in, through the bus, one JSON object out.

A plain ASGI callable: objects for request and response would cost more than the whole walk through the bus.
The checks stand in this order: method, draining, who is asking, content type, size, JSON, `$type`,
permission, fields; and then the handler's own.
"""

import hashlib
import re
from functools import lru_cache
from typing import Any, cast

from pydantic_core import to_json
from starlette.types import ASGIApp, Receive, Scope, Send

from bpm.bus import Bus, Envelope, Outcome, Registration
from bpm.bus.behaviors import permit
from bpm.edge.boundary import answered
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.problems import problem_response
from bpm.edge.request import ORGANIZATION, Authenticator, Incoming, IncomingReader
from bpm.errors import BpmError, Draining, Forbidden, Malformed, MethodNotAllowed
from bpm.security.permissions import Principal
from bpm.security.strict_json import StrictJsonError, parse_json
from bpm.settings import Settings

PATH = "/api/bpm/cmd"

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class CommandEndpoint:
    """The address that every message of a client goes through."""

    def __init__(self, bus: Bus, accounts: Authenticator, settings: Settings, lifecycle: Lifecycle) -> None:
        """Stand before the bus."""
        self._bus = bus
        self._accounts = accounts
        self._limit = settings.max_body_bytes
        self._incoming = IncomingReader(settings)
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that went away gets none, and what it began is still finished."""
        request = self._incoming(scope, receive)
        answer = await answered(request, self._answer(request))
        if answer is not None:
            await answer(scope, receive, send)

    async def _answer(self, request: Incoming) -> ASGIApp:
        if request.method != "POST":
            raise MethodNotAllowed(request.method, "POST")
        if self._lifecycle.draining:
            raise Draining
        principal = await request.caller(self._accounts)
        request.require_json()
        key = _idempotency_key(request)
        raw = await request.body(self._limit)
        name, fields = parse_message(raw)
        registration = self._bus.registry.find(name)
        try:
            await self._permit(principal, registration, request)
            envelope = Envelope(
                self._bus.registry.decode(name, fields),
                principal,
                request.request_id,
                address=request.address,
                idempotency_key=key,
                fingerprint=_fingerprint(raw, request) if key is not None else "",
            )
            outcome = await self._bus.execute(envelope)
        except BpmError as error:
            outcome = Outcome(error=error)
        return _reply(registration, outcome, request.request_id)

    async def _permit(self, principal: Principal, registration: Registration, request: Incoming) -> None:
        """Refuse before the fields are looked at; who tried what is written down all the same."""
        try:
            permit(principal, registration.message_type)
        except Forbidden as error:
            await self._bus.note_refusal(principal, registration, request.request_id, request.address, error)
            raise


class JsonAnswer:
    """A success, as bytes that are ready to send."""

    __slots__ = ("_body", "_headers")

    def __init__(self, body: bytes, request_id: str, *, replayed: bool = False) -> None:
        """Take the body; the headers follow from it."""
        self._body = body
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
        ]
        if replayed:
            self._headers.append((b"idempotent-replay", b"true"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def parse_message(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Return the `$type` and the fields beside it; raises `Malformed`."""
    try:
        body = parse_json(raw)
    except StrictJsonError as error:
        raise Malformed(str(error)) from None
    if not isinstance(body, dict):
        raise Malformed('the body must be a JSON object, as in {"$type": "PingQuery"}')
    fields = cast("dict[str, Any]", body)
    name = fields.pop("$type", None)
    if not isinstance(name, str) or not name:
        raise Malformed("$type: must be a string that names a command or query")
    return name, fields


def _idempotency_key(request: Incoming) -> str | None:
    key = request.header(b"idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Malformed("Idempotency-Key: must be 1 to 200 visible ASCII characters")
    return key


def _fingerprint(raw: bytes, request: Incoming) -> str:
    """Return what two requests with one key must have in common: the body, and for whom it is sent."""
    return hashlib.sha256(raw + request.headers.get(ORGANIZATION, b"")).hexdigest()


def _reply(registration: Registration, outcome: Outcome, request_id: str) -> ASGIApp:
    if outcome.error is not None:
        answer = problem_response(outcome.error, request_id, registration.message_type.failed)
        if outcome.replayed:
            answer.headers["Idempotent-Replay"] = "true"
        return answer
    data = registration.dump(outcome.data) if outcome.json is None else outcome.json
    tail = _tail(outcome.message or registration.message_type.succeeded)
    return JsonAnswer(b'{"success":true,"data":' + data + tail, request_id, replayed=outcome.replayed)


@lru_cache(maxsize=1024)
def _tail(message: str) -> bytes:
    return b',"message":' + to_json(message) + b"}"
