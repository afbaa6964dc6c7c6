"""The envelope of every answer: `{"success": …, "data": …, "message": "…"}`, and `errors` where it is a refusal."""

from functools import lru_cache

from bpm.edge.answer import JSON, Answer
from bpm.edge.problems import headers_of, status_of
from bpm.errors import BpmError, Defect
from bpm.exact_json import write_json
from bpm.security.identifiers import new_id


def success(data: bytes, message: str, *headers: tuple[str, str]) -> Answer:
    """Return the envelope of a success around `data`, which is JSON."""
    return Answer(200, b'{"success":true,"data":' + data + _message(message) + b"}", JSON, headers)


def problem(error: BpmError, request_id: str, failed: str = "") -> Answer:
    """Return the answer to a request that ended with `error`.

    Its message is `BpmError.message_for` the `failed` text of the message's class. What is our fault says nothing
    but a fixed sentence and the request's id.
    """
    status = status_of(error)
    if status == 500:
        return refusal(status, Defect().message, [f"The request id is {request_id}"])
    return refusal(status, error.message_for(failed), list(error.errors), *headers_of(error))


def closing_problem(error: BpmError) -> tuple[Answer, str]:
    """Return the answer to a request that is not read further, and its id; the connection closes after it."""
    request_id = new_id()
    return problem(error, request_id).with_headers(("connection", "close")), request_id


def refusal(status: int, message: str, errors: list[str], *headers: tuple[str, str]) -> Answer:
    """Return the envelope of a refusal."""
    body = write_json({"success": False, "data": None, "message": message, "errors": errors})
    return Answer(status, body, JSON, headers)


@lru_cache(maxsize=1024)
def _message(text: str) -> bytes:
    return b',"message":' + write_json(text)
