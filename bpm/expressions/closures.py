"""The functions of the scope that parts of an expression become, made of those of their own parts."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from .errors import Unsuitable
from .paths import Evaluator
from .scopes import Frame
from .values import describe, holds, same, size


def or_null(evaluator: Evaluator) -> Evaluator:
    """The same, null where a value is missing or of the wrong type."""

    def evaluate(scope: Mapping[str, Any]) -> Any:
        try:
            return evaluator(scope)
        except Unsuitable:
            return None

    return evaluate


def is_among(container: Any, value: Any) -> bool:
    """FEEL's `in`: whether a list has an equal element, or anything else is equal itself."""
    if isinstance(container, list):
        return holds(cast("list[Any]", container), value)
    return same(container, value)


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

    def decide(scope: Mapping[str, Any]) -> bool | None:
        result: bool | None = not decisive
        for part in parts:
            value = part(scope)
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

    def choose(scope: Mapping[str, Any]) -> Any:
        return yes(scope) if truth(test(scope), "'if'", lenient) else no(scope)

    return choose


def default(value: Evaluator, default: Evaluator) -> Evaluator:
    """`value ?? default`."""

    def choose(scope: Mapping[str, Any]) -> Any:
        found = value(scope)
        return default(scope) if found is None else found

    return choose


def list_of(items: list[Evaluator]) -> Evaluator:
    """`[a, b]`."""

    def build(scope: Mapping[str, Any]) -> list[Any]:
        values = [item(scope) for item in items]
        size(values)
        return values

    return build


def object_of(entries: dict[str, Evaluator]) -> Evaluator:
    """`{name: value}`."""

    def build(scope: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: value(scope) for name, value in entries.items()}
        size(values)
        return values

    return build


def context(entries: dict[str, Evaluator]) -> Evaluator:
    """The same where a value sees the entries before it."""

    def build(scope: Mapping[str, Any]) -> dict[str, Any]:
        frame = Frame(scope)
        for name, value in entries.items():
            frame[name] = value(frame)
        size(frame)
        return dict(frame)

    return build


def _collect(turns: Evaluator, lenient: bool) -> Evaluator:
    def collect(scope: Mapping[str, Any]) -> list[Any]:
        results: list[Any] = []
        for frame, result in turns(scope):
            frame.meter.collect(result)
            results.append(result)
        return results

    return collect


def _collect_each(turns: Evaluator, lenient: bool) -> Evaluator:
    collect = _collect(turns, lenient)
    return lambda scope: [item for items in collect(scope) for item in items]


def _some(turns: Evaluator, lenient: bool) -> Evaluator:
    return lambda scope: any(truth(result, "'some'", lenient) for _, result in turns(scope))


def _every(turns: Evaluator, lenient: bool) -> Evaluator:
    return lambda scope: all(truth(result, "'every'", lenient) for _, result in turns(scope))


LOOPS: dict[str, Callable[[Evaluator, bool], Evaluator]] = {
    "for": _collect,
    "each": _collect_each,
    "some": _some,
    "every": _every,
}
