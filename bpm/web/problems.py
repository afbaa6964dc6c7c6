"""Errors as answers: the only place that knows which error has which HTTP status.

Every answer looks alike: `{"success": false, "data": null, "message": "…", "errors": ["…"]}`, with the
request's id in `X-Request-Id` (status codes of RFC 9110, section 15; 429 of RFC 6585).
"""

from math import ceil

from pydantic_core import to_json
from starlette.responses import Response

from bpm.errors import (
    BpmError,
    Conflict,
    Defect,
    Failed,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)

STATUS: dict[type[BpmError], int] = {
    Refused: 400,
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    Failed: 422,
    RateLimited: 429,
    Unavailable: 503,
}
"""The status of each error and of those below it in the tree; 500 for all others."""


def status_of(error: BpmError) -> int:
    """Return the HTTP status of an error, that of its nearest named ancestor."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem_response(error: BpmError, request_id: str, failed: str = "") -> Response:
    """Return the answer to a request that ended with `error`.

    The answer's message is the error's own, else the `failed` text of the message's class, else the default
    of the error's class. What is our fault says nothing but a fixed sentence and the request's id.
    """
    status = status_of(error)
    headers = {"X-Request-Id": request_id, **_headers(error)}
    if status == 500:
        return _answer(status, Defect().message, [f"The request id is {request_id}"], headers)
    message = error.message if error.has_own_message or not failed else failed
    return _answer(status, message, list(error.errors), headers)


def method_not_allowed(method: str, allowed: str, request_id: str) -> Response:
    """Return the answer to a method that an address does not know; `allowed` lists those it does."""
    sentence = f"{method} is not possible here; use {allowed}"
    return _answer(405, "The method is not allowed.", [sentence], {"X-Request-Id": request_id, "Allow": allowed})


def _headers(error: BpmError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, RateLimited | Unavailable):
        return {"Retry-After": str(max(1, ceil(error.retry_after)))}
    return {}


def _answer(status: int, message: str, errors: list[str], headers: dict[str, str]) -> Response:
    body = to_json({"success": False, "data": None, "message": message, "errors": errors})
    return Response(body, status, headers, "application/json")
