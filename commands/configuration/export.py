"""Writes what there is as parts and the texts of their files."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from commands.configuration.present import PresentPart

PLACES = {
    "rule": ("rules", ".py"),
    "process": ("processes", ".bpmn"),
    "decision": ("decisions", ".dmn"),
    "form": ("forms", ".form"),
}
"""Where the files of a kind stand, and how their names end."""

DEFAULTS: dict[str, Any] = {
    "description": "",
    "category": None,
    "triggerEvents": [],
    "isActive": True,
    "metadata": None,
}
"""What need not be said of a process."""

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class FileNames:
    """Gives each text a name that no other one has, also where capital letters do not count."""

    def __init__(self) -> None:
        """Begin without names."""
        self.files: dict[str, str] = {}
        self._taken: set[str] = set()

    def name(self, part: PresentPart) -> str:
        """Return the name of a part's text; parts of one kind that have the same text share it."""
        folder, ending = PLACES[part.kind]
        shared = [name for name, text in self.files.items() if text == part.source and name.endswith(ending)]
        if shared and part.kind != "rule":
            return shared[0]
        stem = UNSAFE.sub("_", part.key).lstrip(".")[:150] or "_"
        name = next(each for each in _numbered(f"{folder}/{stem}", ending) if each.lower() not in self._taken)
        self._taken.add(name.lower())
        self.files[name] = part.source
        return name


def exported(present: Iterable[PresentPart]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the parts with the names of their files, and the files."""
    names = FileNames()
    parts = [_part(each, names) for each in present]
    return parts, names.files


def _part(each: PresentPart, names: FileNames) -> dict[str, Any]:
    fields = dict(each.fields)
    if each.kind != "rule":
        fields["file"] = names.name(each)
    elif each.source:
        fields["script"] = names.name(each)
    if each.kind == "process":
        usual = {**DEFAULTS, "name": each.key}
        fields = {name: value for name, value in fields.items() if name not in usual or value != usual[name]}
    return {"kind": each.kind, "key": each.key, **fields}


def _numbered(stem: str, ending: str) -> Iterator[str]:
    yield f"{stem}{ending}"
    number = 2
    while True:
        yield f"{stem}-{number}{ending}"
        number += 1
