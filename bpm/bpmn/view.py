"""The variables an expression sees: those of its scope, then of the scopes around it, and the time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bpm.bpmn.large import LargeValues
from bpm.expressions import CLOCK

ALIASES = ("variables", "context")


class View(dict[str, Any]):
    """A copy of all visible variables, inner ones before outer ones of the same name.

    `variables` and `context` (BankLingo's word) name all of them at once, unless a variable is called so: as a copy,
    so that what is computed from it never holds itself.
    The time is the trigger's, so that the same trigger always gives the same answer. `scripts` are the results of the
    scripts of a mapping, as far as they have run.
    """

    __slots__ = ("now", "scripts")

    def __init__(self, visible: Mapping[str, Any], now: datetime, scripts: Sequence[Any] = ()) -> None:
        """Copy the variables."""
        super().__init__(visible)
        self.now = now
        self.scripts = scripts

    def __missing__(self, name: str) -> Any:
        if name == CLOCK:
            return self.now
        if name in ALIASES:
            return dict(self)
        raise KeyError(name)

    def within(self, inner: Mapping[str, Any]) -> "View":
        """The same with `inner` before everything else."""
        return type(self)({**self.unread(), **inner}, self.now, self.scripts)

    def with_scripts(self, results: Sequence[Any]) -> "View":
        """The same with the results of a mapping's scripts."""
        return type(self)(self.unread(), self.now, results)

    def unread(self) -> dict[str, Any]:
        """The variables as they are, see `LargeValues.unread`."""
        return self


class LargeView(LargeValues, View):
    """A view of variables some of which are large."""

    __slots__ = ()
