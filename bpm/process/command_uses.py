"""Whether the commands that a process sends are there, and know the fields that it gives them."""

from collections.abc import Iterator

from bpm.bpmn import CommandUse
from bpm.bus import Registry
from bpm.bus.field_names import field_names, unknown_fields
from bpm.spelling import nearest


def problems_of_use(registry: Registry, use: CommandUse) -> Iterator[str]:
    """Yield what would keep an element from sending its command, whatever the variables are."""
    if not registry.knows(use.command):
        yield f"no command is named {use.command}; register it, or correct the task's type"
        return
    model = registry.find(use.command).message_type
    known = field_names(model)
    for name in unknown_fields(model, use.fields):
        close = nearest(name, known)
        hint = f"did you mean {close[0]}?" if close else f"it knows {', '.join(sorted(known)) or 'none'}"
        yield f"{use.command} has no field {name}; {hint}"
