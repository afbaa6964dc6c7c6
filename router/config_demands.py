"""What the fields of a webhook configuration demand of each other."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from bpm.bus import Registry
from bpm.errors import NotFound
from bpm.expressions import MAX_EXPRESSIONS, OPENING
from router.config import MAX_STEPS
from router.execution_types import EXECUTION_TYPES, ExecutionType, read_execution_type

MAX_VALUES = 10_000
"""Values in a configuration or chain: processes keep them in memory, and a chain reads them while the writer waits."""


def demands(fields: Mapping[str, Any]) -> Iterable[str]:
    """Say what the execution type needs and what it excludes; `fields` may have any shape."""
    kind = _kind_of(fields.get("executionType"))
    if kind is None:
        return
    needed = EXECUTION_TYPES[kind].field
    by_names = kind is ExecutionType.CHAIN and fields.get("commandName") is not None
    if fields.get(needed) is None and not by_names:
        yield f"{needed}: is required when executionType is {kind.value}"
    if by_names and fields.get("commandChain") is not None:
        yield "commandName: can't be set together with commandChain; name the commands in one of them"
    if by_names and str(fields["commandName"]).count(",") >= MAX_STEPS:
        yield f"commandName: must name at most {MAX_STEPS} commands"
    yield from _whose_turn(fields)
    yield from repeated_names(fields.get("commandChain"), "commandChain")
    for other in (each.field for each in EXECUTION_TYPES.values()):
        if other != needed and fields.get(other) is not None and not (by_names and other == "commandName"):
            yield f"{other}: can't be set when executionType is {kind.value}, which uses {needed}"
    if kind in (ExecutionType.CHAIN, ExecutionType.CODE) and fields.get("parameters") is not None:
        yield f"parameters: can't be set when executionType is {kind.value}; chains have them step by step, code none"
    yield from _only_for(fields, kind, ExecutionType.CODE, "isolation")
    for name in ("businessKey", "startPolicy", "correlation"):
        yield from _only_for(fields, kind, ExecutionType.PROCESS, name)
    yield from _unproven(fields)
    yield from too_much("the configuration", (value for name, value in fields.items() if name != "executionCode"))
    if fields.get("responseMode") == "sync" and fields.get("lane") is not None:
        yield "lane: can't be set when responseMode is sync, whose caller waits for no turn"
    if fields.get("startPolicy") in ("correlate", "correlateOrStart") and fields.get("correlation") is None:
        yield f"correlation: is required when startPolicy is {fields['startPolicy']}"


def too_much(what: str, parts: Iterable[Any]) -> Iterable[str]:
    """Say that the values and expressions in `parts`, of any shape, are more than is compiled and sent in a moment."""
    values = expressions = 0
    waiting = list(parts)
    while waiting:
        value = waiting.pop()
        values += 1
        if isinstance(value, str):
            expressions += value.count(OPENING)
        elif isinstance(value, dict):
            waiting += cast("dict[str, Any]", value).values()
        elif isinstance(value, list):
            waiting += cast("list[Any]", value)
    if values > MAX_VALUES:
        yield f"{what} holds {values} values; at most {MAX_VALUES} are possible"
    if expressions > MAX_EXPRESSIONS:
        yield f"{what} holds {expressions} expressions; at most {MAX_EXPRESSIONS} are possible"


def unknown_command(registry: Registry, name: str, place: str) -> Iterable[str]:
    """Say that no command has this name, and which names are close; nothing when one has."""
    try:
        registry.find(name)
    except NotFound as error:
        yield error.errors[0].replace("$type", place, 1)


def repeated_names(steps: object, place: str) -> Iterable[str]:
    """Say which names of steps stand twice, so that `steps.<name>` could mean either; any shape is looked at."""
    seen: set[str] = set()
    for index, step in enumerate(cast("list[Any]", steps) if isinstance(steps, list) else ()):
        name = cast("dict[str, Any]", step).get("name") if isinstance(step, dict) else None
        if isinstance(name, str) and name in seen:
            yield f"{place}[{index}].name: {name} is the name of an earlier step"
        elif isinstance(name, str):
            seen.add(name)


def _unproven(fields: Mapping[str, Any]) -> Iterable[str]:
    """Say that nobody may have an address opened who has not proven to be the provider."""
    if _said(fields.get("handshake"), "kind") == "confirm" and _said(fields.get("signature"), "scheme") in (
        None,
        "none",
    ):
        yield "signature: is required with the handshake confirm, which opens an address that the request names"


def _said(section: Any, name: str) -> Any:
    """Return a field of a section, which may be as on the wire, read, or missing."""
    return section.get(name) if isinstance(section, dict) else getattr(section, name, None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _whose_turn(fields: Mapping[str, Any]) -> Iterable[str]:
    if fields.get("when") is not None and fields.get("order") is None:
        yield "order: is required with when; of the rules at an address the lowest order is asked first"
    if fields.get("when") is None and fields.get("order") is not None:
        yield "order: can't be set without when; a rule without a condition takes what the others leave"
    methods = fields.get("moreMethods")
    taken = [fields.get("action"), *cast("list[Any]", methods)] if isinstance(methods, list) else []
    if any(method in taken[:at] for at, method in enumerate(taken)):
        yield "moreMethods: must name each method once, and not the one that stands in action"


def _only_for(fields: Mapping[str, Any], kind: ExecutionType, owner: ExecutionType, name: str) -> Iterable[str]:
    if kind is not owner and fields.get(name) is not None:
        yield f"{name}: can only be set when executionType is {owner.value}"


def _kind_of(value: object) -> ExecutionType | None:
    try:
        return read_execution_type(value)
    except ValueError:
        return None
