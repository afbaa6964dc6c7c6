"""The typed clients are generated, pass their language's type checker, and work against a real server."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess
from clients.generate import (
    CLIENTS,
    LIMIT_SECONDS,
    NODE_TOOLS,
    PYTHON,
    NotGenerated,
    generate_python,
    generate_typescript,
    openapi_document,
    run,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(2 * LIMIT_SECONDS)]

STRICT = {
    "typeCheckingMode": "strict",
    "reportUnnecessaryTypeIgnoreComment": True,
    "extraPaths": ["src"],
    "include": ["tests", "src/bpm_bus_client/client.py", "src/bpm_bus_client/errors.py"],
}


@pytest.fixture(scope="module")
async def environment() -> AsyncIterator[dict[str, str]]:
    """Where a server is, and with which key; it may publish events and read organisations."""
    async with ServerProcess() as server:
        scopes = ["events:read", "events:write", "organizations:read"]
        made = await server.cmd("CreateApiKeyCommand", name="client", scopes=scopes)
        known = {"BPM_URL": server.url, "BPM_TOKEN": made["key"]}
        yield {**known, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD, "NO_PROXY": "127.0.0.1"}


async def test_the_python_client(environment: dict[str, str], tmp_path: Path) -> None:
    """Typed messages, typed answers, typed errors, pages, idempotency and retries."""
    package = copy_of("python", tmp_path, "openapi", PYTHON)
    generate_python(tmp_path / "openapi.json", package / "src" / "bpm_bus_client")
    (package / "pyrightconfig.json").write_text(json.dumps(STRICT))
    pyright = Path(sys.executable).with_name("pyright")
    await in_thread(package, {}, pyright, "--pythonpath", sys.executable, "-p", ".")
    path = {"PYTHONPATH": str(package / "src"), "PYTHONWARNINGS": "error"}
    printed = await in_thread(package, {**environment, **path}, sys.executable, "tests/use.py")
    assert printed.splitlines() == [
        "sends_and_reads_typed_answers",
        "raises_typed_errors",
        "walks_over_pages",
        "has_its_effect_once",
        "signs_in",
        "takes_no_strange_answer",
    ]


@pytest.mark.parametrize(
    ("schemas", "sentence"),
    [
        ({'X: ...\nexec("")\n#Query': {}, 'X: ...\nexec("")\n#QueryAnswer': {}}, "which can't be the name of a class"),
        ({"X.Query": {}, "X.QueryAnswer": {}}, "which can't be the name of a class"),
        ({"Query": {"properties": {"a": {"$ref": "file:///etc/passwd#/x"}}}, "QueryAnswer": {}}, "which is outside it"),
        ({"Query": {"items": [{"$ref": "http://127.0.0.1/x#/x"}]}, "QueryAnswer": {}}, "which is outside it"),
        ({"Query": {"$ref": "#/components/schemas/Gone"}, "QueryAnswer": {}}, "no schema called 'Gone'"),
        ({"XQueryAnswer": {}}, "no schema called 'XQuery'"),
    ],
    ids=["source in a name", "a module in a name", "a file", "an address", "nothing", "an answer to nothing"],
)
def test_a_strange_document_becomes_no_source(schemas: dict[str, object], sentence: str, tmp_path: Path) -> None:
    """Its names would be written into modules, and its references followed."""
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps({"components": {"schemas": schemas}}))
    with pytest.raises(NotGenerated, match=sentence):
        generate_python(document, tmp_path)
    assert list(tmp_path.iterdir()) == [document]


async def test_the_typescript_client(environment: dict[str, str], tmp_path: Path) -> None:
    """The same in TypeScript, compiled and run by Node.js."""
    package = copy_of("typescript", tmp_path, "openapi-typescript", NODE_TOOLS / "tsc")
    generate_typescript(tmp_path / "openapi.json", package)
    tsc = NODE_TOOLS / "tsc"
    await in_thread(package, {}, tsc, "-p", ".")
    assert {"index.js", "index.d.ts", "schema.d.ts"} <= {path.name for path in (package / "dist").iterdir()}
    await in_thread(package, {}, tsc, "-p", "tests")
    printed = await in_thread(package, environment, "node", "tried/tests/use.js")
    assert printed.splitlines() == [
        "sendsAndReadsTypedAnswers",
        "raisesTypedErrors",
        "walksOverPages",
        "hasItsEffectOnce",
        "signsIn",
        "takesNoStrangeAnswer",
    ]


def copy_of(name: str, folder: Path, generator: str, tool: Path) -> Path:
    """Copy a client's sources and write the document beside them; skips without the generators."""
    if not tool.exists() or shutil.which("node") is None:
        pytest.skip(f"{generator}: not installed (make clients)")
    generated = shutil.ignore_patterns("models.py", "operations.py", "schema.ts", "dist", "node_modules")
    shutil.copytree(CLIENTS / name, folder / name, ignore=generated)
    (folder / "openapi.json").write_bytes(openapi_document())
    return folder / name


async def in_thread(folder: Path, more: dict[str, str], *command: str | Path) -> str:
    return await anyio.to_thread.run_sync(partial(run, folder, *command, environment={**os.environ, **more}))
