"""What the OpenAPI document says, against a real server: requests made from it by schemathesis."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

SCHEMATHESIS = Path(sys.executable).with_name("st")
DOCUMENTED = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
UNLIMITED = {"BPM_DIALECTS__REQUESTS_PER_MINUTE": "0"}
OWN_TOKEN = "/api/auth/revoke"
"""It would end the session that all others are sent with."""
SEED = "20261122"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[ServerProcess]:
    """A server that takes as many requests as are sent."""
    async with ServerProcess(**UNLIMITED) as running:
        yield running


async def test_every_answer_is_documented(server: ServerProcess) -> None:
    """To requests as the document describes them, each operation answers with a documented status and shape."""
    await generated(server, "--mode", "positive", "--checks", DOCUMENTED, "--max-examples", "15")


async def test_every_message_is_answered_as_documented(server: ServerProcess) -> None:
    """So does the bus, to messages of every type with any values."""
    only = ("--include-path", "/api/bpm/cmd", "--max-examples", "150")
    await generated(server, *only, "--checks", DOCUMENTED)


async def test_no_request_breaks_the_server(server: ServerProcess) -> None:
    """Requests that the document rules out are refused, and the server goes on."""
    await generated(server, "--mode", "negative", "--checks", "not_a_server_error", "--max-examples", "15")
    assert (await server.request("GET", "/readyz")).status == 200


async def generated(server: ServerProcess, *options: str) -> None:
    """Send generated requests; what schemathesis finds, with how to send it again, is the failure's message."""
    process = await asyncio.create_subprocess_exec(
        *(str(SCHEMATHESIS), "run", f"{server.url}/openapi.json", "--no-color", "--phases", "fuzzing"),
        *("--header", f"Authorization: Bearer {server.token}", "--exclude-path", OWN_TOKEN),
        *("--seed", SEED, "--generation-database", "none", "--request-timeout", "20", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
