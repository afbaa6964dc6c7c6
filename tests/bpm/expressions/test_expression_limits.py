"""Hostile expressions and values end quickly, in an error that says why."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.exact_json import write_json
from bpm.expressions import EvaluationError, ExpressionError, compile_expression, compile_template
from tests.effort import effort_below

LONG = {"l": list(range(9_000)), "text": "x" * 1_000_000}


@pytest.mark.parametrize(
    "source",
    [
        "1" + " " * 4096,
        "(" * 65 + "1" + ")" * 65,
        "-" * 70 + "1",
        "+".join(["a"] * 200),
        "a" + "[b]" * 200,
        "not " * 100 + "true",
        "[" * 100 + "]" * 100,
        "{a:" * 100 + "1" + "}" * 100,
    ],
)
def test_long_or_deep_source_is_refused(source: str) -> None:
    """A source over 4096 characters or 64 levels is refused when compiled."""
    with pytest.raises(ExpressionError, match=r"longer than 4096|nested deeper than 64"):
        compile_expression(source)


def test_long_chains_of_and_are_fine() -> None:
    """Hundreds of conditions joined by `and` or `or` are not deep."""
    assert compile_expression(" or ".join(["a == 1"] * 300)).evaluate({"a": 2}) is False


@pytest.mark.parametrize(
    "source",
    [
        "10 ** 10 ** 9",
        "2 ** 1025",
        "product(for i in 1..500 return 999999)",
        "for i in 1..100000000 return i",
        "for a in l return for b in l return a",
        "for a in l return l",
        "for a in l return text",
        "some a in l satisfies some b in l satisfies a + b < 0",
        "for x in l return l contains -1",
        "some x in l satisfies length(string(l)) == 0",
        "for x in l return [l, l]",
        "[" + "text," * 100 + "text]",
        "{" + ",".join(f"k{n}: text" for n in range(100)) + "}",
        "string join([" + "text," * 100 + "text], ',')",
        "string join(l, text)",
        "string([" + "text," * 10 + "text])",
        "l[count(l[item < 0]) > 0]",
        "concatenate(l, l)",
        "1e308 * 10",
        "text + text",
        "date('999999999-12-31') + duration('P1D')",
        "date('999999999-12-31') + duration('P9M')",
        "duration('P999999999999D')",
    ],
)
def test_results_are_bounded(source: str) -> None:
    """Numbers, texts, lists and loops cannot grow beyond their limits, and it shows at once."""
    expression = compile_expression(source)
    with effort_below(10), pytest.raises(EvaluationError):
        expression.evaluate(LONG)


def test_text_cannot_be_repeated() -> None:
    """A number times a text is an error, not a longer text."""
    with pytest.raises(EvaluationError, match="cannot calculate with text and a number"):
        compile_expression("'x' * 1000000000").evaluate({})


def test_deep_values_are_an_error() -> None:
    """Values nested deeper than Python can follow end in an error."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    same_shape = [deep[0]]
    for source in ("a == b", "flatten(a)", "string(a)", "a contains b[0]"):
        with pytest.raises(EvaluationError):
            compile_expression(source).evaluate({"a": deep, "b": same_shape})


def test_attributes_and_methods_are_out_of_reach() -> None:
    """No expression reads an attribute of a Python object."""
    for source in ("a.__class__", "a.append", "a['__class__']", "f.__globals__", "a.keys"):
        with pytest.raises(EvaluationError):
            compile_expression(source).evaluate({"a": {}, "f": test_text_cannot_be_repeated})


def test_values_that_are_not_json_are_an_error() -> None:
    """A value of a type that JSON does not have ends in an error."""
    for source in ("string(a)", "string([a])", "a + 1", "a < a", "a.real"):
        with pytest.raises(EvaluationError):
            compile_expression(source).evaluate({"a": object()})


def test_template_size_is_bounded() -> None:
    """A template over 64 KiB or 64 levels is refused, and what it renders is bounded."""
    with pytest.raises(ExpressionError, match="larger than 65536"):
        compile_template(["x" * 40_000, "y" * 40_000])
    with pytest.raises(ExpressionError, match="nested deeper than 64"):
        compile_template(json.loads("[" * 65 + "]" * 65))
    for template in ("{{text}}{{text}}", ["{{text}}"] * 100):
        with pytest.raises(EvaluationError, match="grew beyond"):
            compile_template(template).render(LONG)


def check_outcome(source: str, missing: str = "error") -> None:
    """A source has one value, which JSON can hold, or is refused with a sentence; the same each time."""
    outcomes = [evaluate_or_refuse(source, missing) for _ in range(2)]
    assert outcomes[0] == outcomes[1]
    kind, text = outcomes[0]
    assert kind == "value" or " " in str(text), text


def evaluate_or_refuse(source: str, missing: Any) -> tuple[str, str | bytes]:
    """The value of `source` as JSON, or the sentence of its error."""
    try:
        value = compile_expression(source, missing).evaluate({"a": {"b": [1, "x"]}, "b": 2})
    except (ExpressionError, EvaluationError) as error:
        return "refused", str(error)
    return "value", write_json(value)


@settings(max_examples=300)
@given(st.text(alphabet="ab.[](){}'\"=<>!&|?:+-*/%,1 0\\`#${}", max_size=60) | st.text(max_size=40))
def test_any_text_compiles_or_is_refused(source: str) -> None:
    """Whatever text is given, it evaluates, or is refused with a sentence."""
    check_outcome(source)


WORDS = ["a", "b", "payload", "1", "'x'", "null", "true", "and", "or", "not", "in", "between", "if", "then", "else",
         "for", "some", "every", "return", "satisfies", "empty", "contains", "starts with", "date and time(", "count(",
         "(", ")", "[", "]", "..", ".", ",", "{", "}", ":", "?", "??", "==", "=", "<", "-", "+", "**", "!"]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), st.sampled_from(["error", "null"]))
def test_any_words_compile_or_are_refused(source: str, missing: Any) -> None:
    """Whatever words of the language follow each other, they evaluate or are refused."""
    check_outcome(source, missing)


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "**"])
@pytest.mark.parametrize(("left", "right"), [("text", 2), (2, "text"), (None, 2), ([1], 2), (True, 2), (1e308, 1e308)])
def test_arithmetic_of_anything_ends_as_documented(operator: str, left: Any, right: Any) -> None:
    """No pair of operands raises anything but an evaluation error."""
    for missing in ("error", "null"):
        with contextlib.suppress(EvaluationError):
            compile_expression(f"a {operator} b", missing=missing).evaluate({"a": left, "b": right})
