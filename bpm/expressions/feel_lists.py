"""FEEL's brackets and loops: filters that may be positions, singletons, `partial`, three-valued quantifiers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from bpm.metering import Meter

from .errors import EvaluationError, Unsuitable
from .intervals import Interval
from .paths import Evaluator, pick
from .scopes import Frame
from .temporal import CivilDate
from .values import CHARACTERS_PER_STEP, MAX_LIST, NUMBERS, bounded, describe, size

STEPS_PER_TURN = 2
PARTIAL = "partial"
"""The name under which a loop's body sees the results so far."""


def many(value: Any) -> list[Any]:
    """A list; FEEL takes any other value as a list of it alone. Raises Unsuitable for null."""
    if value is None:
        raise Unsuitable("a list is needed, not null")
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def position(value: Any) -> int:
    """The index of an element that FEEL counts from 1, or from the end; raises Unsuitable."""
    if value == 0 or value != int(value):
        raise Unsuitable("FEEL counts elements in whole numbers from 1")
    return int(value) - (value > 0)


def chosen(target: Evaluator, key: Evaluator | None, condition: Evaluator) -> Evaluator:
    """`target[…]`: an element by its position, or those for which a condition holds.

    `key` is the same evaluated outside of the elements, where it may be a number; None when it can't be one.
    """

    def choose(scope: Mapping[str, Any], meter: Meter) -> Any:
        items = target(scope, meter)
        place = key(scope, meter) if key else None
        if type(place) in NUMBERS:
            return pick(many(items), position(place), "the list", True)
        if type(place) is str and isinstance(items, Mapping):
            return pick(items, place, "the object", True)
        return filtered(many(items), condition, scope, meter)

    return choose


def filtered(items: list[Any], condition: Evaluator, scope: Mapping[str, Any], meter: Meter) -> list[Any]:
    """The elements for which a condition holds, which sees `item` and, before all others, the item's own names."""
    frame = Frame(scope)
    kept: list[Any] = []
    for item in items:
        meter.charge(STEPS_PER_TURN)
        frame.look_at(item)
        if boolean(condition(frame, meter), "a filter"):
            kept.append(item)
    return kept


def boolean(value: Any, place: str) -> bool | None:
    """True, false or null; raises Unsuitable for anything else."""
    if value is None or value is True or value is False:
        return value
    raise Unsuitable(f"{place} needs true or false, not {describe(value)}")


def steps(low: Any, high: Any) -> Iterable[Any]:
    """The whole numbers or dates from one to another, downwards if the first is the greater."""
    if isinstance(low, CivilDate) and isinstance(high, CivilDate):
        return map(CivilDate.at, _places(low.position, high.position))
    return _places(_whole(low), _whole(high))


def _whole(value: Any) -> int:
    if type(value) in NUMBERS and value == int(value):
        return int(value)
    raise Unsuitable("a loop counts between two whole numbers or two dates")


def _places(first: int, last: int) -> range:
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)


def iterated(value: Any) -> Iterable[Any]:
    """What a loop runs over: a list, the numbers or dates of a range, or a single value."""
    if not isinstance(value, Interval):
        return many(value)
    if value.low is None or value.high is None:
        raise Unsuitable("a loop does not run over a range without an end")
    items = list(zip(steps(value.low, value.high), range(MAX_LIST + 1), strict=False))
    if len(items) > MAX_LIST:
        raise EvaluationError(f"a loop runs over at most {MAX_LIST} elements of a range")
    first, last = int(not value.includes_low), len(items) - (not value.includes_high)
    return [item for item, _ in items[first:last]]


def collected(turns: Callable[[Frame, Meter], Iterable[Any]]) -> Evaluator:
    """`for … return …`: the result of each turn, which the next ones see as `partial`."""

    def collect(scope: Mapping[str, Any], meter: Meter) -> list[Any]:
        frame = Frame(scope)
        results: list[Any] = []
        frame[PARTIAL] = results
        for result in turns(frame, meter):
            meter.charge(size(result, meter) // CHARACTERS_PER_STEP)
            results.append(result)
        return bounded(results)

    return collect


def quantified(turns: Callable[[Frame, Meter], Iterable[Any]], decisive: bool) -> Evaluator:
    """`some` and `every`: one decisive answer decides, else one that is neither true nor false makes it null."""

    def decide(scope: Mapping[str, Any], meter: Meter) -> bool | None:
        result: bool | None = not decisive
        for answer in turns(Frame(scope), meter):
            if boolean(answer, "'some' or 'every'") is decisive:
                return decisive
            if answer is None:
                result = None
        return result

    return decide


def nested(domains: list[tuple[str, Evaluator]], body: Evaluator) -> Callable[[Frame, Meter], Iterable[Any]]:
    """The results of a body for each element of the first domain, and for it of each of the next."""
    (variable, domain), *inner = domains
    within = nested(inner, body) if inner else None

    def turns(frame: Frame, meter: Meter) -> Iterable[Any]:
        for item in domain(frame, meter):
            meter.charge(STEPS_PER_TURN)
            frame[variable] = item
            if within:
                yield from within(frame, meter)
            else:
                yield body(frame, meter)

    return turns


def copied(evaluator: Evaluator) -> Evaluator:
    """A copy of the list, which goes on growing."""

    def copy(scope: Mapping[str, Any], meter: Meter) -> Any:
        value = evaluator(scope, meter)
        if isinstance(value, list):
            items = cast("list[Any]", value)
            meter.charge(len(items))
            return items.copy()
        return value

    return copy
