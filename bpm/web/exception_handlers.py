"""What Starlette itself refuses, answered like everything else."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bpm.edge.answer import Answer
from bpm.edge.envelope import problem, refusal
from bpm.edge.request import request_id_of
from bpm.errors import Defect, MethodNotAllowed, NotFound


async def http_problem(request: Request, error: Exception) -> Response:
    """Answer an unknown address, a wrong method, and whatever else Starlette refuses."""
    assert isinstance(error, HTTPException)
    request_id = _request_id(request)
    if error.status_code == 404:
        unknown = NotFound(f"nothing is at {request.url.path}", message="No such address.")
        return response_of(problem(unknown, request_id), request_id)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        return response_of(problem(MethodNotAllowed(request.method, allowed), request_id), request_id)
    return response_of(refusal(error.status_code, error.detail, [error.detail]), request_id)


async def defect(request: Request, error: Exception) -> Response:
    """Answer an error nobody expected; Starlette logs it and its trace."""
    request_id = _request_id(request)
    return response_of(problem(Defect(), request_id), request_id)


EXCEPTION_HANDLERS: Mapping[Any, Any] = {HTTPException: http_problem, Exception: defect}
"""For the Starlette application, so that no answer leaves in another shape."""


def response_of(answer: Answer, request_id: str) -> Response:
    """Return an answer as Starlette sends it."""
    response = Response(answer.body, answer.status)
    response.raw_headers = answer.head(request_id)
    return response


def _request_id(request: Request) -> str:
    return request_id_of(request.headers.get("x-request-id"))
