"""The addresses of the REST interfaces: from a request to a call, from its result or refusal to an answer.

The checks stand in this order: method, draining, who is asking, how often, permission, what the interface itself
demands, content type, size, JSON; then the bus's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from pydantic import TypeAdapter
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bpm.bus import Bus
from bpm.edge.answer import JSON, NO_STORE, Answer, send_answer
from bpm.edge.error_boundary import answer_or_problem
from bpm.edge.json_object import json_object
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.problems import headers_of, status_of
from bpm.edge.request import Authenticator, Incoming, IncomingReader
from bpm.errors import BpmError, Draining, MethodNotAllowed
from bpm.exact_json import write_json
from bpm.web.dialects.call import Call
from bpm.web.dialects.dialect import Dialect, Method, Operation
from bpm.web.dialects.throttle import Throttle

MAX_BODY_BYTES = 64 * 1024
"""More than a webhook with as many events as it may have takes: a body is read and checked while others wait."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every interface stands on."""

    bus: Bus
    accounts: Authenticator
    lifecycle: Lifecycle
    throttle: Throttle
    incoming: IncomingReader


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
        answer = await answer_or_problem(
            request.request_id,
            self._answer(operation, request, scope),
            lambda error, _: self._refusal(error, operation, request),
        )
        if answer is not None:
            await send_answer(send, answer.with_headers(NO_STORE), request.request_id, is_head=is_head)

    async def _answer(self, operation: Operation | None, request: Incoming, scope: Scope) -> Answer:
        if request.method == "OPTIONS":
            return Answer(204, headers=(("allow", self._allowed),))
        if operation is None:
            raise MethodNotAllowed(request.method, self._allowed)
        call = await self._admitted(operation, request, scope)
        if operation.body is not None:
            call = replace(call, body=await self._body(request))
        result = await operation.work(call)
        if operation.answer is None:
            return Answer(operation.status)
        return Answer(operation.status, self._answers[operation.method].dump_json(result), JSON)

    async def _admitted(self, operation: Operation, request: Incoming, scope: Scope) -> Call:
        parts = self._parts
        if parts.lifecycle.draining:
            raise Draining
        principal = await request.caller(parts.accounts)
        principal = principal.lending(principal.in_dialects)
        parts.throttle.admit(principal)
        registration = parts.bus.registry.find(operation.message)
        await parts.bus.admit(principal, registration, request.request_id, request.address)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return await self._dialect.admit(
            Call(parts.bus, parts.accounts, principal, request, scope["path_params"], query, {})
        )

    async def _body(self, request: Incoming) -> Mapping[str, Any]:
        request.require_json()
        return json_object(await request.body.read(MAX_BODY_BYTES))

    def _refusal(self, error: BpmError, operation: Operation | None, request: Incoming) -> Answer:
        body = write_json(self._dialect.problem(error, operation, request))
        return Answer(status_of(error), body, JSON, headers_of(error))


def routes_of(dialect: Dialect, parts: Parts) -> list[Route]:
    """Return a route for each address of an interface, in the order of its operations."""
    by_path: dict[str, list[Operation]] = {}
    for operation in dialect.operations:
        by_path.setdefault(operation.path, []).append(operation)
    return [Route(path, DialectEndpoint(dialect, operations, parts)) for path, operations in by_path.items()]
