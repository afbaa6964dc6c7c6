"""What of a form is to be shown for the values that have been entered so far."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from bpm.forms.form import Form
from bpm.forms.places import MAX_STEPS, FormPlace, places
from bpm.forms.reader import HOLDERS
from bpm.forms.values import option_value
from bpm.metering import metered

MAX_OPTIONS = 2_000
"""How many options of all fields are listed."""


@dataclass(frozen=True, slots=True)
class Option:
    """What may be chosen, and what people see of it."""

    value: Any
    label: str


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field that is shown: its path below the values, as in `order.rows[0].price`, and what holds for it now."""

    path: str
    value: Any
    is_locked: bool
    is_required: bool
    options: tuple[Option, ...] | None


def shown_fields(
    form: Form, given: Mapping[str, Any] | None, seen: Mapping[str, Any], now: datetime
) -> list[ShownField]:
    """Return what is shown; groups without a path of their own stand in it only by what is in them.

    Where nothing is `given` yet the fields hold the variables of their names among `seen`. Raises `OverBudget` and
    `EvaluationError`, as `bpm.forms.problems` does.
    """
    if given is None:
        given = {name: seen[name] for name in form.names if name in seen}
    with metered(MAX_STEPS, work="the fields of the form") as meter:
        left = MAX_OPTIONS
        found: list[ShownField] = []
        for place in places(form, given, seen, now, meter):
            options = _options(place, left)
            left -= len(options or ())
            required = place.field.rules.get("required")
            is_required = required is not None and required(place.scope) is True and not place.is_locked
            if place.field.kind not in HOLDERS or (place.field.path and not place.is_row):
                path = place.path.removeprefix("variables.")
                found.append(ShownField(path, place.value, place.is_locked, is_required, options))
        return found


def _options(place: FormPlace, most: int) -> tuple[Option, ...] | None:
    if place.field.options is None:
        return None
    listed = place.field.options(place.scope)
    return tuple(_each(cast("list[Any]", listed)[:most])) if isinstance(listed, list) else ()


def _each(listed: list[Any]) -> Iterator[Option]:
    for option in listed:
        value = option_value(option)
        members = cast("dict[str, Any]", option) if isinstance(option, dict) else {}
        label = members.get("label")
        yield Option(value, label if isinstance(label, str) else str(value))
