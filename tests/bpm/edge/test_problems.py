"""Errors become answers with the right status, headers and sentences."""

import inspect
import json

import pytest

import bpm.errors
from bpm.edge.envelope import problem
from bpm.edge.problems import status_of
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
    "SwitchedOff": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "StillRunning": 422,
    "TooLarge": 413,
    "HeadTooLarge": 431,
    "TooSlow": 408,
    "UnsupportedMedia": 415,
    "Invalid": 422,
    "RateLimited": 429,
    "Unavailable": 503,
    "Overloaded": 503,
    "StorageUnavailable": 503,
    "NoTurn": 503,
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
    response = problem(NotFound("Configuration not found"), "r-1", "Update failed")
    assert response.status == 404
    assert response.content_type == "application/json"
    assert (b"x-request-id", b"r-1") in response.head("r-1")
    assert json.loads(response.body) == {
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
    assert json.loads(problem(error, "r", failed).body)["message"] == message


@pytest.mark.parametrize("error", [Defect("secret path /etc"), Misconfigured("password is x"), BpmError("trace")])
def test_our_fault_tells_nothing_but_the_request_id(error: BpmError) -> None:
    """An answer with status 500 holds a fixed sentence and the request's id, whatever the error says."""
    response = problem(error, "r-7", "Update failed")
    body = json.loads(response.body)
    assert response.status == 500
    assert body["message"] == Defect().message
    assert body["errors"] == ["The request id is r-7"]


@pytest.mark.parametrize(("seconds", "header"), [(0, "1"), (0.2, "1"), (1, "1"), (1.2, "2"), (30, "30")])
def test_retry_after_is_whole_seconds(seconds: float, header: str) -> None:
    """`Retry-After` is rounded up to whole seconds and is never zero."""
    assert dict(problem(RateLimited(retry_after=seconds), "r").headers)["retry-after"] == header
    assert dict(problem(StorageUnavailable(retry_after=seconds), "r").headers)["retry-after"] == header


def test_an_unknown_caller_learns_the_scheme() -> None:
    """A 401 names the scheme by which to sign in."""
    assert dict(problem(Unauthenticated(), "r").headers)["www-authenticate"] == "Bearer"


def test_a_wrong_method_learns_the_right_one() -> None:
    """A 405 names the allowed methods in its header and in its sentence."""
    response = problem(MethodNotAllowed("GET", "POST"), "r-1")
    assert response.status == 405
    assert dict(response.headers)["allow"] == "POST"
    assert (b"x-request-id", b"r-1") in response.head("r-1")
    assert json.loads(response.body)["errors"] == ["GET is not possible here; use POST"]
