"""One word, one meaning: few names of classes stand in several files, and some words stand nowhere."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bpm", "commands", "router", "scripts")

HOMONYMS = frozenset(
    {
        "Answer",
        "Call",
        "Check",
        "CreatedWebhook",
        "Described",
        "Dialect",
        "Hint",
        "Limits",
        "Loop",
        "NewWebhook",
        "Node",
        "Organization",
        "Pages",
        "Paging",
        "Parts",
        "Problem",
        "Reply",
        "Run",
        "Start",
        "Subscription",
        "Token",
        "Transaction",
        "View",
        "Way",
        "Webhook",
    }
)
"""Names of classes that several files have. Take one out when it has one place again; none is to be added."""

FORBIDDEN = re.compile(r'seed product|unstrand|^"""So many ', re.IGNORECASE | re.MULTILINE)
"""Words that only the history of the project explains, and a riddle in place of "maximum number of"."""

EXPLAINED = ("Installation", "Lane", "Pace", "Record", "Settlement", "Standing", "Ticket", "Unit", "Wall", "Zygote")
"""Words of the code that a newcomer can't guess the meaning of."""


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_the_names_of_few_classes_stand_in_several_files() -> None:
    """A new class takes a name that no other has; a name that became unique leaves the list."""
    places: dict[str, set[Path]] = defaultdict(set)
    for path in sources():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(path.relative_to(ROOT))
    shared = {name: sorted(map(str, paths)) for name, paths in places.items() if len(paths) > 1}
    assert {name: paths for name, paths in shared.items() if name not in HOMONYMS} == {}
    assert HOMONYMS - shared.keys() == set()


def test_no_word_needs_the_history_of_the_project() -> None:
    """What is compatible with another API names it."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pages = [ROOT / name for name in listed.splitlines() if name.endswith((".py", ".md")) and "test_names" not in name]
    assert [page for page in pages if page.is_file() and FORBIDDEN.search(page.read_text())] == []


def test_the_glossary_explains_each_word_once() -> None:
    """A word has one row, the rows are in order, and no word that needs an explanation lacks it."""
    page = (ROOT / "docs" / "reference" / "glossary.md").read_text()
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", page, re.MULTILINE)
    assert words == sorted(set(words), key=str.lower)
    assert set(EXPLAINED) <= set(words)


def test_a_word_with_a_row_names_one_class() -> None:
    """A class that is called by a word of the glossary, and nothing else, is what the row says; so there is one."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and node.name in EXPLAINED:
                places[node.name].add(f"{path.relative_to(ROOT)}: {node.name}")
    assert {word: found for word, found in places.items() if len(found) > 1} == {}
