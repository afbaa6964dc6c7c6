"""A part of a configuration as it stands in a file: a rule, a process, a decision or a form, by its key."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from bpm.bus import Integer, WireModel
from router.config import KEY, WebHookFields, definition_of
from router.config_demands import demands
from router.config_secrets import redacted_definition

MAX_PARTS = 500
"""How many parts a folder may have, and how many are exported."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
_STEP = r'[^\x00-\x20\x7f./\\:*?"<>|][^\x00-\x1f\x7f/\\:*?"<>|]*'
FileName = Annotated[str, Field(max_length=200, pattern=f"^{_STEP}(/{_STEP})*$")]
"""A path from the folder: letters of any alphabet and blanks; nothing hidden, and nothing that Windows can't write."""
Text = Annotated[str, Field(min_length=1, max_length=1024 * 1024)]


class RuleDocument(WebHookFields):
    """A webhook configuration with the fields of CreateWebHookConfigCommand.

    `script` is the file of the script instead of `executionCode`. `process` is the key of the process that is started
    instead of `processDefinitionId`: its newest version, unless `processVersion` names another. A secret is a
    reference (`env:`, `file:`), or `***` to keep the stored one.
    """

    kind: Literal["rule"]
    """That it is a rule."""
    key: Annotated[str, Field(pattern=f"^{KEY.pattern}$")]
    """The key of the rule."""
    script: FileName | None = None
    """The file of its script."""
    process: Name | None = None
    """The key of the process that it starts."""
    process_version: Annotated[Integer, Field(ge=1)] | None = None
    """The version of that process; the newest, if left out."""


class ProcessDocument(WireModel):
    """A process of a BPMN file; `key` is its id there, and its name unless another one is given."""

    kind: Literal["process"]
    """That it is a process."""
    key: Name
    """The id of the process in its file."""
    file: FileName
    name: Name | None = None
    description: Annotated[str, Field(max_length=2000)] = ""
    category: Annotated[str, Field(max_length=100)] | None = None
    trigger_events: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)] = Field(
        default_factory=list[str]
    )
    is_active: bool = True
    metadata: dict[str, Any] | None = None


class DecisionDocument(WireModel):
    """A decision of a DMN file; `key` is its id there."""

    kind: Literal["decision"]
    """That it is a decision."""
    key: Name
    """The id of the decision in its file."""
    file: FileName


class FormDocument(WireModel):
    """A form; `key` is its id in the file."""

    kind: Literal["form"]
    """That it is a form."""
    key: Name
    """The id of the form in its file."""
    file: FileName


AnyPart = RuleDocument | ProcessDocument | DecisionDocument | FormDocument
ConfigurationPart = Annotated[AnyPart, Field(discriminator="kind")]


class ConfigurationFields(WireModel):
    """What a folder holds: its parts, and the texts of the files that they name.

    With `label` every rule must have that label. With `prune` the rules that have it and are not among the parts are
    deleted; processes, decisions and forms, which instances may need, never are.
    """

    parts: Annotated[list[ConfigurationPart], Field(max_length=MAX_PARTS)]
    """Rules, processes, decisions and forms."""
    files: Annotated[dict[FileName, Text], Field(max_length=MAX_PARTS)] = Field(default_factory=dict[str, str])
    """The texts of the files that they name."""
    label: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    prune: bool = False
    """Whether rules with the label that are not among the parts are deleted."""


def fields_of_rule(part: RuleDocument, files: Mapping[str, str]) -> dict[str, Any]:
    """Return a rule's fields as on the wire, its script in them; the process that it starts is added where known."""
    code = {} if part.script is None else {"executionCode": files[part.script]}
    return {**definition_of(part), **code}


def problems_of_parts(fields: Mapping[str, Any]) -> Iterable[str]:
    """Return what is wrong between the parts of a folder; `fields` may have any shape."""
    found, label, files = fields.get("parts"), fields.get("label"), fields.get("files")
    names = set(cast("dict[str, Any]", files)) if isinstance(files, dict) else set[str]()
    if fields.get("prune") is True and label is None:
        yield "label: is required with prune; only rules that have it are deleted"
    seen: set[tuple[Any, Any]] = set()
    for part in cast("list[Any]", found) if isinstance(found, list) else ():
        if not isinstance(part, dict):
            continue
        each = cast("dict[str, Any]", part)
        place, name = f"{each.get('kind')} {each.get('key')}", (str(each.get("kind")), str(each.get("key")))
        if name in seen:
            yield f"{place}: stands in two places"
        seen.add(name)
        source = each.get("script" if each.get("kind") == "rule" else "file")
        if isinstance(source, str) and source not in names:
            yield f"{place}: there is no file {source}"
        if each.get("kind") == "rule":
            yield from (f"{place}: {sentence}" for sentence in _problems_of_rule(each, label))


def _problems_of_rule(part: Mapping[str, Any], label: object) -> Iterable[str]:
    for name, instead in (("executionCode", "script"), ("processDefinitionId", "process")):
        if part.get(name) is not None:
            yield f"{name}: can't stand in a file; name the {instead} in `{instead}`"
    if part.get("process") is None and part.get("processVersion") is not None:
        yield "processVersion: can't be set without process"
    code = {"executionCode": "x"} if part.get("script") is not None else {}
    process = {"processDefinitionId": 1} if part.get("process") is not None else {}
    for sentence in demands({**part, **code, **process}):
        yield sentence.replace("executionCode", "script").replace("processDefinitionId", "process")
    if label is not None and not (isinstance(part.get("labels"), list) and label in part["labels"]):
        yield f"labels: {label} must be one of them, or the rule would not be found by it"


def literal_secrets(part: RuleDocument) -> Iterable[str]:
    """Yield the places of secrets that are written out: files are read by many, and kept for long."""
    definition = definition_of(part)
    yield from _differing(definition, redacted_definition(definition), "")


def _differing(one: object, other: object, place: str) -> Iterable[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        fields, others = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        for name, value in fields.items():
            yield from _differing(value, others.get(name), f"{place}.{name}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list):
        for index, (each, hidden) in enumerate(zip(cast("list[Any]", one), cast("list[Any]", other), strict=False)):
            yield from _differing(each, hidden, f"{place}[{index}]")
    elif one != other:
        yield f"{place}: a secret can't stand in a file; write env:NAME or file:NAME, or *** to keep the stored one"
