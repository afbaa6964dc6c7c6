"""The variables of a run: who sees which, and where a written one goes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bpm.bpmn.json_size import json_size
from bpm.bpmn.large import LargeValues
from bpm.bpmn.run.step_budget import StepBudget
from bpm.bpmn.state import ROOT, Instance, Token
from bpm.bpmn.view import LargeView, View
from bpm.expressions import EvaluationError


class Variables:
    """Reads and writes the variables of each scope; `changed` until the conditional events have been asked."""

    __slots__ = ("_instance", "_now", "_own", "_pace", "_views", "changed")

    def __init__(self, instance: Instance, now: datetime, pace: StepBudget) -> None:
        self._instance = instance
        self._now = now
        self._pace = pace
        self._own: set[int] = set()
        self._views: dict[int, View] = {}
        self.changed = False

    def __getitem__(self, scope: int) -> Mapping[str, Any]:
        values = self._instance.variables[scope]
        return LargeValues(values) if self._instance.has_large else values

    def view(self, scope: int) -> View:
        """The variables that can be seen in a scope: its own, then those of the scopes around it."""
        view = self._views.get(scope)
        if view is None:
            kind = LargeView if self._instance.has_large else View
            view = self._views[scope] = kind(self._visible(scope), self._now)
        return view

    def _visible(self, scope: int) -> Mapping[str, Any]:
        inner, parent = self._instance.variables[scope], self._instance.scopes[scope].parent
        return inner if parent is None else {**self._visible(parent), **inner}

    def keep(self, token: Token, values: dict[str, Any]) -> None:
        """Keep the values of an activity's input mapping for its output mapping."""
        self.check(values)
        self._instance.locals[token.id] = values

    def view_of(self, token: Token) -> View:
        """The variables that a resting token's activity sees: those of its input mapping before its scope's."""
        view, local = self.view(token.scope), self._instance.locals.get(token.id)
        return view.within(local) if local else view

    def write(self, scope: int, values: Mapping[str, Any]) -> None:
        """Set variables: each in the nearest scope that has it, a new one in the process."""
        if not values:
            return
        self.check(values)
        self._change()
        for name, value in values.items():
            home = scope
            while home != ROOT and name not in self._instance.variables[home]:
                home = self._instance.scopes[home].parent or ROOT
            self._writable(home)[name] = value

    def check(self, values: Mapping[str, Any]) -> None:
        """Raise EvaluationError for values that are too large to be written; count those that are not."""
        most = self._pace.limits.max_state_bytes
        for name, value in values.items():
            size = json_size(value)
            if size > most:
                raise EvaluationError(
                    f"the variable '{name}' would be larger than {most} bytes (BPM_PROCESSES__MAX_STATE_BYTES)"
                )
            self._pace.write(size)

    def write_locally(self, scope: int, values: Mapping[str, Any]) -> None:
        """Set variables of a scope itself."""
        self._change()
        self._writable(scope).update(values)

    def _change(self) -> None:
        self._views.clear()
        self.changed = True

    def _writable(self, scope: int) -> dict[str, Any]:
        """A scope's variables, copied before they are written for the first time."""
        if scope not in self._own:
            self._own.add(scope)
            self._instance.variables[scope] = self._instance.variables[scope].copy()
        return self._instance.variables[scope]
