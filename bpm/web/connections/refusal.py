"""The answer to a request that can't be read: it looks like all others, and nothing comes after it."""

from http import HTTPStatus

from bpm.edge.envelope import closing_problem
from bpm.errors import BpmError


def refusal(error: BpmError) -> bytes:
    """Return the whole answer as it is sent."""
    answer, request_id = closing_problem(error)
    status = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n".encode()
    lines = [name + b": " + value + b"\r\n" for name, value in answer.head(request_id)]
    return b"".join([status, *lines, b"\r\n", answer.body])
