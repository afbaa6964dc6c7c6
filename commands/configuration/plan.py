"""How a folder differs from what there is: the plan that is shown is the one that is done. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bpm.exact_json import plain, write_json
from commands.configuration.parts import AnyPart, ConfigurationFields, ProcessDocument, RuleDocument, fields_of_rule
from commands.configuration.present import PartName, PresentPart

Action = Literal["create", "update", "delete"]

ORDER = ("form", "decision", "process", "rule")
"""What is named by others is done before them."""


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A part that differs: from `present`, None where it is new, to `wanted`, None where it is deleted."""

    wanted: AnyPart | None
    present: PresentPart | None
    fields: Mapping[str, tuple[Any, Any]]
    """What its fields were and will be, of those that differ."""

    @property
    def name(self) -> PartName:
        """The kind of the part and its key."""
        part = self.wanted or self.present
        assert part is not None
        return part.kind, part.key

    @property
    def action(self) -> Action:
        """What is done with the part."""
        return "delete" if self.wanted is None else "create" if self.present is None else "update"


def make_plan(folder: ConfigurationFields, present: Mapping[PartName, PresentPart]) -> list[PlannedChange]:
    """Return what must be done so that everything is as in the folder, in the order in which it can be done."""
    changed = [change for part in folder.parts if (change := _compare(part, folder.files, present)) is not None]
    changed += _restarted(folder, changed, present)
    rules = [change for change in changed if change.name[0] == "rule"]
    others = sorted((change for change in changed if change.name[0] != "rule"), key=_place)
    return [*others, *_deleted(folder, present), *_in_turn(sorted(rules, key=_place))]


def digest_of(present: Mapping[PartName, PresentPart]) -> str:
    """Return what tells whether any of these parts was changed, one was added, or one is gone."""
    known = sorted([*part.name, part.revision] for part in present.values())
    return hashlib.sha256(write_json(known)).hexdigest()[:32]


def fields_of(part: AnyPart, files: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a part as they are compared, with the texts of the files in the place of their names."""
    if isinstance(part, RuleDocument):
        fields = fields_of_rule(part, files)
        started = plain(part, include={"process", "process_version"}, exclude_none=True)
        code = fields.pop("executionCode", "")
        return {**fields, **started, **({"script": code} if code else {})}
    fields = plain(part, exclude={"kind", "key"}) | {"file": files[part.file]}
    return fields | {"name": part.name or part.key} if isinstance(part, ProcessDocument) else fields


def _compare(part: AnyPart, files: Mapping[str, str], present: Mapping[PartName, PresentPart]) -> PlannedChange | None:
    known = present.get((part.kind, part.key))
    before: Mapping[str, Any] = {} if known is None else known.fields
    after = fields_of(part, files)
    fields = {name: (before.get(name), after.get(name)) for name in sorted({*before, *after})}
    differing = {name: values for name, values in fields.items() if values[0] != values[1]}
    return PlannedChange(part, known, differing) if differing or known is None else None


def _restarted(
    folder: ConfigurationFields, changed: Sequence[PlannedChange], present: Mapping[PartName, PresentPart]
) -> Iterable[PlannedChange]:
    """Yield the rules that differ by nothing but the version of the process that they start: it gets another one."""
    deployed = {change.name[1] for change in changed if change.name[0] == "process" and is_deployed(change)}
    done = {change.name for change in changed}
    for part in folder.parts:
        known = present.get((part.kind, part.key))
        if (
            known is None
            or known.name in done
            or not isinstance(part, RuleDocument)
            or part.process_version is not None
        ):
            continue
        if part.process in deployed:
            yield PlannedChange(part, known, {"process": (f"{part.process}, as it is", f"{part.process}, as above")})


def is_deployed(change: PlannedChange) -> bool:
    """Tell whether a process gets a new version: it is not only switched on or off."""
    return change.present is None or set(change.fields) != {"isActive"}


def _deleted(folder: ConfigurationFields, present: Mapping[PartName, PresentPart]) -> Iterable[PlannedChange]:
    """Yield the rules that have the label and are not in the folder."""
    if not folder.prune or folder.label is None:
        return
    kept = {(part.kind, part.key) for part in folder.parts}
    for name, part in sorted(present.items()):
        if part.kind == "rule" and name not in kept and folder.label in part.labels:
            yield PlannedChange(None, part, {})


def _in_turn(rules: Sequence[PlannedChange]) -> list[PlannedChange]:
    """Return changed rules so that one which takes the address of another comes when that one has left it."""
    waiting, ordered = list(rules), list[PlannedChange]()
    while waiting:
        held = {change.name: change.present.fields.get("path") for change in waiting if change.present is not None}
        free = [one for one in waiting if not _waits(one, held)] or waiting
        ordered += free
        waiting = [change for change in waiting if change not in free]
    return ordered


def _waits(change: PlannedChange, held: Mapping[PartName, Any]) -> bool:
    path = change.wanted.path if isinstance(change.wanted, RuleDocument) else None
    return any(name != change.name and taken == path for name, taken in held.items())


def _place(change: PlannedChange) -> tuple[int, str]:
    kind, key = change.name
    return ORDER.index(kind), key
