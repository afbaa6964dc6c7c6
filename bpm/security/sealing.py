"""JSON values that hold secrets and have to be used later: sealed where they are stored, opened where they are used.

`seal_fields` and `seal_text` seal the whole when there is a secret in it, for what nobody reads in the database:
copies of a secret inside it are sealed as well. `seal_value` seals one value among others that stay readable.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any, cast

from bpm.exact_json import read_json, write_json
from bpm.number import Number
from bpm.security.redaction import REDACTED, holds_secret
from bpm.security.secret_names import is_credential_name
from bpm.security.secrets import SecretBox

SEALED = "sealed:"
"""How a text begins that stands for a sealed value."""
FIELD = "sealed"
"""The one field of what stands for sealed fields."""
NOT_STORED = "stands for a stored secret, but none is stored; enter it"
"""The end of a sentence about `***`."""


def seal_fields(fields: Mapping[str, Any], box: SecretBox, secrets: Set[str] = frozenset()) -> Mapping[str, Any]:
    """Return fields as they are stored: sealed as one when there is a secret among them, else the very same ones."""
    is_like_sealed = FIELD in fields  # what somebody writes so is never opened in the place of what we sealed
    return seal_all_fields(fields, box) if is_like_sealed or holds_secret(fields, secrets) else fields


def seal_all_fields(fields: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return fields as they are stored, sealed whatever is in them."""
    return {FIELD: box.encrypt(write_json(fields).decode())}


def open_fields(stored: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return the fields that were stored; raises `SecretError` when they can't be opened any more."""
    return read_json(box.decrypt(stored[FIELD])) if list(stored) == [FIELD] else dict(stored)


def seal_text(text: str, box: SecretBox) -> str:
    """Return a text sealed."""
    return SEALED + box.encrypt(text)


def open_text(stored: str, box: SecretBox) -> str:
    """Return what `seal_text` sealed, or a text that was stored in clear; raises `SecretError`."""
    return box.decrypt(stored.removeprefix(SEALED)) if is_sealed(stored) else stored


def is_sealed(value: object) -> bool:
    """Tell whether a value stands for a sealed one."""
    return isinstance(value, str) and value.startswith(SEALED)


def seal_literals(value: object, box: SecretBox) -> Any:
    """Return what somebody wrote into a configuration with the secrets in it sealed; templates hold none."""
    return _literals(value, lambda secret: secret if secret == REDACTED else _sealed(secret, box))


def _sealed(secret: object, box: SecretBox) -> str:
    return seal_text(write_json(secret).decode(), box)


def redacted_literals(value: object) -> Any:
    """Return the same, sealed or not, with stars for the secrets."""
    return _literals(value, lambda _secret: REDACTED)


def open_literals(value: Any, box: SecretBox) -> Any:
    """Return what `seal_literals` sealed as it was written; raises `SecretError`."""
    if is_sealed(value):
        return read_json(open_text(value, box))
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {name: open_literals(inside, box) for name, inside in fields.items()}
    if isinstance(value, list):
        return [open_literals(item, box) for item in cast("list[Any]", value)]
    return value


def with_stored_literals(value: object, stored: object) -> Any:
    """Return what somebody wrote with the stored secret for every `***` in its place."""
    if value == REDACTED and isinstance(stored, str | int | float | Number):  # earlier versions did not seal it
        return stored
    if isinstance(value, dict) and isinstance(stored, dict):
        fields, known = cast("dict[str, Any]", value), cast("dict[str, Any]", stored)
        return {name: with_stored_literals(inside, known.get(name)) for name, inside in fields.items()}
    if isinstance(value, list) and isinstance(stored, list):
        items, former = cast("list[Any]", value), cast("list[Any]", stored)
        is_alike = len(items) == len(former)
        return [with_stored_literals(*pair) for pair in zip(items, former, strict=True)] if is_alike else items
    return cast("Any", value)


def placeholders_in(value: object, place: str, *, is_secret: bool = False) -> Iterator[str]:
    """Yield where `***` stands for a secret in what somebody wrote."""
    if isinstance(value, Mapping):
        for name, inside in cast("Mapping[str, Any]", value).items():
            yield from placeholders_in(inside, f"{place}.{name}", is_secret=is_secret or is_credential_name(name))
    elif isinstance(value, list):
        for at, inside in enumerate(cast("list[Any]", value)):
            yield from placeholders_in(inside, f"{place}[{at}]", is_secret=is_secret)
    elif is_secret and value == REDACTED:
        yield place


def _literals(value: object, change: Callable[[Any], Any], *, is_secret: bool = False) -> Any:
    """Return a value with every secret that is written into it changed, and every text that looks sealed."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {
            name: _literals(inside, change, is_secret=is_secret or is_credential_name(name))
            for name, inside in fields.items()
        }
    if isinstance(value, list):
        return [_literals(item, change, is_secret=is_secret) for item in cast("list[Any]", value)]
    return change(value) if _is_secret_literal(value, is_secret=is_secret) else value


def _is_secret_literal(value: object, *, is_secret: bool) -> bool:
    if isinstance(value, str):
        return is_sealed(value) or ("{{" not in value and (value != "" if is_secret else holds_secret(value)))
    return is_secret and isinstance(value, int | float | Number) and not isinstance(value, bool)
