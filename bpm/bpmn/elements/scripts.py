"""Scripts of a definition, wherever they stand: their languages, and what each is given."""

from collections.abc import Mapping
from typing import Any

from bpm.bpmn.compilation.script_names import named_variables
from bpm.bpmn.effects import RunScript

SHORT = 200
"""A text of so many characters is given to every script."""


class Script:
    """A script in Python; `names` are the variables that it can name, None if it may look at all of them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names = named_variables(source)

    def request(self, wait_id: int, attempt: int, element_id: str, seen: Mapping[str, Any]) -> RunScript:
        """Ask for it with every variable it can see; without lists, objects and long texts that it can't name."""
        names = self.names
        given = {name: value for name, value in seen.items() if names is None or name in names or _is_short(value)}
        return RunScript(wait_id, attempt, element_id, self.source, given)


def _is_short(value: Any) -> bool:
    return not isinstance(value, list | dict) and (not isinstance(value, str) or len(value) <= SHORT)
