"""Errors become answers with the right status, headers and sentences."""

import inspect
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import bpm.errors
from bpm.edge.problems import EXCEPTION_HANDLERS, problem_response, status_of
from bpm.errors import (
    BpmError,
    Defect,
    Forbidden,
    MethodNotAllowed,
    Misconfigured,
    NotFound,
    RateLimited,
    StorageUnavailable,
    Unauthenticated,
)

STATUSES = {
    "BpmError": 500,
    "Refused": 400,
    "Malformed": 400,
    "Unauthenticated": 401,
    "Unverified": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "TooLarge": 413,
    "HeadTooLarge": 431,
    "TooSlow": 408,
    "UnsupportedMedia": 415,
    "Invalid": 422,
    "RateLimited": 429,
    "Unavailable": 503,
    "Overloaded": 503,
    "StorageUnavailable": 503,
    "Draining": 503,
    "Failed": 422,
    "Exhausted": 422,
    "Poisoned": 422,
    "TooCostly": 422,
    "TookTooLong": 422,
    "Fenced": 409,
    "Defect": 500,
    "Misconfigured": 500,
}


def error_types() -> list[type[BpmError]]:
    members = vars(bpm.errors).values()
    return [m for m in members if inspect.isclass(m) and issubclass(m, BpmError)]


@pytest.mark.parametrize("kind", error_types(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_status(kind: type[BpmError]) -> None:
    """Every class of the error tree answers with the status of the table."""
    error = MethodNotAllowed("GET", "POST") if kind is MethodNotAllowed else kind()
    assert status_of(error) == STATUSES[kind.__name__]


def test_an_answer_has_the_whole_envelope() -> None:
    """A failure answers with success, data, message and errors, and with the request's id."""
    response = problem_response(NotFound("Configuration not found"), "r-1", "Update failed")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"] == "r-1"
    assert json.loads(bytes(response.body)) == {
        "success": False,
        "data": None,
        "message": "Update failed",
        "errors": ["Configuration not found"],
    }


@pytest.mark.parametrize(
    ("error", "failed", "message"),
    [
        (NotFound("x", message="Configuration not found"), "Update failed", "Configuration not found"),
        (NotFound("x"), "Update failed", "Update failed"),
        (NotFound("x"), "", "There is no such thing."),
        (Forbidden("x"), "Validation failed", "You do not have the permission for this."),
        (StorageUnavailable(), "Validation failed", StorageUnavailable().message),
    ],
)
def test_the_message_is_the_most_particular_one(error: BpmError, failed: str, message: str) -> None:
    """The error's own message wins over the message class's text, and that over most error classes' own."""
    assert json.loads(bytes(problem_response(error, "r", failed).body))["message"] == message


@pytest.mark.parametrize("error", [Defect("secret path /etc"), Misconfigured("password is x"), BpmError("trace")])
def test_our_fault_tells_nothing_but_the_request_id(error: BpmError) -> None:
    """An answer with status 500 holds a fixed sentence and the request's id, whatever the error says."""
    response = problem_response(error, "r-7", "Update failed")
    body = json.loads(bytes(response.body))
    assert response.status_code == 500
    assert body["message"] == Defect().message
    assert body["errors"] == ["The request id is r-7"]


@pytest.mark.parametrize(("seconds", "header"), [(0, "1"), (0.2, "1"), (1, "1"), (1.2, "2"), (30, "30")])
def test_retry_after_is_whole_seconds(seconds: float, header: str) -> None:
    """`Retry-After` is rounded up to whole seconds and is never zero."""
    assert problem_response(RateLimited(retry_after=seconds), "r").headers["retry-after"] == header
    assert problem_response(StorageUnavailable(retry_after=seconds), "r").headers["retry-after"] == header


def test_an_unknown_caller_learns_the_scheme() -> None:
    """A 401 names the scheme by which to sign in."""
    assert problem_response(Unauthenticated(), "r").headers["www-authenticate"] == "Bearer"


def test_a_wrong_method_learns_the_right_one() -> None:
    """A 405 names the allowed methods in its header and in its sentence."""
    response = problem_response(MethodNotAllowed("GET", "POST"), "r-1")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.headers["x-request-id"] == "r-1"
    assert json.loads(bytes(response.body))["errors"] == ["GET is not possible here; use POST"]


async def broken(request: Request) -> Response:
    """Fail as no handler should."""
    raise RuntimeError("secret path /etc")


@pytest.fixture
async def pages() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/broken", broken, methods=["POST"])]
    app = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm") as client:
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nowhere", 404, "nothing is at /nowhere"),
        ("GET", "/broken", 405, "GET is not possible here; use POST"),
        ("POST", "/broken", 500, "The request id is r-9"),
    ],
)
async def test_what_starlette_refuses_looks_the_same(
    pages: httpx.AsyncClient, method: str, path: str, status: int, sentence: str
) -> None:
    """Unknown addresses, wrong methods and unexpected errors answer in the common envelope too."""
    response = await pages.request(method, path, headers={"X-Request-Id": "r-9"})
    assert response.status_code == status
    assert response.headers["x-request-id"] == "r-9"
    body = response.json()
    assert set(body) == {"success", "data", "message", "errors"}
    assert body["errors"] == [sentence]
