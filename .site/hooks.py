"""How the pages of `docs/` become a site: in the order of their kinds, with the pages of the repository's root."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
KINDS = {
    "tutorial": "Tutorial",
    "how-to": "How-to",
    "reference": "Reference",
    "explanation": "Explanation",
    "decisions": "Decisions",
}
ROOT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def github_anchor(title: str, separator: str) -> str:
    """Return the anchor of a heading as GitHub makes it, so that links work in both places."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", separator)


def on_config(config: Any) -> Any:
    """List the pages by their kinds, the index first."""
    docs = Path(config["docs_dir"])
    sections = [
        {title: [f"{kind}/{page.name}" for page in sorted((docs / kind).glob("*.md"))]} for kind, title in KINDS.items()
    ]
    config["nav"] = ["README.md", *sections, {"Examples": ["examples/orders/README.md"]}, {"Project": [*ROOT_PAGES]}]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the repository's root."""
    for name in ROOT_PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links that leave the site, to files of the repository, into the names of these files."""
    docs = Path(config["docs_dir"]).resolve()
    here = ROOT if page.file.src_uri in ROOT_PAGES else (docs / page.file.src_uri).parent
    known = {file.src_uri for file in files}

    def rewritten(found: re.Match[str]) -> str:
        mark, text, link = found.groups()
        path, _, anchor = link.partition("#")
        if "://" in link or not path:
            return found[0]
        target = (here / path).resolve()
        name = target.relative_to(ROOT).as_posix()
        place = name.removeprefix("docs/")
        if place not in known or (place == name and name not in ROOT_PAGES):
            return f"{text} (`{name}`)"
        up = "../" * page.file.src_uri.count("/")
        return f"{mark}[{text}]({up}{place}{'#' + anchor if anchor else ''})"

    kept, start = [], 0
    for fence in FENCE.finditer(markdown):
        kept += [LINK.sub(rewritten, markdown[start : fence.start()]), fence[0]]
        start = fence.end()
    return "".join([*kept, LINK.sub(rewritten, markdown[start:])])
