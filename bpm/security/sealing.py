"""Secrets inside JSON values that have to be used later: sealed where they are stored, opened where they are used."""

from collections.abc import Callable, Mapping, Set
from typing import Any, cast

from pydantic_core import from_json, to_json

from bpm.security.redaction import REDACTED, is_credential_name
from bpm.security.secrets import SecretBox, SecretError

SEALED = "sealed:"
"""How a text begins that stands for a sealed value."""


def is_sealed(value: Any) -> bool:
    """Tell whether a value stands for a sealed one."""
    return isinstance(value, str) and value.startswith(SEALED)


def seal_value(value: Any, box: SecretBox) -> str:
    """Return a text that stands for a JSON value and that only `open_fields` reads."""
    return SEALED + box.encrypt(to_json(value).decode())


def seal_fields(value: Any, box: SecretBox, secrets: Set[str] = frozenset()) -> Any:
    """Return JSON values with what `redacted` hides by its name sealed; the very same ones if there is nothing."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return _changed(fields, lambda name, inside: _sealed_field(name, inside, box, secrets))
    if isinstance(value, list | tuple):
        items = cast("list[Any] | tuple[Any, ...]", value)
        sealed = [seal_fields(item, box, secrets) for item in items]
        return items if all(new is old for new, old in zip(sealed, items, strict=True)) else sealed
    return value


def open_fields(value: Any, box: SecretBox) -> Any:
    """Return JSON values as they were before `seal_fields`; what can't be opened any more is `***`."""
    if isinstance(value, str):
        return _opened(value, box) if is_sealed(value) else value
    if isinstance(value, Mapping):
        return _changed(cast("Mapping[Any, Any]", value), lambda _name, inside: open_fields(inside, box))
    if isinstance(value, list | tuple):
        items = cast("list[Any] | tuple[Any, ...]", value)
        opened = [open_fields(item, box) for item in items]
        return items if all(new is old for new, old in zip(opened, items, strict=True)) else opened
    return value


def _changed(fields: Mapping[Any, Any], change: Callable[[Any, Any], Any]) -> Mapping[Any, Any]:
    changed = {name: new for name, old in fields.items() if (new := change(name, old)) is not old}
    return {**fields, **changed} if changed else fields


def _sealed_field(name: Any, value: Any, box: SecretBox, secrets: Set[str]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if name not in secrets and not is_credential_name(name):
        return seal_fields(value, box, secrets)
    if value in ("", REDACTED) or is_sealed(value):
        return value
    return seal_value(value, box)


def _opened(text: str, box: SecretBox) -> Any:
    try:
        return from_json(box.decrypt(text.removeprefix(SEALED)))
    except SecretError:
        return REDACTED
