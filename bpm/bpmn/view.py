"""The variables an expression sees: those of its scope, then of the scopes around it, and the time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bpm.expressions import CLOCK

ALIASES = ("variables", "context")


class View(dict[str, Any]):
    """A copy of all visible variables, inner ones before outer ones of the same name.

    `variables` and `context` (BankLingo's word) name all of them at once, unless a variable is called so: as a copy,
    so that what is computed from it never holds itself.
    The time is the trigger's, so that the same trigger always gives the same answer.
    """

    __slots__ = ("now",)

    def __init__(self, visible: Mapping[str, Any], now: datetime) -> None:
        """Copy the variables."""
        super().__init__(visible)
        self.now = now

    def __missing__(self, name: str) -> Any:
        if name == CLOCK:
            return self.now
        if name in ALIASES:
            return dict(self)
        raise KeyError(name)

    def within(self, inner: Mapping[str, Any]) -> "View":
        """The same with `inner` before everything else."""
        return View({**self, **inner}, self.now)
