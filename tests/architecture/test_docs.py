"""The words: links lead somewhere, commands exist, pages made from the code are current."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bpm.cli import main
from bpm.signatures import PRESETS
from tests.architecture.docs_generated import PAGES
from tests.architecture.pages import BLOCK, DOCS, README, REFERENCE, ROOT, blocks, named

EVERY_PAGE = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
KINDS = {"tutorial", "how-to", "pictures", "reference", "explanation", "decisions", "examples"}

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
