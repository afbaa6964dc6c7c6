"""The places of a form as they stand for what has been entered: those that are shown, each with what it holds."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from bpm.expressions import CLOCK
from bpm.forms.form import Form, FormField
from bpm.forms.reader import value_at
from bpm.metering import Meter

MAX_STEPS = 400_000
"""What may be spent on one look at a form."""


@dataclass(frozen=True, slots=True)
class FormPlace:
    """One field where it stands: its path as sentences write it, its value, and what its expressions see.

    A row of a list is a place of the list, with `is_row`. `names` lead to the value among the variables; None inside
    a list, whose rows may be taken away or change places.
    """

    field: FormField
    path: str
    value: Any
    scope: Mapping[str, Any]
    names: tuple[str, ...] | None
    is_row: bool = False

    @property
    def is_locked(self) -> bool:
        """Whether nobody can change it."""
        return self.field.locked is not None and self.field.locked(self.scope) is True


def places(
    form: Form, given: Mapping[str, Any], seen: Mapping[str, Any], now: datetime, meter: Meter
) -> Iterator[FormPlace]:
    """Yield every place that is shown, groups and lists before what is in them.

    `seen` are the variables that conditions and options may ask for, after what the form's own components are given;
    what else is given takes the place of none of them. Raises `EvaluationError`, and what the meter raises.
    """
    scope = {**_within(seen, given, form.names), CLOCK: now}
    return _inside(form.fields, given, scope, "variables", (), meter)


def _inside(
    fields: Sequence[FormField],
    given: Mapping[str, Any],
    scope: Mapping[str, Any],
    path: str,
    names: tuple[str, ...] | None,
    meter: Meter,
) -> Iterator[FormPlace]:
    for field in fields:
        meter.charge(1)
        if field.hidden is not None and field.hidden(scope) is True:
            continue
        inner = None if names is None else (*names, *field.path)
        place = FormPlace(field, ".".join((path, *field.path)), value_at(given, field.path), scope, inner)
        yield place
        if field.kind == "group" and isinstance(place.value, dict | None):
            yield from _inside(field.inner, _object(place.value), scope, place.path, inner, meter)
        elif field.kind == "dynamiclist" and isinstance(place.value, list):
            yield from _rows(place, meter)


def _rows(holder: FormPlace, meter: Meter) -> Iterator[FormPlace]:
    for number, value in enumerate(cast("list[Any]", holder.value)):
        members, path = _object(value), f"{holder.path}[{number}]"
        scope = {**_within(holder.scope, members, holder.field.names), "this": members, "parent": holder.scope}
        meter.charge(1 + len(scope) // 25)
        yield FormPlace(holder.field, path, value, scope, None, is_row=True)
        if isinstance(value, dict):
            yield from _inside(holder.field.inner, members, scope, path, None, meter)


def _within(scope: Mapping[str, Any], given: Mapping[str, Any], names: Set[str]) -> dict[str, Any]:
    """A scope with what is given, which counts before it only under some names."""
    return {**given, **scope, **{name: value for name, value in given.items() if name in names}}


def _object(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
