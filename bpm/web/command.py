"""`POST /api/bpm/cmd`: one JSON object in, through the bus, one JSON object out.

A plain ASGI callable: objects for request and response would cost more than the whole walk through the bus.
The checks stand in this order: method, draining, who is asking, content type, size, JSON, `$type`,
permission, fields; and then the handler's own.
"""

import hashlib
import re
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from bpm.bus import Bus, Envelope, Outcome, Registration
from bpm.edge.answer import Answer, send_answer
from bpm.edge.envelope import problem, success
from bpm.edge.error_boundary import answer_or_problem
from bpm.edge.json_object import json_object
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import ORGANIZATION, Authenticator, Incoming
from bpm.errors import BpmError, Malformed
from bpm.security.causation_header import HEADER as CAUSE
from bpm.settings import Settings
from bpm.threads import beside_loop
from bpm.tracing import TRACEPARENT
from bpm.web.message_address import MessageAddress

PATH = "/api/bpm/cmd"

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class CommandEndpoint(MessageAddress):
    """The address that every message of a client goes through."""

    def __init__(self, bus: Bus, accounts: Authenticator, settings: Settings, lifecycle: Lifecycle) -> None:
        """Stand before the bus."""
        super().__init__(bus, accounts, settings, lifecycle)
        self._limit = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that went away gets none, and what it began is still finished."""
        request = self._incoming(scope, receive)
        answer = await answer_or_problem(request.request_id, self._answer(request))
        if answer is not None:
            await send_answer(send, answer, request.request_id)

    async def _answer(self, request: Incoming) -> Answer:
        principal = await self.admitted(request)
        key = _idempotency_key(request)
        raw = await request.body.read(self._limit)
        name, fields = await beside_loop(len(raw), partial(parse_message, raw), principal.organization_id)
        registration = self._bus.registry.find(name)
        try:
            await self._bus.admit(principal, registration, request.request_id, request.address)
            cause = self._bus.causation.read(request.headers.get(CAUSE))
            self._bus.causes.go_back(principal.organization_id, request.request_id, cause.root)
            envelope = Envelope(
                await beside_loop(
                    len(raw),
                    partial(self._bus.registry.decode, name, fields, are_given_up=True),
                    principal.organization_id,
                ),
                principal,
                request.request_id,
                address=request.address,
                depth=cause.depth,
                idempotency_key=key,
                fingerprint=_fingerprint(raw, request) if key is not None else "",
                traceparent=request.headers.get(TRACEPARENT, ""),
                work_id=request.work_id,
            )
            outcome = await self._bus.execute(envelope)
        except BpmError as error:
            outcome = Outcome(error=error)
        return _reply(registration, outcome, request.request_id)


def parse_message(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Return the `$type` and the fields beside it; raises `Malformed`."""
    fields = json_object(raw, '{"$type": "PingQuery"}')
    name = fields.pop("$type", None)
    if not isinstance(name, str) or not name:
        raise Malformed("$type: must be a string that names a command or query")
    return name, fields


def _idempotency_key(request: Incoming) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Malformed("Idempotency-Key: must be 1 to 200 visible ASCII characters")
    return key


def _fingerprint(raw: bytes, request: Incoming) -> str:
    """Return what two requests with one key must have in common: the body, and for whom it is sent."""
    return hashlib.sha256(raw + request.headers.get(ORGANIZATION, "").encode("latin-1")).hexdigest()


def _reply(registration: Registration, outcome: Outcome, request_id: str) -> Answer:
    replayed = (("idempotent-replay", "true"),) if outcome.replayed else ()
    if outcome.error is not None:
        return problem(outcome.error, request_id, registration.message_type.failed).with_headers(*replayed)
    data = registration.dump(outcome.data) if outcome.json is None else outcome.json
    return success(data, outcome.message or registration.message_type.succeeded, *replayed)
