"""The variables an expression sees: those of its scope, then of the scopes around it, and the time."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bpm.expressions import CLOCK

ALIASES = ("variables", "context")


class View(Mapping[str, Any]):
    """A read-only mapping over nested scopes, innermost first.

    `variables` and `context` (the seed product's word) name all of them at once, unless a variable is called so.
    The time is the trigger's, so that the same trigger always gives the same answer.
    """

    __slots__ = ("now", "scopes")

    def __init__(self, scopes: tuple[Mapping[str, Any], ...], now: datetime) -> None:
        self.scopes = scopes
        self.now = now

    def __getitem__(self, name: str) -> Any:
        for scope in self.scopes:
            if name in scope:
                return scope[name]
        if name == CLOCK:
            return self.now
        if name in ALIASES:
            return self.flat()
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.flat())

    def __len__(self) -> int:
        return len(self.flat())

    def flat(self) -> dict[str, Any]:
        """All visible variables in one new dictionary."""
        merged: dict[str, Any] = {}
        for scope in reversed(self.scopes):
            merged.update(scope)
        return merged

    def within(self, inner: Mapping[str, Any]) -> "View":
        """The same with `inner` before everything else."""
        return View((inner, *self.scopes), self.now)
