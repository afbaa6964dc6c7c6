"""What a command takes of the variables where the diagram maps nothing."""

from collections.abc import Mapping
from typing import Any

from bpm.bus import Registration
from bpm.bus.field_names import field_names


def fields_of(registration: Registration, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that are called like a field of the command; no others are read."""
    names = set(field_names(registration.message_type))
    return {name: variables[name] for name in variables if name in names}
