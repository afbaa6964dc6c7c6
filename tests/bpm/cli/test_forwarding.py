"""What a program on this machine answers to a request that is forwarded to it."""

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.cli.forwarding import Forwarder

pytestmark = pytest.mark.anyio

REQUEST: dict[str, Any] = {"requestId": "r", "method": "POST", "path": "x", "query": {}, "headers": {}, "body": "{}"}


async def test_an_answer_that_can_not_be_read_is_one(httpserver: HTTPServer) -> None:
    """A program that says it compresses, and does not, has taken the request: `bpm listen` goes on."""
    httpserver.expect_request("/x").respond_with_data(b"abc", status=202, headers={"content-encoding": "gzip"})
    async with Forwarder(httpserver.url_for("/x")) as forwarder:
        answer = await forwarder.send(REQUEST)
    assert (answer.status, "can't be read" in answer.body) == (202, True)
