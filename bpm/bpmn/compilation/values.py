"""What compiling makes of an element's texts: evaluators, mappings, conditions and timers."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from bpm.bpmn.compilation.languages import EXPRESSION, PYTHON
from bpm.bpmn.compilation.variable_functions import without_variable_functions
from bpm.bpmn.cron import Cron
from bpm.bpmn.reader.extensions import Assignment, InlineScript
from bpm.bpmn.timers import Cycle, parse_cycle, parse_date, parse_duration
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError, Expression, ExpressionError, compile_expression, compile_template, marked

Evaluator = Callable[[Mapping[str, Any]], Any]

_JUEL = re.compile(r"[$#]\{([^{}]*)\}")
_JAVA = re.compile(r"[$#]\{|\}|(?<![\w.\"'])(execution|task|delegateExecution|delegateTask)\.")
"""Where an expression begins, where one ends, and an object of Camunda 7's, which counts inside of one."""


def compile_value(source: Any) -> Evaluator:
    """Compile a value of a mapping; raises ExpressionError.

    `=expression` (FEEL) and `${expression}` (JUEL) give the expression's value, `{{expression}}` and `${…}` inside
    a text are filled in, anything else is meant literally. A missing variable is null.
    """
    if isinstance(source, str) and source.startswith("="):
        return compile_expression(source, "null").evaluate
    return compile_template(_from_juel(source), "null").render


def compile_holding(source: Any, scripts: list[str]) -> Evaluator:
    """Compile a value that may hold scripts; those in Python are added to `scripts`. Raises ExpressionError."""
    match source:
        case InlineScript():
            return _compile_script(source, scripts)
        case list() if _holds_script(source):
            items = [compile_holding(item, scripts) for item in cast("list[Any]", source)]
            return lambda view: [item(view) for item in items]
        case dict() if _holds_script(source):
            pairs = cast("dict[str, Any]", source).items()
            members = {name: compile_holding(value, scripts) for name, value in pairs}
            return lambda view: {name: value(view) for name, value in members.items()}
        case _:
            return compile_value(source)


def _holds_script(source: Any) -> bool:
    match source:
        case list():
            return any(map(_holds_script, cast("list[Any]", source)))
        case dict():
            return any(map(_holds_script, cast("dict[str, Any]", source).values()))
        case _:
            return isinstance(source, InlineScript)


def _compile_script(script: InlineScript, scripts: list[str]) -> Evaluator:
    if not script.source.strip():
        raise ExpressionError("its script is empty", 1)
    if script.language in EXPRESSION:
        return compile_value(marked(script.source.strip()))
    if script.language not in PYTHON:
        raise ExpressionError(f"its script is written in {script.language}; scripts are Python", 1)
    number = len(scripts)
    scripts.append(script.source)
    return lambda view: _result_of(view, number)


def _result_of(view: Mapping[str, Any], number: int) -> Any:
    """What a script of a mapping came to."""
    results = view.scripts if isinstance(view, View) else ()
    if number >= len(results):
        raise EvaluationError("a script of the mapping has not run, as it does only when the activity itself completes")
    return results[number]


def compile_condition(source: str) -> Expression:
    """Compile a condition, in which a missing variable is null; raises ExpressionError."""
    source = without_variable_functions(source)
    _refuse_java(source)
    return compile_expression(source, "null")


def _refuse_java(source: str) -> None:
    """Raise ExpressionError for Camunda 7's own objects, which would otherwise be variables that are not there."""
    is_inside = False
    for match in _JAVA.finditer(source):
        if match[1] is None:
            is_inside = match[0] != "}"
        elif is_inside:
            message = f"'{match[1]}' is an object of Camunda 7's Java, which is not there; name variables instead"
            raise ExpressionError(message, match.start(1) + 1)


def _from_juel(source: Any) -> Any:
    """The same value with `{{${…}}}` for every `${…}` and `#{…}` in its texts."""
    if isinstance(source, str):
        plain = _JUEL.sub(lambda found: f"${{{without_variable_functions(found[1])}}}", source)
        _refuse_java(plain)
        return _JUEL.sub(r"{{${\1}}}", plain)
    if isinstance(source, dict):
        return {key: _from_juel(value) for key, value in cast("dict[str, Any]", source).items()}
    if isinstance(source, list):
        return [_from_juel(item) for item in cast("list[Any]", source)]
    return source


def is_constant(source: str) -> bool:
    """Whether a text means itself, with nothing to evaluate."""
    return not source.startswith("=") and "{{" not in source and not _JUEL.search(source)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A compiled input or output mapping.

    `scripts` are those in Python that it holds, which have to run first; `holders` the number of the assignment that
    holds each.
    """

    assignments: tuple[tuple[str, tuple[str, ...], Evaluator], ...]
    scripts: tuple[str, ...] = ()
    holders: tuple[int, ...] = ()

    @classmethod
    def compile(cls, assignments: Iterable[Assignment]) -> "Mapped":
        """Compile a mapping; raises ExpressionError."""
        scripts: list[str] = []
        holders: list[int] = []
        compiled: list[tuple[str, tuple[str, ...], Evaluator]] = []
        for number, one in enumerate(assignments):
            name, *path = one.target.split(".")
            compiled.append((name, tuple(path), compile_holding(one.source, scripts)))
            holders += [number] * (len(scripts) - len(holders))
        return cls(tuple(compiled), tuple(scripts), tuple(holders))

    @property
    def names(self) -> frozenset[str]:
        """The variables it sets."""
        return frozenset(name for name, _, _ in self.assignments)

    def evaluate(self, view: View, merge: bool = False, until: int | None = None) -> dict[str, Any]:
        """The targets' values by top-level name, each seeing the ones before it.

        A path builds an object; with `merge` it adds to the variable that is there already. `until` names the script
        before whose assignment to stop.
        """
        assignments = self.assignments if until is None else self.assignments[: self.holders[until]]
        values: dict[str, Any] = {}
        seen = view.within({}) if len(assignments) > 1 else view
        for name, path, evaluator in assignments:
            value = evaluator(seen)
            if path:
                there = values.get(name, view.get(name) if merge else None)
                value = _nest(there, path, value)
            values[name] = value
            if seen is not view:
                seen[name] = value
        return values


def _nest(target: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of the object `target` with `value` at `path`; what is no object is replaced."""
    copy: dict[str, Any] = dict(cast("Mapping[str, Any]", target)) if isinstance(target, Mapping) else {}
    copy[path[0]] = value if len(path) == 1 else _nest(copy.get(path[0]), path[1:], value)
    return copy


@dataclass(frozen=True, slots=True)
class Timer:
    """A compiled timer: a duration, a date or a cycle, fixed or computed."""

    timing: str
    value: Evaluator

    @classmethod
    def compile(cls, timing: str, text: str) -> "Timer":
        """Compile a timer; raises ExpressionError, or EvaluationError for a fixed text that is no such time."""
        if is_constant(text):
            _READERS[timing](text)
        return cls(timing, compile_value(text))

    def schedule(self, view: View) -> tuple[datetime, Any]:
        """When it is due first, and the data that `timers.next_time` needs (None: it fires once)."""
        value = _READERS[self.timing](self.value(view))
        if isinstance(value, datetime):
            return value, None
        if isinstance(value, Cycle):
            return value.first_time(view.now)
        return value.after(view.now), [value.text] if isinstance(value, Cron) else None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "duration": parse_duration,
    "date": parse_date,
    "cycle": parse_cycle,
}
