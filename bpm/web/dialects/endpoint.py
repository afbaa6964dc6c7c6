"""The addresses of the REST interfaces: from a request to a call, from its result or refusal to an answer.

The checks stand in this order: method, draining, who is asking, how often, permission, what the interface itself
demands, content type, size, JSON; then the bus's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import parse_qsl

import structlog
from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bpm.bus import Bus
from bpm.bus.behaviors import permit
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.problems import headers_of, status_of
from bpm.edge.request import Authenticator, Disconnected, Incoming, IncomingReader
from bpm.errors import BpmError, Defect, Draining, Forbidden, Malformed, MethodNotAllowed
from bpm.security.permissions import Principal
from bpm.security.strict_json import StrictJsonError, parse_json
from bpm.web.dialects.call import Call
from bpm.web.dialects.dialect import Dialect, Method, Operation
from bpm.web.dialects.throttle import Throttle

log = structlog.get_logger("bpm.web")


@dataclass(frozen=True, slots=True)
class Parts:
    """What every interface stands on."""

    bus: Bus
    accounts: Authenticator
    lifecycle: Lifecycle
    throttle: Throttle
    incoming: IncomingReader
    max_body_bytes: int


class DialectEndpoint:
    """One address of an interface, with its methods."""

    def __init__(self, dialect: Dialect, operations: Sequence[Operation], parts: Parts) -> None:
        """Take the operations at this address."""
        self._dialect = dialect
        self._operations: Mapping[Method, Operation] = {operation.method: operation for operation in operations}
        self._answers = {operation.method: TypeAdapter[Any](operation.answer) for operation in operations}
        self._allowed = ", ".join(self._operations)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that went away gets none. HEAD is answered as GET, without the body."""
        request = self._parts.incoming(scope, receive)
        is_head = request.method == "HEAD"
        operation = self._operations.get("GET" if is_head else request.method)
        try:
            response = await self._response(operation, request, scope)
        except Disconnected:
            return
        except BpmError as error:
            response = self._refusal(error, operation, request)
        except Exception as error:
            log.exception("request failed", request_id=request.request_id, exc_info=error)
            response = self._refusal(Defect(), operation, request)
        response.headers["Cache-Control"] = "no-store"
        if is_head:
            response.body = b""
        await response(scope, receive, send)

    async def _response(self, operation: Operation | None, request: Incoming, scope: Scope) -> Response:
        if request.method == "OPTIONS":
            return Response(None, 204, {"Allow": self._allowed, "X-Request-Id": request.request_id})
        if operation is None:
            raise MethodNotAllowed(request.method, self._allowed)
        call = await self._admitted(operation, request, scope)
        if operation.body is not None:
            call = replace(call, body=await self._body(request))
        result = await operation.work(call)
        headers = {"X-Request-Id": request.request_id}
        if operation.answer is None:
            return Response(None, operation.status, headers)
        body = self._answers[operation.method].dump_json(result)
        return Response(body, operation.status, headers, "application/json")

    async def _admitted(self, operation: Operation, request: Incoming, scope: Scope) -> Call:
        parts = self._parts
        if parts.lifecycle.draining:
            raise Draining
        principal = await request.caller(parts.accounts)
        principal = principal.lending(principal.in_dialects)
        parts.throttle.admit(principal)
        await self._permit(principal, operation, request)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return await self._dialect.admit(
            Call(parts.bus, parts.accounts, principal, request, scope["path_params"], query, {})
        )

    async def _permit(self, principal: Principal, operation: Operation, request: Incoming) -> None:
        """Refuse before the body is read; who tried what is written down all the same."""
        bus = self._parts.bus
        registration = bus.registry.find(operation.message)
        try:
            permit(principal, registration.message_type)
        except Forbidden as error:
            await bus.note_refusal(principal, registration, request.request_id, request.address, error)
            raise

    async def _body(self, request: Incoming) -> Mapping[str, Any]:
        request.require_json()
        raw = await request.body(self._parts.max_body_bytes)
        try:
            body = parse_json(raw)
        except StrictJsonError as error:
            raise Malformed(str(error)) from None
        if not isinstance(body, dict):
            raise Malformed("the body must be a JSON object")
        return cast("dict[str, Any]", body)

    def _refusal(self, error: BpmError, operation: Operation | None, request: Incoming) -> Response:
        headers = {"X-Request-Id": request.request_id, **headers_of(error)}
        body = to_json(self._dialect.problem(error, operation, request))
        return Response(body, status_of(error), headers, "application/json")


def routes_of(dialect: Dialect, parts: Parts) -> list[Route]:
    """Return a route for each address of an interface, in the order of its operations."""
    by_path: dict[str, list[Operation]] = {}
    for operation in dialect.operations:
        by_path.setdefault(operation.path, []).append(operation)
    return [Route(path, DialectEndpoint(dialect, operations, parts)) for path, operations in by_path.items()]
