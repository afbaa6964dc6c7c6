"""Checks a folder without a server: its YAML, its models, its scripts, and the commands that they name."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from bpm.bus import Registry
from bpm.cli.files.folder import Folder
from bpm.errors import Invalid
from commands.configuration.parts import (
    AnyPart,
    ConfigurationFields,
    DecisionDocument,
    FormDocument,
    ProcessDocument,
    RuleDocument,
    literal_secrets,
)
from router.config_demands import unknown_command

_PLACE = re.compile(r"^parts\[(\d+)\]\.?(?:rule|process|decision|form)?\.?")


def check_folder(folder: Folder, registry: Registry, label: str | None = None) -> list[str]:
    """Return everything that is wrong with a folder, each sentence with its file."""
    fields = {**folder.fields, **({} if label is None else {"label": label})}
    try:
        found = cast("Any", registry.decode("PlanConfigurationQuery", fields))
    except Invalid as invalid:
        return [_with_file(sentence, folder) for sentence in invalid.errors]
    checked = cast("ConfigurationFields", found)
    problems: list[str] = []
    for place, part in zip(folder.places, checked.parts, strict=True):
        problems += [f"{place}: {sentence}" for sentence in _problems(part, folder, registry)]
    return [*problems, *_problems_of_scripts(folder, checked.parts)]


def _with_file(sentence: str, folder: Folder) -> str:
    """Return a sentence about the fields of the message as one about a file."""
    found = _PLACE.match(sentence)
    if found is None:
        return sentence
    said = "kind: must be rule, process, decision or form" if "'kind'" in sentence else sentence[found.end() :]
    return f"{folder.places[int(found[1])]}: {said.lstrip(': ')}"


def _problems(part: AnyPart, folder: Folder, registry: Registry) -> Iterator[str]:
    if isinstance(part, RuleDocument):
        yield from literal_secrets(part)
        yield from _unknown_commands(part, registry)
        started = {each.get("key") for each in folder.parts if each.get("kind") == "process"}
        if part.process is not None and part.process not in started:
            yield f"process: no file holds a process {part.process}; it must be deployed already"
    else:
        yield from _problems_of_model(part, folder.files[part.file], registry)


def _unknown_commands(part: RuleDocument, registry: Registry) -> Iterable[str]:
    for name in (part.command_name or "").split(","):
        if name.strip():
            yield from unknown_command(registry, name.strip(), "commandName")
    for index, step in enumerate(part.command_chain or ()):
        yield from unknown_command(registry, step.command_name, f"commandChain[{index}].commandName")


def _problems_of_model(
    part: ProcessDocument | DecisionDocument | FormDocument, text: str, registry: Registry
) -> Iterator[str]:
    from bpm.bpmn import compile_all, parse
    from bpm.dmn import load_decisions
    from bpm.forms import read_form
    from bpm.model_files.problems import InvalidDefinition
    from bpm.process.command_uses import problems_of_use

    try:
        if isinstance(part, ProcessDocument):
            for process in compile_all(parse(text), part.key):
                for use in process.commands:
                    yield from (f"{use.element}: {problem}" for problem in problems_of_use(registry, use))
            return
        keys = list(load_decisions(text)) if isinstance(part, DecisionDocument) else [read_form(text).id]
    except InvalidDefinition as invalid:
        yield from invalid.errors
        return
    if part.key not in keys:
        yield f"{part.file} holds no {part.kind} {part.key}; it holds {', '.join(keys)}"


def _problems_of_scripts(folder: Folder, parts: Iterable[AnyPart]) -> list[str]:
    """Return what the sandbox refuses to compile; it is not started for nothing."""
    names = sorted({part.script for part in parts if isinstance(part, RuleDocument) and part.script is not None})
    if not names:
        return []
    import asyncio

    return asyncio.run(_compiled(folder, names))


async def _compiled(folder: Folder, names: Iterable[str]) -> list[str]:
    from scripts import Sandbox

    async with Sandbox(allow_unconfined=True) as sandbox:
        checked = [(name, await sandbox.check(folder.files[name])) for name in names]
    return [f"{name}: line {p.line}, column {p.column}: {p.message}" for name, check in checked for p in check.problems]
