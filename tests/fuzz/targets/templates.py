"""Templates of any shape, their braces and quotes in any order: refused, or rendered to JSON that can be written."""

import time
from typing import Any

from hypothesis import strategies as st
from pydantic_core import to_json

from bpm.expressions import EvaluationError, ExpressionError, compile_template
from bpm.expressions.expression import Missing
from bpm.metering import OverBudget
from tests.fuzz.targets.expressions import MAX_SECONDS, VALUES, WORDS

PIECES = [
    *("{{", "}}", "{", "}", "{{{", "}}}", '"', "'", "`", "\\", "\\'", "{{ {a: 1} }}", "{{text}}", "{{payload}}"),
    *(
        "{{numbers}}",
        "{{record}}",
        "{{big}}",
        "{{deep}}",
        "{{null}}",
        "{{x",
        "a" * 2_000,
        "é",
        "\0",
        "\\ud800",
        "\n",
        "=",
    ),
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(WORDS)), max_size=8).map("".join)
KEYS = st.one_of(st.sampled_from(["a", "b", "{{a}}", "", "}}"]), TEXTS)
TEMPLATES = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


def fuzz(data: st.DataObject) -> None:
    """Raise when a template ends in another way or takes too long."""
    template: Any = data.draw(TEMPLATES)
    if data.draw(st.booleans()):
        template = [template] * data.draw(st.sampled_from([2, 40]))
    for _ in range(data.draw(st.sampled_from([0, 0, 30, 63, 200]))):
        template = {"a": template}
    started = time.thread_time()
    problem = _render(template, data.draw(st.sampled_from(["error", "null"])))
    assert len(problem) < 5_000, problem
    assert time.thread_time() - started < MAX_SECONDS, f"it took too long: {str(template)[:2_000]}"


def _render(template: Any, missing: Missing) -> str:
    """Return why a template is refused or can't be rendered; nothing when it comes to JSON."""
    try:
        to_json(compile_template(template, missing).render(VALUES))
    except (ExpressionError, EvaluationError, OverBudget) as refused:
        return str(refused)
    return ""
