"""Decisions and functions made to run for ever or to fall out of the language: refused by a sentence, within steps."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.bpmn import InvalidDefinition
from bpm.dmn import DecisionFailed, decide, load_decisions
from bpm.expressions import EvaluationError, TooManySteps, compile_expression

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DMN = '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f">{}</definitions>'


def literal(source: str) -> str:
    """Write an expression."""
    return f"<literalExpression><text>{source.replace('<', '&lt;')}</text></literalExpression>"


def knowing(name: str) -> str:
    """Write that business knowledge is required."""
    return f'<knowledgeRequirement><requiredKnowledge href="#{name}"/></knowledgeRequirement>'


def knowledge(name: str, source: str, requires: str = "", parameters: str = '<formalParameter name="n"/>') -> str:
    """Write business knowledge of one parameter."""
    logic = f"<encapsulatedLogic>{parameters}{literal(source)}</encapsulatedLogic>"
    return f'<businessKnowledgeModel id="{name}" name="{name}">{logic}{requires}</businessKnowledgeModel>'


def decision(source: str, requires: str = "") -> str:
    """Write the decision `d`."""
    return f'<decision id="d" name="d">{requires}{literal(source)}</decision>'


@pytest.mark.parametrize(
    "body",
    [
        "f(n + 1)",
        "sort([1, 2], function(a, b) f(n) = 1)",
        "[1, 2][f(n) = 1]",
        "some x in [1] satisfies f(n)",
        "(" * 50 + "f(n)" + ")" * 50,
        "{a: f(n)}.a",
    ],
)
def test_a_function_without_an_end_is_refused(body: str) -> None:
    """Wherever it calls itself: by the depth of its calls, not by the interpreter's stack."""
    file = DMN.format(knowledge("f", body) + decision("f(1)", knowing("f")))
    with pytest.raises(DecisionFailed, match="call each other more than 64 deep"):
        decide(load_decisions(file)["d"], {}, NOON)


def test_a_function_given_to_itself_is_refused() -> None:
    """Without any name to call."""
    with pytest.raises(EvaluationError, match="more than 64 deep"):
        compile_expression("=(function(f) f(f))(function(f) f(f))", "null").evaluate({})


def test_two_calls_in_each_call_are_counted() -> None:
    """Depth alone would allow more calls than there is time for."""
    file = DMN.format(knowledge("f", "if n < 1 then 1 else f(n - 1) + f(n - 1)") + decision("f(50)", knowing("f")))
    with pytest.raises(DecisionFailed, match="steps"):
        decide(load_decisions(file)["d"], {}, NOON)


@pytest.mark.parametrize(
    "source",
    [
        "for i in 1..9999 return count([many instance of list<number>])",
        "{f: function(a: list<number>) 1, all: for i in 1..9999 return f(many)}.all",
        "for i in 1..60 return partial",
        "for i in 1..9999 return if i > 1 then partial[1] + i else 1",
        "count(distinct values(for i in 1..9999 return [text..text]))",
    ],
)
def test_types_ranges_and_partial_results_are_metered(source: str) -> None:
    """Each look at a long value is charged by its length."""
    values: dict[str, Any] = {"many": list(range(100_000)), "text": "x" * 900}
    with pytest.raises(TooManySteps):
        compile_expression("=" + source, "null").evaluate(values)


def test_an_end_of_a_range_is_short() -> None:
    """A range of long texts would be compared and written again and again."""
    assert compile_expression("=[text..text]", "null").evaluate({"text": "x" * 2_000}) is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("".join(f'<inputData id="i{n}" name="a-{n}"/>' for n in range(201)), "names with blanks or marks"),
        ("".join(knowledge(f"k{n}", "1", knowing(f"k{n + 1}")) for n in range(200)) + knowledge("k200", "1"),
         "more than 128 requirements in a row"),
        ("".join(f'<itemDefinition name="t{n}"><typeRef>t{n + 1}</typeRef></itemDefinition>' for n in range(99)),
         "made of itself, or nested too deep"),
        ('<inputData id="d" name="x"/>', "the id 'd' is given 2 times"),
        (knowledge("k", "1", parameters='<formalParameter name="n"/>' * 2), "two names of a parameter are the same"),
        (knowledge("k", "1", parameters="<formalParameter/>"), "a parameter has no name"),
    ],
    ids=["names", "requirements", "types", "ids", "parameters", "nameless"],
)  # fmt: skip
def test_a_model_that_is_too_large_or_ambiguous_is_refused(body: str, says: str) -> None:
    """Before it is read for long, with what is wrong."""
    requires = knowing("k0") if "k0" in body else knowing("k") if '"k"' in body else ""
    with pytest.raises(InvalidDefinition) as refused:
        load_decisions(DMN.format(body + decision("1", requires)))
    assert any(says in error for error in refused.value.errors), refused.value.errors


def test_types_made_of_types_do_not_multiply() -> None:
    """Twenty-five contexts of two of the next one are read once each."""
    parts = "".join(
        f'<itemDefinition name="t{n}"><itemComponent name="a"><typeRef>t{n + 1}</typeRef></itemComponent>'
        f'<itemComponent name="b"><typeRef>t{n + 1}</typeRef></itemComponent></itemDefinition>'
        for n in range(25)
    )
    data = '<inputData id="i" name="x"><variable name="x" typeRef="t0"/></inputData>'
    end = '<itemDefinition name="t25"><typeRef>number</typeRef></itemDefinition>'
    needs = '<informationRequirement><requiredInput href="#i"/></informationRequirement>'
    file = DMN.format(parts + end + data + decision("x.a.b = null", needs))
    assert decide(load_decisions(file)["d"], {"x": {}}, NOON) is True
