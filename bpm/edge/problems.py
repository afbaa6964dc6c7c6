"""Errors as answers: the only place that knows which error has which HTTP status.

Every answer looks alike: `{"success": false, "data": null, "message": "…", "errors": ["…"]}`, with the
request's id in `X-Request-Id` (status codes of RFC 9110, section 15; 429 of RFC 6585).
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bpm.edge.request import request_id_of
from bpm.errors import (
    BpmError,
    Conflict,
    Defect,
    Failed,
    Fenced,
    Forbidden,
    HeadTooLarge,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    Refused,
    TooCostly,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
    Unverified,
)
from bpm.security.identifiers import new_id

STATUS: dict[type[BpmError], int] = {
    Refused: 400,
    Malformed: 400,
    Unauthenticated: 401,
    Unverified: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooSlow: 408,
    Conflict: 409,
    Fenced: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    TooCostly: 422,
    Failed: 422,
    RateLimited: 429,
    HeadTooLarge: 431,
    Unavailable: 503,
}
"""The status of each error and of those below it in the tree; 500 for all others."""


def status_of(error: BpmError) -> int:
    """Return the HTTP status of an error, that of its nearest named ancestor."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem_response(error: BpmError, request_id: str, failed: str = "") -> Response:
    """Return the answer to a request that ended with `error`.

    The answer's message is `BpmError.message_for` the `failed` text of the message's class. What is our fault
    says nothing but a fixed sentence and the request's id.
    """
    status = status_of(error)
    headers = {"X-Request-Id": request_id, **headers_of(error)}
    if status == 500:
        return _answer(status, Defect().message, [f"The request id is {request_id}"], headers)
    return _answer(status, error.message_for(failed), list(error.errors), headers)


def closing_problem(error: BpmError) -> Response:
    """Return the answer to a request that is not read further: its connection closes, and no id of its own is taken."""
    answer = problem_response(error, new_id())
    answer.headers["Connection"] = "close"
    return answer


def headers_of(error: BpmError) -> dict[str, str]:
    """Return the headers that an error's status asks for."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, Unverified):  # a 401 must name a way to prove oneself (RFC 9110, section 15.5.2)
        return {"WWW-Authenticate": "Signature"}
    if isinstance(error, MethodNotAllowed):
        return {"Allow": error.allowed}
    if isinstance(error, TooSlow):
        return {"Connection": "close"}
    if isinstance(error, RateLimited | Unavailable):
        return {"Retry-After": str(max(1, ceil(error.retry_after)))}
    return {}


async def http_problem(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses, an unknown address or method first of all, like everything else."""
    assert isinstance(error, HTTPException)
    request_id = request_id_of(request.headers.get("x-request-id"))
    if error.status_code == 404:
        return problem_response(NotFound(f"nothing is at {request.url.path}", message="No such address."), request_id)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        return problem_response(MethodNotAllowed(request.method, allowed), request_id)
    return _answer(error.status_code, error.detail, [error.detail], {"X-Request-Id": request_id})


async def defect(request: Request, error: Exception) -> Response:
    """Answer an error nobody expected; Starlette logs it and its trace."""
    return problem_response(Defect(), request_id_of(request.headers.get("x-request-id")))


EXCEPTION_HANDLERS: Mapping[Any, Any] = {HTTPException: http_problem, Exception: defect}
"""For the Starlette application, so that no answer leaves in another shape."""


def _answer(status: int, message: str, errors: list[str], headers: dict[str, str]) -> Response:
    body = to_json({"success": False, "data": None, "message": message, "errors": errors})
    return Response(body, status, headers, "application/json")
