"""Clients that OpenAPI Generator makes of the product's own document compile, and speak to a server."""

import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from bpm.testing import ADMINISTRATOR, ServerProcess
from clients.generate import LIMIT_SECONDS, openapi_document, run
from tests.clients.languages import LANGUAGES

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the generators' folder is laid out as on Unix"),
    pytest.mark.timeout(2 * LIMIT_SECONDS),
]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document of the product as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(openapi_document())
    return path


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[tuple[str, str]]:
    """The address of a server, and a key that may list its users."""
    async with ServerProcess() as server:
        made = await server.cmd("CreateApiKeyCommand", name="reader", scopes=["users:read"])
        yield server.url, made["key"]


@pytest.mark.parametrize("name", LANGUAGES)
async def test_a_client_is_generated_and_works(
    name: str, document: Path, server: tuple[str, str], tmp_path: Path
) -> None:
    """Other people's generators read the document, their compilers what was generated, and the server what it sends."""
    language = LANGUAGES[name]
    if missing := language.missing():
        pytest.skip(f"{', '.join(missing)}: not installed (make clients)")
    await anyio.to_thread.run_sync(language.build, document, tmp_path)
    if language.use:
        printed = await anyio.to_thread.run_sync(partial(run, tmp_path, *language.use, *server))
        assert printed.splitlines() == [ADMINISTRATOR]
