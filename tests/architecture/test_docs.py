"""The words: links lead somewhere, commands exist, walks work as written, pages made from the code are current."""

import asyncio
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from typer.main import get_command

from bpm.bus import Registry
from bpm.cli import main
from bpm.signatures import PRESETS
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess
from bpm.testing.process import free_port
from router.providers import Call, Refusal
from tests.architecture.docs_generated import PAGES

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
README = ROOT / "README.md"
FILES = DOCS / "how-to" / "keep-rules-as-files.md"
EVERY_PAGE = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
KINDS = {"tutorial", "how-to", "pictures", "reference", "explanation", "decisions", "examples"}

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
REPOSITORY_PATH = re.compile(r"(?:bpm|commands|router|scripts|tests|docs|\.ci|\.lock)/[\w./-]*")
COMMAND_LINE = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?bpm (.+)$")

WORDS = (
    "Command",
    "Query",
    "Handler",
    "Bus",
    "Behavior",
    "Envelope",
    "Inbox",
    "Job",
    "Delivery",
    "Attempt",
    "Dead letter",
    "Subscription",
    "Endpoint",
    "Process definition",
    "Process instance",
    "Token",
    "Incident",
)
"""The words of the field that names in the code are made of."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_history(page: Path) -> bool:
    """Whether a page tells what was so when it was written."""
    return page.parent.name == "decisions" or page.name == "CHANGELOG.md"


@pytest.mark.parametrize("page", EVERY_PAGE, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    """What a relative link names is a file of the repository, and its anchor a heading there."""
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


def test_every_page_is_found_from_the_readme() -> None:
    """Following links from the README, one comes by every page."""
    found, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        new = {target for target in targets if target.suffix == ".md"} - found
        found |= new
        waiting += new
    assert set(EVERY_PAGE) - found == set()


def test_every_page_stands_by_its_kind() -> None:
    """Pages are tutorials, how-tos, reference or explanation; only the index stands beside the folders."""
    assert [page.name for page in DOCS.glob("*.md")] == ["README.md"]
    assert {path.name for path in DOCS.iterdir() if path.is_dir()} == KINDS


def test_every_page_stands_in_the_index() -> None:
    """The index links each page of the four kinds, and the list of decisions each decision."""
    indexed = {(DOCS / link).resolve() for link in links(DOCS / "README.md")}
    pages = {page for kind in ("tutorial", "how-to", "reference", "explanation") for page in (DOCS / kind).glob("*.md")}
    decisions = {page.resolve() for page in (DOCS / "decisions").glob("*.md")} - {DOCS / "decisions" / "README.md"}
    listed = {(DOCS / "decisions" / link).resolve() for link in links(DOCS / "decisions" / "README.md")}
    assert (pages - indexed, decisions - listed) == (set(), set())


def test_names_of_pages_differ_by_more_than_a_letter() -> None:
    """`process` and `processes` would be told apart by nobody."""
    names = {page.stem.lower() for page in DOCS.rglob("*.md")}
    assert [name for name in names if {f"{name}s", f"{name}es"} & names] == []


@pytest.mark.parametrize("page", [page for page in EVERY_PAGE if not is_history(page)], ids=named)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    """A path of the repository in a code span names a file or folder."""
    paths = [span for span in SPAN.findall(BLOCK.sub("", page.read_text())) if REPOSITORY_PATH.fullmatch(span)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", EVERY_PAGE, ids=named)
def test_every_command_of_the_command_line_exists(page: Path) -> None:
    """What a page writes after `bpm` is a command, and the options are its own."""
    assert [line for line in command_lines(page.read_text()) if not exists(line)] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_current(name: str) -> None:
    """`python -m tests.architecture.docs_generated` would write the page as it is."""
    assert (DOCS / name).read_text() == PAGES[name]()


def test_every_word_has_its_meaning() -> None:
    """Each of the field's words stands in the glossary once."""
    glossary = (REFERENCE / "glossary.md").read_text()
    assert {word: glossary.count(f"**{word}**") for word in WORDS} == dict.fromkeys(WORDS, 1)


def test_the_floors_are_those_that_are_checked() -> None:
    """The README draws the floors of `pyproject.toml`, numbered from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    drawn = next(text for _, text in blocks(README, "text") if "bpm.bus" in text)
    assert drawn.splitlines() == [f"{number:<2} {layer}" for number, layer in enumerate(layers, 1)]


def test_every_preset_stands_in_the_table() -> None:
    """The page of the presets describes each, and the router's page leads there."""
    page = (REFERENCE / "presets.md").read_text()
    assert [name for name in PRESETS if f"\n| [`{name}`](#{name}) |" not in page] == []
    assert "(presets.md)" in (REFERENCE / "router.md").read_text()


@pytest.mark.parametrize(
    "page", [README, *sorted((DOCS / "tutorial").glob("*.md")), DOCS / "how-to" / "watch.md"], ids=named
)
async def test_a_walk_works_as_written(page: Path, tmp_path: Path) -> None:
    """Against a new server every command of the page succeeds and prints what the page shows."""
    async with ServerProcess() as server:
        await walk(page, server, tmp_path)


@pytest.mark.parametrize("page", [REFERENCE / "dialects.md", REFERENCE / "organizations.md", FILES], ids=named)
async def test_the_requests_work_as_written(page: Path, tmp_path: Path) -> None:
    """The requests of the page work against a server that does not look for their receivers."""
    async with ServerProcess(BPM_DELIVERY__PROBE="off") as server:
        await walk(page, server, tmp_path)


async def test_the_command_of_the_recipe_works_as_written(tmp_path: Path) -> None:
    """The package of the recipe is discovered and answers what the page shows."""
    write_package(DOCS / "how-to" / "write-a-command.md", tmp_path)
    own = {"BPM_COMMAND_PACKAGES": "greetings", "PYTHONPATH": str(tmp_path)}
    async with ServerProcess(**own) as server:
        await walk(DOCS / "how-to" / "write-a-command.md", server, tmp_path, **own)


async def test_the_first_confirmed_payment_works_as_written(tmp_path: Path, httpserver: HTTPServer) -> None:
    """With a double of Remita that was paid what the page says."""
    paid = {"status": "00", "message": "Approved", "amount": 5000, "RRR": "110008236686"}
    httpserver.expect_request(re.compile(r"/2547916/110008236686/\w+/status.reg")).respond_with_json(paid)
    secret = {"BPM_MONO__WEBHOOK_SECRET": "a-secret-of-the-tests"}
    url = httpserver.url_for("")
    remita = {"MERCHANT_ID": "2547916", "API_KEY": "1946", "ALLOWED_IPS": "127.0.0.1", "BASE_URL": url}
    settings = {f"BPM_REMITA__{name}": value for name, value in remita.items()}
    async with ServerProcess(**secret, **settings) as server:
        page = DOCS / "how-to" / "take-remita-and-mono-payments.md"
        await walk(page, server, tmp_path, MONO_WEBHOOK_SECRET=secret["BPM_MONO__WEBHOOK_SECRET"])


@pytest.mark.embedded
@pytest.mark.timeout(900)
async def test_a_year_of_an_operator_works_as_written(tmp_path: Path) -> None:
    """Back up, lose the machine, restore, upgrade and compact, in the order of the page."""
    port = free_port()
    commands = "".join(text for _, text in blocks(DOCS / "how-to" / "run-for-years.md", "sh"))
    script = "trap 'jobs -p | xargs --no-run-if-empty kill -9' EXIT\n" + commands.replace("8000", str(port))
    printed = await run(script, f"http://127.0.0.1:{port}", tmp_path, {})
    assert "restored" in printed
    assert "MB now" in printed
    assert (tmp_path / "backups" / "monday" / "manifest.json").exists()


def test_the_provider_of_the_recipe_works_as_written() -> None:
    """The module of the recipe recognises its requests, and what it reads is a valid message."""
    module: dict[str, Any] = {}
    exec(python_of(DOCS / "how-to" / "write-a-provider.md"), module)  # noqa: S102 our own page
    (route,) = module["provider"](module["AcmeSettings"](secret=SecretStr("s3cret"))).routes
    call = Call("POST", {"x-acme-secret": "s3cret"}, {}, b'{"shipment": "S-1", "status": "sent"}', "127.0.0.1")
    registry = Registry()
    registry.discover("commands")
    reception = route.read(call)
    assert route.verify(call) is None
    assert route.verify(Call("POST", {}, {}, call.body, call.address))
    assert type(registry.decode(reception.message_type, reception.fields)).__name__ == "PublishEventCommand"
    with pytest.raises(Refusal, match="both are required"):
        route.read(Call("POST", call.headers, {}, b"{}", call.address))


def links(page: Path) -> list[str]:
    """Return the relative links of a page, code left out."""
    prose = SPAN.sub("", BLOCK.sub("", page.read_text()))
    return [link for link in LINK.findall(prose) if "://" not in link]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = HEADING.findall(BLOCK.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(text: str) -> Iterator[str]:
    """Return what stands after `bpm` in code blocks and code spans."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    for line in [*lines, *SPAN.findall(BLOCK.sub("", text))]:
        if found := COMMAND_LINE.match(line.strip()):
            yield found[1]


def exists(line: str) -> bool:
    words = line.partition(" #")[0].split()
    command: Any = get_command(main)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    is_complete = getattr(command, "invoke_without_command", True) or words == ["--help"]
    return is_complete and {word for word in words if word.startswith("--")} <= {*options, "--help"}


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


async def walk(page: Path, server: ServerProcess, folder: Path, **environment: str) -> None:
    """Run the page's `sh` blocks in one shell; a `json` block is what the block before it prints last."""
    found = blocks(page, "sh", "json")
    script = "".join(f"{text}\nprintf '\\0'\n" for language, text in found if language == "sh")
    printed = await run(script.replace("http://127.0.0.1:8000", server.url), server.url, folder, environment)
    outputs = iter(printed.split("\0"))
    output = ""
    for language, text in found:
        if language == "sh":
            output = next(outputs)
        else:
            assert is_like(json.loads(output.strip().splitlines()[-1]), json.loads(text)), output


async def run(script: str, url: str, folder: Path, environment: dict[str, str]) -> str:
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
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, complaints = await asyncio.wait_for(shell.communicate(), 900)
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
