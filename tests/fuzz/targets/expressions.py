"""Expressions made of the language's own words, evaluated with awkward values.

Whatever is written, it is refused by one of the three errors of the language, or comes to a value that can be
written as JSON; and no step takes so long that the limit of steps is none.
"""

import time

from hypothesis import strategies as st
from pydantic_core import to_json

from bpm.expressions import EvaluationError, ExpressionError, compile_expression, compile_template
from bpm.expressions.functions import FUNCTIONS
from bpm.metering import MAX_STEPS, OverBudget

MAX_SECONDS = 2.0
"""Of the processor, for `MAX_STEPS`: twenty times what it takes."""
WORDS = [
    *(f"{name}(" for name in FUNCTIONS),
    *("payload", "text", "numbers", "objects", "record", "deep", "big", "item", "x", "a", "b", "?", "null", "true"),
    *("(", ")", "[", "]", "{", "}", ",", ":", ".", "..", "'", '"', "`", "=", "${", "{{", "}}", "@"),
    *(" and ", " or ", " in ", " not ", " ?? ", "+", "-", "*", "/", "%", "**", "<", ">=", "!=", " contains "),
    *("for x in ", " return ", "some x in ", "every x in ", " satisfies ", "if ", " then ", " else ", " between "),
    *("function(a, b) ", " instance of ", "1", "0", "9999", "1e308", "10**", "2.5", "'P1D'", "'2026-01-01'"),
]
VALUES = {
    "payload": {"a": [1, {"b": None}], "b": "é" * 500},
    "text": "ab" * 100_000,
    "numbers": list(range(9_000)),
    "objects": [{"a": number, "b": [number]} for number in range(3_000)],
    "record": {f"k{number}": number for number in range(3_000)},
    "deep": [[[[[[[[1]]]]]]]],
    "big": 10**4_000,
}
TEMPLATES = [
    "{}",
    "={}",
    "for x in numbers return {}",
    "=for x in numbers return {}",
    "some x in objects satisfies {}",
    "sort(objects, function(a, b) {})",
    "count(objects[{}]) > 0",
]


def fuzz(data: st.DataObject) -> None:
    """Raise when an expression ends in another way, or takes too long."""
    inner = "".join(data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12)))
    source = data.draw(st.sampled_from(TEMPLATES)).replace("{}", inner)
    started = time.thread_time()
    try:
        if data.draw(st.booleans()):
            to_json(compile_expression(source, data.draw(st.sampled_from(["error", "null"]))).evaluate(VALUES))
        else:
            to_json(compile_template({"a": f"x{{{{{source}}}}}", "b": source}).render(VALUES))
    except (ExpressionError, EvaluationError, OverBudget):
        pass
    assert time.thread_time() - started < MAX_SECONDS, f"{MAX_STEPS} steps took too long: {source}"
