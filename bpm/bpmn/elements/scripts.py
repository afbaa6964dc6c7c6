"""Scripts of a definition, wherever they stand: their languages, and what each is given."""

from collections.abc import Mapping
from typing import Any

from bpm.bpmn.compilation.script_names import named_variables
from bpm.bpmn.effects import RunScript
from bpm.bpmn.large import is_large

SHORT = 200
"""A text of so many characters is given to every script."""


class Script:
    """A script in Python; `names` are the variables that it can name, None if it may look at all of them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names = named_variables(source)

    def request(self, wait_id: int, attempt: int, element_id: str, seen: Mapping[str, Any]) -> RunScript:
        """Ask for it with every variable it can see; without lists, objects and long texts that it can't name."""
        given = {name: seen[name] for name in seen if self._needs(name, seen)}
        return RunScript(wait_id, attempt, element_id, self.source, given)

    def _needs(self, name: str, seen: Mapping[str, Any]) -> bool:
        if self.names is None or name in self.names:
            return True
        return not is_large(seen, name) and _is_short(seen[name])


def _is_short(value: Any) -> bool:
    return not isinstance(value, list | dict) and (not isinstance(value, str) or len(value) <= SHORT)
