"""Where parts stand in a folder: what is read there, and what may be written there."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

YAML = (".yaml", ".yml")
MODELS = (".bpmn", ".dmn", ".form")
ENDINGS = (*YAML, *MODELS, ".py")
TESTS = "tests"
"""The folder of the tests, which are no parts."""


def paths_of_parts(root: Path, problems: list[str]) -> Iterator[Path]:
    """Yield the files that may be parts; not those of hidden folders and of the tests.

    What looks like a part and can't be read is added to the problems: passed over in silence, its rule would be pruned.
    """
    found: list[Path] = []
    for place, folders, files in os.walk(root, onerror=lambda error: problems.append(str(error))):
        folders[:] = [name for name in folders if not _is_apart(Path(place, name), root)]
        links = [Path(place, name) for name in folders if Path(place, name).is_symlink()]
        problems.extend(f"{inner_path(link, root)}: is a link to a folder, which is not followed" for link in links)
        found += [path for name in files if ends(name, ENDINGS) and not _is_apart(path := Path(place, name), root)]
    for path in sorted(found):
        if not path.exists():
            problems.append(f"{inner_path(path, root)}: is a link that leads nowhere")
        elif not _is_inside(path, root):
            problems.append(f"{inner_path(path, root)}: is a link out of the folder, which is not followed")
        elif path.is_file():
            yield path


def may_be_part(path: Path, root: Path) -> bool:
    """Tell whether a part may be written to a place; what a server names could be a hook of git's."""
    return _is_inside(path, root) and not _is_apart(path, root) and ends(path.name, ENDINGS)


def inner_path(path: Path, root: Path) -> str:
    """Return the name of a file from the folder."""
    return path.relative_to(root).as_posix()


def ends(name: str, endings: tuple[str, ...]) -> bool:
    """Tell whether a file is of a kind, by the end of its name in letters of any case."""
    return name.lower().endswith(endings)


def composed(name: str) -> str:
    """Return a name with each letter and its marks as one character; macOS lists them apart."""
    return unicodedata.normalize("NFC", name)


def _is_inside(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) and path.resolve().is_relative_to(root.resolve())


def _is_apart(path: Path, root: Path) -> bool:
    """Tell whether a place in the folder is hidden, or of the tests."""
    inner = path.relative_to(root).parts
    return any(each.startswith(".") for each in inner) or inner[0] == TESTS
