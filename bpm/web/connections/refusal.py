"""The answer to a request that can't be read: it looks like all others, and nothing comes after it."""

from http import HTTPStatus

from bpm.edge.problems import closing_problem
from bpm.errors import BpmError


def refusal(error: BpmError) -> bytes:
    """Return the whole answer as it is sent."""
    answer = closing_problem(error)
    status = f"HTTP/1.1 {answer.status_code} {HTTPStatus(answer.status_code).phrase}\r\n".encode()
    lines = [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
    return b"".join([status, *lines, b"\r\n", bytes(answer.body)])
