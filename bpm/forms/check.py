"""What people give to a form, held against it."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import islice
from typing import Any, cast

from bpm.expressions import CLOCK
from bpm.forms.form import Form, FormField
from bpm.forms.reader import value_at
from bpm.forms.values import value_problem
from bpm.metering import Meter, metered

MAX_CHECK_STEPS = 400_000
MAX_PROBLEMS = 20


def problems(form: Form, given: Mapping[str, Any], seen: Mapping[str, Any], now: datetime) -> list[str]:
    """Say what is wrong with the values given to a form, each sentence headed by the field.

    `seen` are the variables that its conditions and options may ask for, after what its own components are given; what
    else is given takes the place of none of them. Raises `OverBudget` when finding out takes
    too many steps, `EvaluationError` when an expression of the form can't be evaluated.
    """
    with metered(MAX_CHECK_STEPS, work="the checks of the form") as meter:
        scope = {**_within(seen, given, form.names), CLOCK: now}
        return list(islice(_Check(meter, now).problems(form.fields, given, scope, "variables"), MAX_PROBLEMS))


class _Check:
    """One check of one form's values; fields that are not shown are asked for nothing."""

    def __init__(self, meter: Meter, now: datetime) -> None:
        self.meter = meter
        self.now = now

    def problems(
        self, fields: Sequence[FormField], given: Mapping[str, Any], scope: Mapping[str, Any], place: str
    ) -> Iterator[str]:
        """What is wrong with the values of some fields; `scope` is what their expressions see."""
        for field in fields:
            self.meter.charge(1)
            if field.hidden is not None and field.hidden(scope) is True:
                continue
            where, value = ".".join((place, *field.path)), value_at(given, field.path)
            if field.kind == "group" and not isinstance(value, dict | None):
                yield f"{where}: must be an object"
            elif field.kind == "group":
                yield from self.problems(field.inner, _object(value), scope, where)
            elif field.kind == "dynamiclist":
                yield from self.rows(field, value, scope, where)
            elif problem := value_problem(field, value, scope, self.meter, self.now):
                yield f"{where}{f' ({field.label})' if field.label else ''}: {problem}"

    def rows(self, field: FormField, value: Any, scope: Mapping[str, Any], where: str) -> Iterator[str]:
        """What is wrong with the rows of a list, each of which is an object."""
        if value is None:
            return
        if not isinstance(value, list):
            yield f"{where}: must be a list"
            return
        for number, row in enumerate(cast("list[Any]", value)):
            if not isinstance(row, dict):
                yield f"{where}[{number}]: must be an object"
                continue
            members = cast("dict[str, Any]", row)
            inner = {**_within(scope, members, field.names), "this": members, "parent": scope}
            self.meter.charge(1 + len(inner) // 25)
            yield from self.problems(field.inner, members, inner, f"{where}[{number}]")


def _within(scope: Mapping[str, Any], given: Mapping[str, Any], names: Set[str]) -> dict[str, Any]:
    """A scope with what is given, which counts before it only under some names."""
    return {**given, **scope, **{name: value for name, value in given.items() if name in names}}


def _object(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
