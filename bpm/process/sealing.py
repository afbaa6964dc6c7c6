"""What is stored of processes: sealed as a whole where there is, or may be, a secret in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bpm.bpmn.state import Instance
from bpm.errors import Failed
from bpm.exact_json import read_json, write_json
from bpm.security.redaction import holds_secret
from bpm.security.sealing import open_fields, open_text, seal_all_fields, seal_fields, seal_text
from bpm.security.secrets import SecretBox, SecretError
from bpm.security.written_secrets import may_hold_secret

SCRIPT, SHOWN = "script", frozenset({"user", "incident", "adHoc"})

T = TypeVar("T")


def is_secret(instance: Instance, written: str) -> bool:
    """Tell whether there is a secret in what is at hand of an instance; `written` is its state as JSON."""
    return any(large.is_secret for *_, large in instance.large_values()) or (
        may_hold_secret(written) and _holds_secret(instance)
    )


def _holds_secret(instance: Instance) -> bool:
    notes = [scope.note for scope in instance.scopes.values() if scope.note is not None]
    notes += [wait.data for wait in instance.waits.values() if wait.data is not None]  # the rest is the model's
    values = (instance.variables, instance.locals, instance.done, instance.beside, list(instance.kept.values()), notes)
    return any(holds_secret(each) for each in values)


def restored_part(stored: str, box: SecretBox) -> str:
    """Return the JSON of a state or part that was stored; raises `Failed` when it can't be opened any more."""
    return _opened(lambda: open_text(stored, box))


def stored_wait(kind: str, data: Mapping[str, Any] | None, box: SecretBox) -> Mapping[str, Any] | None:
    """Return what a wait is about as it is stored: that of a script, which holds its source, is always sealed."""
    if data is None:
        return None
    return seal_all_fields(data, box) if kind == SCRIPT else seal_fields(data, box)


def restored_wait(stored: Mapping[str, Any] | None, box: SecretBox) -> dict[str, Any]:
    """Return what a wait is about; raises `Failed` when it can't be opened any more."""
    return _opened(lambda: open_fields(stored or {}, box))


def stored_source(xml: str, box: SecretBox) -> str:
    """Return a diagram as it is stored: sealed, for nothing tells which of its texts are secrets."""
    return seal_text(xml, box)


def restored_source(stored: str, box: SecretBox) -> str:
    """Return a diagram that was stored; raises `Failed` when it can't be opened any more."""
    return _opened(lambda: open_text(stored, box))


def stored_gaps(gaps: Sequence[str], box: SecretBox) -> str:
    """Return what is missing from a draft as it is stored: sealed, for it repeats the diagram."""
    return seal_text(write_json(gaps).decode(), box)


def restored_gaps(stored: str | None, box: SecretBox) -> list[str]:
    """Return what is missing from a draft; nothing from a version that is none."""
    return [] if stored is None else read_json(_opened(lambda: open_text(stored, box)))


def with_data(wait: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """Return the row of a wait with what people are shown of it: of work that is tried again, why it failed."""
    if wait["failure"] is not None:
        return {**wait, "data": {"tries": wait["tries"], **restored_wait(wait["failure"], box)}}
    is_shown = wait["kind"] in SHOWN and wait["data"] is not None
    return {**wait, "data": restored_wait(wait["data"], box) if is_shown else None}


def _opened(open_it: Callable[[], T]) -> T:
    try:
        return open_it()
    except SecretError as error:
        raise Failed(str(error)) from error
