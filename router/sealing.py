"""The secrets inside a configuration: sealed in the database, redacted everywhere else."""

from collections.abc import Callable, Mapping
from typing import Any

from bpm.security.redaction import REDACTED

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


def is_reference(secret: str) -> bool:
    """Tell whether a secret only says where the secret is."""
    return secret.startswith(("env:", "file:"))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    return [change(v) for v in value] if isinstance(value, list) else change(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
