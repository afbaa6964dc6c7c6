"""The functions of the scope that parts of an expression become, made of those of their own parts."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from bpm.metering import Meter

from .errors import Unsuitable
from .intervals import Interval
from .paths import Evaluator
from .scopes import Frame
from .values import CHARACTERS_PER_STEP, NUMBERS, bounded, describe, holds, same, size


def counted(evaluator: Evaluator) -> Evaluator:
    """The same for one step."""

    def evaluate(scope: Mapping[str, Any], meter: Meter) -> Any:
        meter.left -= 1
        if meter.left < 0:
            meter.refuse()
        return evaluator(scope, meter)

    return evaluate


def or_null(evaluator: Evaluator) -> Evaluator:
    """The same for one step, null where a value is missing or of the wrong type."""

    def evaluate(scope: Mapping[str, Any], meter: Meter) -> Any:
        meter.left -= 1
        if meter.left < 0:
            meter.refuse()
        try:
            return evaluator(scope, meter)
        except Unsuitable:
            return None

    return evaluate


def is_among(container: Any, value: Any, meter: Meter) -> bool:
    """FEEL's `in`: whether a list has an equal element or a range around it, or anything else is equal itself."""
    if isinstance(container, Interval):
        return container.contains(value, meter)
    if not isinstance(container, list):
        return same(container, value, meter)
    items = cast("list[Any]", container)
    if any(isinstance(item, Interval) for item in items):
        return any(is_among(item, value, meter) for item in items)
    return holds(items, value, meter) or same(items, value, meter)


def any_met(tests: list[Evaluator]) -> Evaluator:
    """Whether one of several tests is met; raises Unsuitable when none is, and the value does not suit one of them."""

    def decide(scope: Mapping[str, Any], meter: Meter) -> bool:
        unsuitable: Unsuitable | None = None
        for test in tests:
            try:
                if test(scope, meter):
                    return True
            except Unsuitable as error:
                unsuitable = unsuitable or error
        if unsuitable:
            raise unsuitable
        return False

    return decide


def is_equal(left: Any, right: Any, meter: Meter) -> bool | None:
    """FEEL's `=`: null between values of different types, but null itself equals null only."""
    if left is None or right is None:
        return left is right
    if type(left) is not type(right) and not (type(left) in NUMBERS and type(right) in NUMBERS):
        return None
    return same(left, right, meter)


def truth(value: Any, place: str, lenient: bool) -> bool | None:
    """A boolean, or null where that is allowed; raises Unsuitable for anything else."""
    if value is True or value is False:
        return value
    if lenient:
        return None
    raise Unsuitable(f"{place} needs true or false, not {describe(value)}")


def elements(value: Any) -> list[Any]:
    """A list; raises Unsuitable for anything else."""
    if not isinstance(value, list):
        raise Unsuitable(f"a list is needed, not {describe(value)}")
    return cast("list[Any]", value)


def logic(operator: str, parts: list[Evaluator], lenient: bool) -> Evaluator:
    """Three-valued `and` and `or`: null counts as unknown where null is allowed."""
    decisive = operator == "or"
    place = f"'{operator}'"

    def decide(scope: Mapping[str, Any], meter: Meter) -> bool | None:
        result: bool | None = not decisive
        for part in parts:
            value = part(scope, meter)
            if value is decisive:
                return decisive
            if value is result:
                continue
            if value is not (not decisive):
                result = truth(value, place, lenient)
        return result

    return decide


def conditional(test: Evaluator, yes: Evaluator, no: Evaluator, lenient: bool) -> Evaluator:
    """`if test then yes else no`; what is not true counts as false."""

    def choose(scope: Mapping[str, Any], meter: Meter) -> Any:
        return yes(scope, meter) if truth(test(scope, meter), "'if'", lenient) else no(scope, meter)

    return choose


def default(value: Evaluator, default: Evaluator) -> Evaluator:
    """`value ?? default`."""

    def choose(scope: Mapping[str, Any], meter: Meter) -> Any:
        found = value(scope, meter)
        return default(scope, meter) if found is None else found

    return choose


def list_of(items: list[Evaluator]) -> Evaluator:
    """`[a, b]`."""

    def build(scope: Mapping[str, Any], meter: Meter) -> list[Any]:
        values = [item(scope, meter) for item in items]
        size(values, meter)
        return values

    return build


def object_of(entries: dict[str, Evaluator]) -> Evaluator:
    """`{name: value}`."""

    def build(scope: Mapping[str, Any], meter: Meter) -> dict[str, Any]:
        values = {name: value(scope, meter) for name, value in entries.items()}
        size(values, meter)
        return values

    return build


def context(entries: dict[str, Evaluator]) -> Evaluator:
    """The same where a value sees the entries before it."""

    def build(scope: Mapping[str, Any], meter: Meter) -> dict[str, Any]:
        frame = Frame(scope)
        for name, value in entries.items():
            frame[name] = value(frame, meter)
        size(frame, meter)
        return dict(frame)

    return build


def _collect(turns: Evaluator, lenient: bool) -> Evaluator:
    def collect(scope: Mapping[str, Any], meter: Meter) -> list[Any]:
        results: list[Any] = []
        for result in turns(scope, meter):
            meter.charge(size(result, meter) // CHARACTERS_PER_STEP)  # repeated in the result, not in memory
            results.append(result)
        return bounded(results)

    return collect


def _collect_each(turns: Evaluator, lenient: bool) -> Evaluator:
    collect = _collect(turns, lenient)

    def join(scope: Mapping[str, Any], meter: Meter) -> list[Any]:
        joined: list[Any] = []
        for items in collect(scope, meter):
            meter.charge(1 + len(items))
            joined += items
            bounded(joined)
        return joined

    return join


def _some(turns: Evaluator, lenient: bool) -> Evaluator:
    return lambda scope, meter: any(truth(result, "'some'", lenient) for result in turns(scope, meter))


def _every(turns: Evaluator, lenient: bool) -> Evaluator:
    return lambda scope, meter: all(truth(result, "'every'", lenient) for result in turns(scope, meter))


LOOPS: dict[str, Callable[[Evaluator, bool], Evaluator]] = {
    "for": _collect,
    "each": _collect_each,
    "some": _some,
    "every": _every,
}
