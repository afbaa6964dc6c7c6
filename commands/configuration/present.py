"""What an organisation has at present, read as parts are: by key, to be compared with a folder."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, cast

from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.bus import Context
from bpm.errors import Invalid
from bpm.exact_json import write_plain
from bpm.process.decision_tables import newest_decisions
from bpm.process.definition_tables import names_of_versions, newest_definitions
from bpm.process.form_tables import newest_forms
from bpm.process.sealing import restored_source
from bpm.store.paging import ROWS_AT_ONCE
from commands.configuration.parts import MAX_PARTS
from router.config_secrets import definition_for_view
from router.tables.configs import WebhookConfig, select_configs

PartName = tuple[str, str]
"""The kind of a part and its key."""

MAX_BYTES = 16 * 1024 * 1024
"""How much all texts may have together."""


@dataclass(frozen=True, slots=True)
class PresentPart:
    """A part as it is stored: its fields as they are compared, its row, and what tells that it was changed."""

    kind: str
    key: str
    id: int
    revision: str
    fields: Mapping[str, Any]
    source: str = ""
    """The text of its file; a rule's is its script."""
    labels: frozenset[str] = frozenset()

    @property
    def name(self) -> PartName:
        """By what it is known."""
        return self.kind, self.key


@dataclass(slots=True)
class Wanted:
    """Which parts to read: those with these keys by kind, or all; of rules those with `label`, too."""

    keys: Mapping[str, set[str]] | None = None
    label: str | None = None
    kinds: frozenset[str] = field(default_factory=lambda: frozenset({"rule", "process", "decision", "form"}))

    def keys_of(self, kind: str) -> set[str] | None:
        """Return the keys of a kind, or None for all."""
        return None if self.keys is None else self.keys.get(kind, set())


def read_parts(context: Context, wanted: Wanted) -> dict[PartName, PresentPart]:
    """Return the parts that there are; raises `Invalid` for more than can be read at once."""
    readers = {"form": _forms, "decision": _decisions, "process": _processes, "rule": _rules}
    found: dict[PartName, PresentPart] = {}
    size = 0
    for part in chain.from_iterable(read(context, wanted) for kind, read in readers.items() if kind in wanted.kinds):
        found[part.name] = part
        size += len(part.source) + len(write_plain(part.fields))
        if len(found) > MAX_PARTS or size > MAX_BYTES:
            limit = f"{MAX_PARTS} parts and {MAX_BYTES // 1024 // 1024} MiB of texts"
            raise Invalid(f"there is more than can be read at once ({limit}); narrow the rules by a label")
    return found


def _rules(context: Context, wanted: Wanted) -> Iterable[PresentPart]:
    keys = _keys_of_rules(context, wanted)
    for first in range(0, len(keys), ROWS_AT_ONCE):
        yield from _some_rules(context, keys[first : first + ROWS_AT_ONCE])


def _some_rules(context: Context, keys: Sequence[str]) -> Iterable[PresentPart]:
    rows = context.session.exec(select_rows(WebhookConfig).where(col(WebhookConfig.key).in_(keys))).all()
    ids = {row.definition["processDefinitionId"] for row in rows if row.definition.get("processDefinitionId")}
    names = names_of_versions(context.tx, context.organization_id, ids)
    newest = {row.key: row.id for row in newest_definitions(context.tx, context.organization_id, _keys(names))}
    for row in sorted(rows, key=lambda each: each.key):
        fields = definition_for_view(row.definition, context.box, with_secrets=True)
        code, started = fields.pop("executionCode", ""), fields.pop("processDefinitionId", None)
        if started in names:
            key, version = names[started]
            fields |= {"process": key} if newest.get(key) == started else {"process": key, "processVersion": version}
        script = {"script": code} if code else {}
        labels = frozenset(fields.get("labels") or ())
        yield PresentPart("rule", row.key, row.id or 0, str(row.revision), {**fields, **script}, code, labels)


def _keys_of_rules(context: Context, wanted: Wanted) -> list[str]:
    """Return the keys that are wanted, as far as there are such rules, and those of rules with the label, in order."""
    keys, selected = wanted.keys_of("rule"), list[SelectOfScalar[WebhookConfig]]()
    if keys is not None:
        selected.append(select_configs(None, None, None).where(col(WebhookConfig.key).in_(keys)))
    if keys is None or wanted.label is not None:
        selected.append(select_configs(None, None, wanted.label).limit(MAX_PARTS + 1))
    found: set[str] = set()
    for statement in selected:
        keys_alone = statement.with_only_columns(col(WebhookConfig.key))
        found |= set(cast("Any", context.session).exec(keys_alone).all())
    return sorted(found)


def _processes(context: Context, wanted: Wanted) -> Iterable[PresentPart]:
    for row in newest_definitions(context.tx, context.organization_id, wanted.keys_of("process")):
        source = restored_source(row.bpmn_xml, context.box)
        fields = {
            "name": row.name,
            "description": row.description,
            "category": row.category,
            "triggerEvents": row.trigger_events,
            "isActive": row.is_active,
            "metadata": row.metadata_,
            "file": source,
        }
        yield PresentPart("process", row.key, row.id, f"{row.id} {row.is_active}", fields, source)


def _decisions(context: Context, wanted: Wanted) -> Iterable[PresentPart]:
    for row in newest_decisions(context.tx, context.organization_id, wanted.keys_of("decision")):
        source = restored_source(row.dmn_xml, context.box)
        yield PresentPart("decision", row.key, row.id, str(row.id), {"file": source}, source)


def _forms(context: Context, wanted: Wanted) -> Iterable[PresentPart]:
    for row in newest_forms(context.tx, context.organization_id, wanted.keys_of("form")):
        source = restored_source(row.form_json, context.box)
        yield PresentPart("form", row.key, row.id, str(row.id), {"file": source}, source)


def _keys(names: Mapping[int, tuple[str, int]]) -> set[str]:
    return {key for key, _ in names.values()}
