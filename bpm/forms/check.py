"""What people give to a form, held against it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from bpm.canonical import canonical
from bpm.forms.form import Form
from bpm.forms.places import MAX_STEPS, FormPlace, places
from bpm.forms.reader import HOLDERS, value_at
from bpm.forms.values import value_problem
from bpm.metering import Meter, metered

MAX_PROBLEMS = 20


def problems(form: Form, given: Mapping[str, Any], seen: Mapping[str, Any], now: datetime) -> list[str]:
    """Say what is wrong with the values given to a form, each sentence headed by the field.

    Fields that are not shown are asked for nothing; what conditions and options see stands at `places`. Raises
    `OverBudget` when finding out takes too many steps, `EvaluationError` when an expression can't be evaluated.
    """
    with metered(MAX_STEPS, work="the checks of the form") as meter:
        shown = places(form, given, seen, now, meter)
        return list(islice(_sentences(shown, given, seen, meter, now), MAX_PROBLEMS))


def _sentences(
    shown: Iterator[FormPlace], given: Mapping[str, Any], seen: Mapping[str, Any], meter: Meter, now: datetime
) -> Iterator[str]:
    for place in shown:
        field = place.field
        if field.kind in HOLDERS:
            problem, label = _holder_problem(place), ""
        else:
            problem, label = value_problem(field, place.value, place.scope, meter, now), field.label
            if place.is_locked and _changes(place, given, seen, meter):
                problem = "can't be changed; give it as it is"
        if problem:
            yield f"{place.path}{f' ({label})' if label else ''}: {problem}"


def _holder_problem(place: FormPlace) -> str:
    """What is wrong with what a group, a list or one of its rows holds; empty if nothing is."""
    if place.is_row:
        return "" if isinstance(place.value, dict) else "must be an object"
    if place.value is None or isinstance(place.value, dict if place.field.kind == "group" else list):
        return ""
    return "must be an object" if place.field.kind == "group" else "must be a list"


def _changes(place: FormPlace, given: Mapping[str, Any], seen: Mapping[str, Any], meter: Meter) -> bool:
    """Tell whether what is given takes the place of another value that is there."""
    if not place.names or place.names[0] not in given:
        return False
    present = value_at(seen, place.names)
    return present is not None and canonical(present, meter) != canonical(place.value, meter)
