"""The state of an instance as it is stored: secrets among its variables are sealed."""

from pydantic_core import from_json, to_json

from bpm.process.state import Instance
from bpm.security.sealing import SEALED, open_fields, seal_fields
from bpm.security.secrets import SecretBox


def stored_state(instance: Instance, box: SecretBox) -> str:
    """Return the JSON of a state, with the values sealed whose names say that they are secret."""
    known = (instance.variables, instance.waits, instance.done)
    sealed = tuple(seal_fields(part, box) for part in known)
    if all(new is old for new, old in zip(sealed, known, strict=True)):
        return instance.to_json()
    stored = instance.copy()
    stored.variables, stored.waits, stored.done = sealed
    return stored.to_json()


def restored_state(text: str, box: SecretBox) -> Instance:
    """Return the state that `stored_state` wrote."""
    if SEALED in text:
        text = to_json(open_fields(from_json(text), box)).decode()
    return Instance.from_json(text)
