"""JSON values whose texts may hold `{{expression}}` -> `Template`, compiled once and rendered often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bpm.metering import MAX_STEPS, Meter

from .errors import EvaluationError, ExpressionError, TooManySteps
from .expression import Missing, compile_expression, evaluated
from .functions import to_text
from .paths import Evaluator
from .values import CHARACTERS_PER_STEP, MAX_TEXT, size

MAX_TEMPLATE = 65_536
MAX_DEPTH = 64
MAX_EXPRESSIONS = 1_000
"""Compiling one takes a tenth of a millisecond, in which others may have to wait."""
MOST_UNMEASURED = 16
"""With more expressions than that, naming one long value again and again, the result is measured."""

OPENING, CLOSING = "{{", "}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. `names` are the top-level names it reads from the scope.

    Rendering gives a new JSON value.
    """

    names: frozenset[str]
    run: Evaluator

    def render(self, scope: Mapping[str, Any], limit: int = MAX_STEPS) -> Any:
        """Render in `limit` steps at most, which all expressions share; raises EvaluationError."""
        return evaluated(self.run, scope, limit)


def compile_template(value: Any, missing: Missing = "error") -> Template:
    """Compile any JSON value; raises ExpressionError, its message headed by the place inside the value.

    A text that is exactly one `{{expression}}` becomes the expression's value. Inside other text an
    expression is rendered: texts as they are, null as nothing, anything else as JSON.
    """
    builder = _Builder(missing)
    render = builder.build(value, "", 1)
    if builder.expressions > MOST_UNMEASURED:
        render = _measured(render)
    return Template(frozenset(builder.names), render)


class _Builder:
    """Compiles one template, counting its size."""

    def __init__(self, missing: Missing) -> None:
        self.missing: Missing = missing
        self.names: set[str] = set()
        self.size = 0
        self.expressions = 0

    def build(self, value: Any, place: str, depth: int) -> Evaluator:
        """The renderer of `value`, which stands at `place`."""
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the template is nested deeper than {MAX_DEPTH}", 1)
        self.measure(len(value) if isinstance(value, str) else 1)
        if isinstance(value, str):
            return self.build_text(value, place)
        if isinstance(value, dict):
            return self.build_object(cast("dict[Any, Any]", value), place, depth)
        if isinstance(value, list):
            items = [
                self.build(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(cast("list[Any]", value))
            ]
            return lambda scope, meter: [render(scope, meter) for render in items]
        return lambda _, __: value

    def measure(self, size: int) -> None:
        """Count the template's size; raises ExpressionError beyond the limit."""
        self.size += size
        if self.size > MAX_TEMPLATE:
            raise ExpressionError(f"the template is larger than {MAX_TEMPLATE} characters", 1)

    def build_object(self, value: dict[Any, Any], place: str, depth: int) -> Evaluator:
        """The renderer of an object, whose keys stay as they are."""
        entries: dict[str, Evaluator] = {}
        for key, item in value.items():
            if not isinstance(key, str) or OPENING in key:
                raise ExpressionError(f"{_at(place)}a key must be plain text without {OPENING}", 1)
            self.measure(len(key))
            entries[key] = self.build(item, f"{place}.{key}" if place else key, depth + 1)
        return lambda scope, meter: {key: render(scope, meter) for key, render in entries.items()}

    def build_text(self, text: str, place: str) -> Evaluator:
        """The renderer of a text."""
        if OPENING not in text:
            return lambda _, __: text
        try:
            parts = [part if isinstance(part, str) else self.expression(*part) for part in split(text)]
        except ExpressionError as error:
            raise ExpressionError(_at(place) + error.message, error.column) from error
        if len(parts) == 1 and not isinstance(parts[0], str):
            return _named(parts[0], place)
        return _named(_join(parts), place)

    def expression(self, source: str, offset: int) -> Evaluator:
        """The evaluator of the expression that stands at `offset` of its text."""
        try:
            compiled = compile_expression(source, self.missing)
        except ExpressionError as error:
            raise ExpressionError(error.message, error.column + offset) from error
        self.names |= compiled.names
        self.expressions += 1
        if self.expressions > MAX_EXPRESSIONS:
            raise ExpressionError(f"the template has more than {MAX_EXPRESSIONS} expressions", 1)
        return compiled.run


def split(text: str) -> list[str | tuple[str, int]]:
    """Cut a text into plain parts and expressions, each with its offset.

    Braces inside quotes and in pairs belong to the expression: `{{ {a: "}}"} }}`.
    Raises ExpressionError for a `{{` that is not closed.
    """
    parts: list[str | tuple[str, int]] = []
    at = 0
    while (start := text.find(OPENING, at)) >= 0:
        if start > at:
            parts.append(text[at:start])
        end = _closing(text, start + 2)
        parts.append((text[start + 2 : end], start + 2))
        at = end + 2
    if at < len(text):
        parts.append(text[at:])
    return parts


def _closing(text: str, start: int) -> int:
    """Where the `}}` stands that closes the expression starting at `start`."""
    at, open_braces, quote = start, 0, ""
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character == "{":
            open_braces += 1
        elif character == "}":
            if open_braces == 0 and text.startswith(CLOSING, at):
                return at
            open_braces -= 1
        at += 1
    raise ExpressionError(f"{OPENING} is not closed by {CLOSING}", start - 1)


def _join(parts: list[str | Evaluator]) -> Evaluator:
    """The renderer of a text with expressions inside."""
    renderers: list[Evaluator] = [_constant(part) if isinstance(part, str) else part for part in parts]

    def render(scope: Mapping[str, Any], meter: Meter) -> str:
        pieces: list[str] = []
        size = 0
        for renderer in renderers:
            pieces.append(to_text(renderer(scope, meter), meter))
            size += len(pieces[-1])
            meter.charge(1 + len(pieces[-1]) // CHARACTERS_PER_STEP)
            if size > MAX_TEXT:
                raise EvaluationError(f"a text grew beyond {MAX_TEXT} characters")
        return "".join(pieces)

    return render


def _measured(render: Evaluator) -> Evaluator:
    def render_within(scope: Mapping[str, Any], meter: Meter) -> Any:
        value = render(scope, meter)
        size(value, meter)
        return value

    return render_within


def _constant(text: str) -> Evaluator:
    return lambda _, __: text


def _named(render: Evaluator, place: str) -> Evaluator:
    """Head the error messages of `render` with its place in the template."""
    if not place:
        return render

    def render_at(scope: Mapping[str, Any], meter: Meter) -> Any:
        try:
            return render(scope, meter)
        except TooManySteps as error:
            raise TooManySteps(f"{place}: {error}") from error
        except EvaluationError as error:
            raise EvaluationError(f"{place}: {error}") from error

    return render_at


def _at(place: str) -> str:
    return f"{place}: " if place else ""
