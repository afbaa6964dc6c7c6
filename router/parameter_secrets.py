"""Secrets that somebody wrote into a rule's parameters: sealed in the database, `***` everywhere else.

A password in the `parameters` of a rule or of a chain's step is used at every request and read by nobody. What is
a template (`{{…}}`) holds no secret itself and stays as it is.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from bpm.security import sealing
from bpm.security.sealing import open_literals, redacted_literals, seal_literals, with_stored_literals
from bpm.security.secrets import SecretBox

Change = Callable[[Any], Any]


def seal_parameters(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return a configuration's fields with the secrets in its parameters sealed."""
    return _changed(definition, lambda value: seal_literals(value, box))


def open_parameters(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return a configuration's fields with the secrets in its parameters as they were written."""
    return _changed(definition, lambda value: open_literals(value, box))


def redacted_parameters(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration's fields with stars for the secrets in its parameters."""
    return _changed(definition, redacted_literals)


def with_stored_parameters(definition: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with the stored secret for every `***` in its place, for the same command only."""
    merged = _keep_parameters(definition, stored)
    steps = definition.get("commandChain")
    if isinstance(steps, list):
        before = dict(_with_identity(stored.get("commandChain") or []))
        found = _with_identity(cast("list[dict[str, Any]]", steps))
        merged["commandChain"] = [_keep_step(step, before.get(identity)) for identity, step in found]
    return merged


def placeholders_in(definition: Mapping[str, Any]) -> Iterator[str]:
    """Yield where `***` stands for a secret in a configuration's parameters."""
    yield from sealing.placeholders_in(definition.get("parameters"), "parameters")
    for at, step in enumerate(definition.get("commandChain") or ()):
        for each, place in ((step, ""), (step.get("compensation") or {}, ".compensation")):
            yield from sealing.placeholders_in(each.get("parameters"), f"commandChain[{at}]{place}.parameters")


def _changed(definition: Mapping[str, Any], change: Change) -> dict[str, Any]:
    changed = dict(definition)
    if definition.get("parameters"):
        changed["parameters"] = change(definition["parameters"])
    if isinstance(definition.get("commandChain"), list):
        changed["commandChain"] = [_changed_step(step, change) for step in definition["commandChain"]]
    return changed


def _changed_step(step: object, change: Change) -> Any:
    if not isinstance(step, Mapping):
        return step
    fields = dict(cast("Mapping[str, Any]", step))
    if fields.get("parameters"):
        fields["parameters"] = change(fields["parameters"])
    if fields.get("compensation"):
        fields["compensation"] = _changed_step(fields["compensation"], change)
    return fields


def _with_identity(steps: list[dict[str, Any]]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return steps by what they are known again: their name, or their place among as many of the same command."""
    unnamed = [step.get("commandName") for step in steps if not step.get("name")]
    seen: Counter[Any] = Counter()
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    for step in steps:
        command = step.get("commandName")
        found.append(((step["name"],) if step.get("name") else (command, unnamed.count(command), seen[command]), step))
        seen[command] += not step.get("name")
    return found


def _keep_step(step: Mapping[str, Any], known: Mapping[str, Any] | None) -> dict[str, Any]:
    if known is None:
        return dict(step)
    kept = _keep_parameters(step, known)
    if step.get("compensation"):
        kept["compensation"] = _keep_step(step["compensation"], known.get("compensation"))
    return kept


def _keep_parameters(fields: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(fields)
    if fields.get("commandName") == known.get("commandName") and "parameters" in fields:
        kept["parameters"] = with_stored_literals(fields["parameters"], known.get("parameters"))
    return kept
