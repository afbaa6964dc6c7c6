"""The pages of the documentation: where they are, their code blocks, and how those are run as written."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any, cast

from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
README = ROOT / "README.md"

Address = tuple[str, str]
"""An address that a page names, and the one that is meant in a test."""
NOWHERE: Address = ("", "")

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    """Return how a test of a page is called."""
    return str(path.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Return the language and text of a page's code blocks in these languages."""
    return [(language, text) for language, text in BLOCK.findall(page.read_text()) if language in languages]


def python_of(page: Path) -> str:
    """Return the page's one module."""
    ((_, source),) = blocks(page, "python")
    return source


def write_package(page: Path, folder: Path) -> None:
    """Write the page's module where its first line says."""
    source = python_of(page)
    path = folder / source.partition("\n")[0].removeprefix("# ")
    path.parent.mkdir()
    (path.parent / "__init__.py").touch()
    path.write_text(source)


async def walk(
    page: Path, server: ServerProcess, folder: Path, receiver: Address = NOWHERE, /, **environment: str
) -> None:
    """Run the page's `sh` blocks in one shell; a `json` block is what the block before it prints last.

    What the page sends to the first address of `receiver` goes to the second.
    """
    found = blocks(page, "sh", "json")
    script = "".join(f"{text}\nprintf '\\0'\n" for language, text in found if language == "sh")
    script = script.replace("http://127.0.0.1:8000", server.url)
    printed = await run(script.replace(*receiver) if receiver[0] else script, server.url, folder, environment)
    outputs = iter(printed.split("\0"))
    output = ""
    for language, text in found:
        if language == "sh":
            output = next(outputs)
        else:
            assert is_like(json.loads(output.strip().splitlines()[-1]), json.loads(text)), output


async def run(script: str, url: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a script of `bash` beside a server, and return what it printed; it fails with the first command that does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BPM_")}
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
        "BPM_URL": url,
        "BPM_USERNAME": ADMINISTRATOR,
        "BPM_PASSWORD": PASSWORD,
    }
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script,
        cwd=folder, env={**inherited, **own, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        printed, complaints = await asyncio.wait_for(shell.communicate(), 900)
    finally:
        with contextlib.suppress(ProcessLookupError):  # what a page leaves running, where one of its commands failed
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, f"{printed.decode()}\n{complaints.decode()}"
    return printed.decode()


def is_like(given: Any, expected: Any) -> bool:
    """Compare with what a page shows, where … stands for anything."""
    if expected == "…":
        return True
    match given, expected:
        case dict(), dict():
            ours, theirs = cast("dict[str, Any]", given), cast("dict[str, Any]", expected)
            return ours.keys() == theirs.keys() and all(is_like(ours[name], theirs[name]) for name in theirs)
        case list(), list():
            items, wanted = cast("list[Any]", given), cast("list[Any]", expected)
            return len(items) == len(wanted) and all(map(is_like, items, wanted))
        case _:
            return given == expected
