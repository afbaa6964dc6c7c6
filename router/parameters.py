"""Secrets that somebody wrote into a rule's parameters: sealed in the database, `***` everywhere else.

A password in the `parameters` of a rule or of a chain's step is used at every request and read by nobody. What is
a template (`{{…}}`) holds no secret itself and stays as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from bpm.security.redaction import REDACTED, is_credential_name
from bpm.security.sealing import is_sealed, open_fields, seal_fields
from bpm.security.secrets import SecretBox

Change = Callable[[Any], Any]


def sealed_parameters(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return a configuration's fields with the secrets in its parameters sealed."""
    return _changed(definition, lambda value: _walked(value, lambda secret: _sealed(secret, box)))


def opened_parameters(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return a configuration's fields with the secrets in its parameters as they were written."""
    return _changed(definition, lambda value: open_fields(value, box))


def redacted_parameters(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration's fields with stars for the secrets in its parameters."""
    return _changed(definition, lambda value: _walked(value, lambda _secret: REDACTED))


def with_stored_parameters(definition: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with the stored secret for every `***` in its place, for the same command only."""
    merged = dict(definition)
    if definition.get("commandName") == stored.get("commandName"):
        merged |= {name: _kept(definition[name], stored.get(name)) for name in ("parameters",) if name in definition}
    steps, before = definition.get("commandChain"), stored.get("commandChain")
    if isinstance(steps, list) and isinstance(before, list):
        known = cast("list[Any]", before)
        merged["commandChain"] = [_kept_step(step, known, at) for at, step in enumerate(cast("list[Any]", steps))]
    return merged


def _changed(definition: Mapping[str, Any], change: Change) -> dict[str, Any]:
    changed = dict(definition)
    if definition.get("parameters"):
        changed["parameters"] = change(definition["parameters"])
    if isinstance(definition.get("commandChain"), list):
        changed["commandChain"] = [_changed_step(step, change) for step in definition["commandChain"]]
    return changed


def _changed_step(step: Any, change: Change) -> Any:
    if not isinstance(step, Mapping):
        return step
    fields = dict(cast("Mapping[str, Any]", step))
    if fields.get("parameters"):
        fields["parameters"] = change(fields["parameters"])
    if fields.get("compensation"):
        fields["compensation"] = _changed_step(fields["compensation"], change)
    return fields


def _walked(value: Any, change: Change) -> Any:
    """Return a value with every secret in it changed."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {
            name: change(inside) if is_credential_name(name) and _is_literal(inside) else _walked(inside, change)
            for name, inside in fields.items()
        }
    if isinstance(value, list):
        return [_walked(item, change) for item in cast("list[Any]", value)]
    return value


def _is_literal(value: Any) -> bool:
    is_text = isinstance(value, str) and value != "" and "{{" not in value
    return is_text or (isinstance(value, int | float) and not isinstance(value, bool))


def _sealed(secret: Any, box: SecretBox) -> Any:
    return secret if secret == REDACTED else seal_fields({"secret": secret}, box)["secret"]


def _kept_step(step: Any, stored: list[Any], at: int) -> Any:
    before = stored[at] if at < len(stored) else None
    if not isinstance(step, Mapping) or not isinstance(before, Mapping):
        return cast("Any", step)
    fields, known = dict(cast("Mapping[str, Any]", step)), cast("Mapping[str, Any]", before)
    if fields.get("commandName") == known.get("commandName") and "parameters" in fields:
        fields["parameters"] = _kept(fields["parameters"], known.get("parameters"))
    if fields.get("compensation"):
        fields["compensation"] = _kept_step(fields["compensation"], [known.get("compensation")], 0)
    return fields


def _kept(value: Any, stored: Any) -> Any:
    if value == REDACTED and is_sealed(stored):
        return stored
    if isinstance(value, dict) and isinstance(stored, dict):
        fields, known = cast("dict[str, Any]", value), cast("dict[str, Any]", stored)
        return {name: _kept(inside, known.get(name)) for name, inside in fields.items()}
    if isinstance(value, list) and isinstance(stored, list):
        items, former = cast("list[Any]", value), cast("list[Any]", stored)
        return [_kept(*pair) for pair in zip(items, former, strict=True)] if len(items) == len(former) else items
    return cast("Any", value)
