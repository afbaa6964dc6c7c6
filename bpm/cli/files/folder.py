"""Reads a folder of files as the parts of a configuration, and writes parts as such a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bpm.cli.files.places import MODELS, YAML, composed, ends, inner_path, may_be_part, paths_of_parts
from bpm.cli.files.yaml_text import YamlError, read_documents, write_documents

MAX_FILES = 1_000
MAX_BYTES = 16 * 1024 * 1024


class FolderError(Exception):
    """A folder can't be read as a configuration; `sentences` says why, each with its file."""

    def __init__(self, *sentences: str) -> None:
        """Take a sentence for each thing that is wrong."""
        super().__init__("; ".join(sentences))
        self.sentences = sentences


@dataclass
class Folder:
    """The parts of a folder, the texts that they name, and where each part stands."""

    parts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    files: dict[str, str] = field(default_factory=dict[str, str])
    places: list[str] = field(default_factory=list[str])

    def add(self, place: str, part: dict[str, Any]) -> None:
        """Add a part that stands in a file."""
        self.places.append(place)
        self.parts.append(part)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the messages that take a configuration."""
        return {"parts": self.parts, "files": self.files}


def read_folder(root: Path) -> Folder:
    """Read every part in a folder; raises `FolderError` with everything that can't be read."""
    if not root.is_dir():
        raise FolderError(f"{root} is not a folder")
    texts, problems = _texts(root)
    folder = Folder()
    for name in texts:
        if ends(name, YAML):
            problems += _add_documents(folder, name, texts)
    named = {str(part.get("script") or part.get("file")) for part in folder.parts}
    folder.files |= {name: texts[name] for name in named if name in texts}
    for name, text in texts.items():
        if ends(name, MODELS) and name not in named:
            problems += _add_model(folder, name, text)
    if problems:
        raise FolderError(*problems)
    return folder


def write_folder(root: Path, parts: list[dict[str, Any]], files: Mapping[str, str]) -> list[str]:
    """Write parts and their texts; return the names of the files, which replace what stands there."""
    written = {**files, **_documents(parts, files)}
    for name, text in written.items():
        place = root / name
        if not may_be_part(place, root):
            raise FolderError(f"{name!r} is no place for a part: it lies outside the folder, is hidden, or is no model")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    return sorted(written)


def _documents(parts: list[dict[str, Any]], files: Mapping[str, str]) -> dict[str, str]:
    """Return the YAML files; a model that says everything itself has none."""
    written, taken = dict[str, list[Any]](), dict[str, str]()
    for part in parts:
        name = part.get("script") or part.get("file") or f"rules/{part['key'].lstrip('.') or '_'}.yaml"
        document = {**part}
        for reference in ("script", "file"):
            if reference in part:
                document[reference] = Path(part[reference]).name
        place = str(Path(name).with_suffix(".yaml"))
        written.setdefault(taken.setdefault(place.lower(), place), []).append(document)
    return {
        name: write_documents(documents)
        for name, documents in written.items()
        if not _says_it_itself(documents, files.get(_text_of(name, documents), ""))
    }


def _text_of(name: str, documents: list[Any]) -> str:
    return str(Path(name).with_name(str(documents[0].get("file"))))


def _says_it_itself(documents: list[Any], text: str) -> bool:
    """Tell whether a model, read alone, is these parts."""
    if any(set(one) != {"kind", "key", "file"} for one in documents):
        return False
    alone = Folder()
    name = documents[0]["file"]
    return not _add_model(alone, name, text) and sorted(alone.parts, key=str) == sorted(documents, key=str)


def _texts(root: Path) -> tuple[dict[str, str], list[str]]:
    """Return the texts of a folder by their names, and what can't be read."""
    texts, problems, size = dict[str, str](), list[str](), 0
    for path in paths_of_parts(root, problems):
        name = composed(inner_path(path, root))
        try:
            size += path.stat().st_size
            if len(texts) >= MAX_FILES or size > MAX_BYTES:
                raise FolderError(f"{root} holds more than {MAX_FILES} files or {MAX_BYTES // 1024 // 1024} MiB")
            texts[name] = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}: can't be read: {error}")
    return texts, problems


def _add_documents(folder: Folder, name: str, texts: Mapping[str, str]) -> list[str]:
    """Add the parts of a YAML file; return what is wrong with them."""
    if not texts[name].strip():
        return [f"{name}: is empty; delete it, unless it was being written just now"]
    try:
        documents = read_documents(texts[name])
    except YamlError as error:
        return [f"{name}: {error}"]
    problems: list[str] = []
    for document in documents:
        if not isinstance(document, dict):
            problems.append(f"{name}: must hold mappings with kind and key")
            continue
        part = cast("dict[str, Any]", document)
        for reference in ("script", "file"):
            if isinstance(part.get(reference), str):
                part[reference] = _from_root(name, part[reference])
        folder.add(name, part)
    return problems


def _from_root(name: str, reference: str) -> str:
    """Return the name of a file from the folder's root; it is written from that of the file which names it."""
    steps: list[str] = []
    for step in [*Path(name).parent.parts, *reference.split("/")]:
        if step == ".." and steps:
            steps.pop()
        elif step not in (".", ""):
            steps.append(step)
    return composed("/".join(steps))


def _add_model(folder: Folder, name: str, text: str) -> list[str]:
    """Add the parts of a model that no YAML file names: each process, decision or form in it."""
    from bpm.model_files.problems import InvalidDefinition

    try:
        kind, keys = _keys_in(name, text)
    except InvalidDefinition as invalid:
        return [f"{name}: {sentence}" for sentence in invalid.errors]
    folder.files[name] = text
    for key in keys:
        folder.add(name, {"kind": kind, "key": key, "file": name})
    return []


def _keys_in(name: str, text: str) -> tuple[str, list[str]]:
    """Return the kind of a model and the ids of what is in it; raises `InvalidDefinition`."""
    from bpm.bpmn import parse
    from bpm.bpmn.compiler.compile import choose_processes
    from bpm.dmn import load_decisions
    from bpm.forms import read_form

    if ends(name, (".bpmn",)):
        return "process", [process.id for process in choose_processes(parse(text))]
    if ends(name, (".dmn",)):
        return "decision", list(load_decisions(text))
    return "form", [read_form(text).id]
