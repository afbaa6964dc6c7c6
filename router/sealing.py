"""The secrets inside a configuration: sealed in the database, redacted everywhere else."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from bpm.security.redaction import REDACTED
from bpm.security.references import is_reference
from bpm.security.secrets import SecretBox

PLACES = (("signature", "secret"), ("signature", "secrets"), ("handshake", "verifyToken"), ("handshake", "secret"))
"""Where secrets stand in a configuration's fields; one that is a reference (`env:`, `file:`) is kept in clear."""


def mapped(definition: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return the fields with every secret changed."""
    changed = dict(definition)
    for section, name in PLACES:
        inside = changed.get(section)
        if isinstance(inside, Mapping) and inside.get(name) is not None:
            changed[section] = {**inside, name: _changed(inside[name], change)}
    return changed


def redacted_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as answers, lists and revisions show them."""
    return mapped(definition, lambda secret: secret if is_reference(secret) else REDACTED)


def opened_definition(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return the fields with every sealed secret in clear; raises `SecretError` for one that can't be opened."""
    return mapped(definition, lambda secret: secret if is_reference(secret) else box.decrypt(secret))


def references_in(definition: Mapping[str, Any]) -> set[str]:
    """Return the references among the secrets."""
    found: set[str] = set()

    def note(secret: str) -> str:
        if is_reference(secret):
            found.add(secret)
        return secret

    mapped(definition, note)
    return found


def with_stored_secrets(definition: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with every `***` replaced by the secret that is stored in its place, if there is one."""
    merged = dict(definition)
    for section, name in PLACES:
        inside, before = merged.get(section), stored.get(section)
        if isinstance(inside, Mapping) and isinstance(before, Mapping):
            merged[section] = {**inside, **_kept(name, inside.get(name), before.get(name))}
    return merged


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    return [change(v) for v in value] if isinstance(value, list) else change(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _kept(name: str, value: Any, before: Any) -> dict[str, Any]:
    if value == REDACTED and isinstance(before, str):
        return {name: before}
    if isinstance(value, list) and isinstance(before, list):
        return {name: _kept_list(cast("list[str]", value), cast("list[str]", before))}
    return {}


def _kept_list(value: list[str], before: list[str]) -> list[str]:
    """Keep each in its place or, where others were added, in order; what was left out can't be guessed."""
    if len(value) == len(before):
        return [old if new == REDACTED else new for new, old in zip(value, before, strict=True)]
    if value.count(REDACTED) == len(before):
        stored = iter(before)
        return [next(stored) if new == REDACTED else new for new in value]
    return value
