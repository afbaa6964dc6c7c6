"""The secrets inside a configuration: sealed in the database, redacted everywhere else."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from bpm.security.redaction import REDACTED, redacted_text
from bpm.security.references import is_reference
from bpm.security.sealing import open_text, seal_text
from bpm.security.secrets import SecretBox, SecretError
from router.parameter_secrets import open_parameters, redacted_parameters, seal_parameters, with_stored_parameters

PLACES = (
    ("signature", "secret"),
    ("signature", "secrets"),
    ("handshake", "verifyToken"),
    ("handshake", "secret"),
    ("keys", "secrets"),
)
"""Where secrets stand in a configuration's fields; one that is a reference (`env:`, `file:`) is kept in clear."""
CODE = "executionCode"
"""The script, which is sealed as a whole: nothing tells which of its texts are secrets."""


def map_secrets(definition: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Return the fields with every secret changed."""
    changed = dict(definition)
    for section, name in PLACES:
        inside = changed.get(section)
        if isinstance(inside, Mapping) and inside.get(name) is not None:
            changed[section] = {**inside, name: _changed(inside[name], change)}
    return changed


def seal_definition(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return the fields as they are stored; `***` stays, for the secret that is stored already."""

    def seal(secret: str) -> str:
        return secret if secret == REDACTED or is_reference(secret) else box.encrypt(secret)

    return _with_code(seal_parameters(map_secrets(definition, seal), box), lambda code: seal_text(code, box))


def redacted_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as lists and revisions keep them; the script stays as it is stored."""
    return redacted_parameters(map_secrets(definition, lambda secret: secret if is_reference(secret) else REDACTED))


def open_definition(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return the fields with every sealed secret in clear; raises `SecretError` for one that can't be opened."""
    opened = map_secrets(definition, lambda secret: secret if is_reference(secret) else box.decrypt(secret))
    return _with_code(open_parameters(opened, box), lambda code: open_text(code, box))


def open_draft(definition: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return the fields of a draft or a revision in clear, with `***` where it holds none; raises `SecretError`."""

    def open_one(secret: str) -> str:
        return secret if secret == REDACTED or is_reference(secret) else box.decrypt(secret)

    return _with_code(open_parameters(map_secrets(definition, open_one), box), lambda code: open_text(code, box))


def definition_for_view(definition: Mapping[str, Any], box: SecretBox, *, with_secrets: bool) -> dict[str, Any]:
    """Return the fields as answers show them; secrets in the script only `with_secrets`."""

    def show(code: str) -> str:
        try:
            opened = open_text(code, box)
        except SecretError:
            return REDACTED
        return opened if with_secrets else redacted_text(opened)

    return _with_code(redacted_definition(definition), show)


def references_in(definition: Mapping[str, Any]) -> set[str]:
    """Return the references among the secrets."""
    found: set[str] = set()

    def note(secret: str) -> str:
        if is_reference(secret):
            found.add(secret)
        return secret

    map_secrets(definition, note)
    return found


def with_stored_secrets(definition: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with every `***` replaced by the secret that is stored in its place, if there is one.

    A named secret keeps the one of its name. Beside a new `secret`, the first `***` of `secrets` keeps the one that
    was `secret` until now, so that it goes on counting during rotation.
    """
    merged = with_stored_parameters(definition, stored)
    for section in {section for section, _ in PLACES}:
        inside, before = merged.get(section), stored.get(section)
        if isinstance(inside, Mapping) and isinstance(before, Mapping):
            merged[section] = _keep_section(cast("Mapping[str, Any]", inside), cast("Mapping[str, Any]", before))
    return merged


def _with_code(definition: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    code = definition.get(CODE)
    return {**definition, CODE: change(code)} if isinstance(code, str) else definition


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_changed(each, change) for each in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        named = cast("Mapping[str, Any]", value)
        return {**named, "secret": change(named["secret"])}
    return change(value)


def _keep_section(section: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(section)
    for name in ("secret", "verifyToken"):
        if kept.get(name) == REDACTED and isinstance(before.get(name), str):
            kept[name] = before[name]
    if isinstance(kept.get("secrets"), list):
        is_replaced = section.get("secret") not in (None, REDACTED) and isinstance(before.get("secret"), str)
        former = [before["secret"]] if is_replaced else []
        kept["secrets"] = _keep_list(kept["secrets"], former, before.get("secrets") or [])
    return kept


def _keep_list(secrets: list[Any], former: list[str], before: list[Any]) -> list[Any]:
    """Keep named secrets by name and the others in their order; what was left out can't be guessed."""
    named: dict[str, str] = {each["name"]: each["secret"] for each in before if not isinstance(each, str)}
    plain = [each for each in before if isinstance(each, str)]
    wanted = secrets.count(REDACTED)
    in_order = iter((former + plain)[:wanted] if former or wanted == len(plain) else ())
    if not former and len(secrets) == len(before):
        in_order = iter([old for new, old in zip(secrets, before, strict=True) if new == REDACTED and old in plain])
    return [_keep_one(each, named, in_order) for each in secrets]


def _keep_one(secret: Any, named: Mapping[str, str], in_order: Iterator[str]) -> Any:
    if isinstance(secret, str):
        return next(in_order, REDACTED) if secret == REDACTED else secret
    return {**secret, "secret": named.get(secret["name"], REDACTED)} if secret["secret"] == REDACTED else secret
