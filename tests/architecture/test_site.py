"""The documentation site: it is built without a warning, every link in it leads somewhere, and it fetches nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html

from tests.architecture.pages import DOCS, ROOT

FETCHED = ("script/@src", "img/@src", "link[@rel='stylesheet' or @rel='icon' or @rel='preload']/@href", "iframe/@src")
"""What a browser loads by itself."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make site` builds it."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "PYTHONPATH": ".", "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT / ".site", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    """A link names a page of the site, and its anchor an element there; pages of other sites are not asked."""
    pages = {path: parsed(path) for path in site.rglob("*.html")}
    ids: dict[Path, set[str]] = {path: set(page.xpath("//@id | //a/@name")) for path, page in pages.items()}
    lost = [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        for link in map(str, page.xpath("//a/@href"))
        if path.name != "404.html" and not leads_somewhere(link, path, site, ids)
    ]
    assert lost == []


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    """Scripts, styles, fonts and pictures are its own."""
    assert [found for path in site.rglob("*.html") for found in fetched(path) if urlsplit(found).netloc] == []
    styles = [path for path in site.rglob("*.css") if "url(http" in path.read_text() or "@import" in path.read_text()]
    assert styles == []


def test_every_page_is_in_the_site_and_can_be_searched_for(site: Path) -> None:
    """Each page of the documentation is built and stands in the index of the search."""
    names = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    built = {name.replace("README.html", "index.html") for name in names}
    assert {name for name in built if not (site / name).exists()} == set()
    index = (site / "search" / "search_index.json").read_text()
    assert [name for name in built if f'"location":"{name}"' not in index] == []


def leads_somewhere(link: str, page: Path, site: Path, ids: dict[Path, set[str]]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in {"http", "https", "mailto"}
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    target = target / "index.html" if target.is_dir() else target
    return (
        target.is_relative_to(site)
        and target.exists()
        and (not parts.fragment or unquote(parts.fragment) in ids[target])
    )


def parsed(path: Path) -> Any:
    reader: Any = html
    return reader.parse(path)


def fetched(path: Path) -> Iterator[str]:
    page = parsed(path)
    for place in FETCHED:
        yield from map(str, page.xpath(f"//{place}"))
