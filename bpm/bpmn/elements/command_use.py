"""What an element says about the command that it sends, so that a deployment can check it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bpm.bpmn.reader.extensions import Assignment


class CommandUse(NamedTuple):
    """A command that an element sends, and the fields that it gives whatever the variables are."""

    element: str
    command: str
    fields: tuple[str, ...] = ()


def fields_given(inputs: Iterable[Assignment] | None, body: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Return the names of the fields that a mapping and a body write; of a path it is the first part."""
    names = [assignment.target.partition(".")[0] for assignment in inputs or ()]
    return tuple(dict.fromkeys([*(body or ()), *names]))
