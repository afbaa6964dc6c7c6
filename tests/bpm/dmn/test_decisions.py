"""DMN decisions: hit policies, unary tests, requirements, and what is refused (DMN 1.3, chapters 6, 8 and 10)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.bpmn import InvalidDefinition
from bpm.dmn import DecisionFailed, decide, load_decisions

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
FILE = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="f" name="f" namespace="x">
<inputData id="i1" name="Applicant Age"/>{}</definitions>"""


Rules = Sequence[tuple[Sequence[str], Sequence[str]]]
"""Each is its tests and its outputs."""
LITERAL = "<literalExpression><text>1</text></literalExpression>"


def table(
    rules: Rules,
    policy: str = "UNIQUE",
    outputs: tuple[str, ...] = ("out",),
    inputs: tuple[str, ...] = ("n",),
    extra: str = "",
    kind: str = "",
    output: str = "",
) -> str:
    """A decision `d`; each rule is its tests and its outputs."""
    columns = "".join(
        f'<input id="i-{n}"><inputExpression id="e-{n}" typeRef="{kind}"><text>{name}</text></inputExpression></input>'
        for n, name in enumerate(inputs)
    )
    columns += "".join(f'<output id="o-{name}" name="{name}">{output}</output>' for name in outputs)
    rows = ""
    for number, (tests, values) in enumerate(rules):
        cells = "".join(f"<inputEntry><text>{_escaped(test)}</text></inputEntry>" for test in tests)
        cells += "".join(f"<outputEntry><text>{_escaped(value)}</text></outputEntry>" for value in values)
        rows += f'<rule id="r{number}">{cells}</rule>'
    body = f'<decisionTable hitPolicy="{policy}"{extra}>{columns}{rows}</decisionTable>'
    return f'<decision id="d" name="D">{body}</decision>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def result(decision: str, shape: str = "", name: str = "d", **variables: Any) -> Any:
    """What a decision of a file comes to."""
    return decide(load_decisions(FILE.format(decision))[name], variables, NOON, shape)


RULES = [(["< 10"], ["1"]), (["[5..20]"], ["2"]), (["> 15"], ["3"])]


@pytest.mark.parametrize(
    ("policy", "n", "expected"),
    [
        ("UNIQUE", 3, 1), ("UNIQUE", 30, 3), ("FIRST", 7, 1), ("FIRST", 16, 2), ("COLLECT", 7, [1, 2]),
        ("RULE ORDER", 18, [2, 3]), ("COLLECT", None, []), ("UNIQUE", None, None),
    ],
)  # fmt: skip
def test_a_hit_policy_chooses_among_the_rules_that_match(policy: str, n: int | None, expected: Any) -> None:
    """One value, or a list for the policies that hit several; nothing when no rule matches."""
    assert result(table(RULES, policy), n=n) == expected


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 5), ("MIN", 2), ("MAX", 3), ("COUNT", 2)])
def test_collect_aggregates(aggregation: str, expected: int) -> None:
    """The outputs that matched become one number."""
    assert result(table(RULES, "COLLECT", extra=f' aggregation="{aggregation}"'), n=18) == expected


DATED = [(["> 1"], ['date("2026-05-01")']), (["> 2"], ['date("2026-05-02")']), (["> 9"], ["1"]), (["> 99"], ['"a"'])]


@pytest.mark.parametrize(("aggregation", "expected"), [("MIN", "2026-05-01"), ("MAX", "2026-05-02"), ("COUNT", 2)])
def test_collect_finds_the_least_and_the_greatest_date(aggregation: str, expected: Any) -> None:
    """Dates, times and durations have an order as numbers have."""
    assert result(table(DATED, "COLLECT", extra=f' aggregation="{aggregation}"'), n=5) == expected


@pytest.mark.parametrize(
    ("aggregation", "n", "says"),
    [("SUM", 5, "SUM needs numbers, not a date"), ("MAX", 10, "of one kind"), ("MAX", 100, "of one kind")],
)
def test_collect_refuses_what_has_no_sum_or_order(aggregation: str, n: int, says: str) -> None:
    """By a sentence that names it."""
    with pytest.raises(DecisionFailed, match=says):
        result(table(DATED, "COLLECT", extra=f' aggregation="{aggregation}"'), n=n)


def test_unique_and_any_refuse_what_contradicts_them() -> None:
    """Two matches are an error for UNIQUE, different outputs for ANY."""
    with pytest.raises(DecisionFailed, match="2 rules match"):
        result(table(RULES), n=7)
    with pytest.raises(DecisionFailed, match="different outputs"):
        result(table(RULES, "ANY"), n=7)
    same = [(["< 10"], ["1"]), (["< 20"], ["1"])]
    assert result(table(same, "ANY"), n=7) == 1


def test_priority_and_output_order_follow_the_list_of_output_values() -> None:
    """The order of the values in the output column counts, not that of the rules."""
    values = '<outputValues><text>"high","low"</text></outputValues>'
    rules = [(["-"], ['"low"']), (["> 5"], ['"high"'])]
    assert result(table(rules, "PRIORITY", output=values), n=9) == "high"
    assert result(table(rules, "OUTPUT ORDER", output=values), n=9) == ["high", "low"]


def test_several_outputs_are_a_context() -> None:
    """And Camunda 7's ways to map them."""
    rules = [(["> 1"], ["1", '"a"']), (["> 2"], ["2", '"b"'])]
    collected = table(rules, "COLLECT", ("x", "y"))
    assert result(collected, n=5) == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]
    assert result(collected, "singleResult", n=2) == {"x": 1, "y": "a"}
    assert result(collected, "resultList", n=2) == [{"x": 1, "y": "a"}]
    assert result(table(RULES, "COLLECT"), "collectEntries", n=7) == [1, 2]
    assert result(table(RULES, "COLLECT"), "singleEntry", n=1) == 1
    with pytest.raises(DecisionFailed, match="one is wanted"):
        result(collected, "singleEntry", n=2)
    with pytest.raises(DecisionFailed, match="2 results"):
        result(collected, "singleResult", n=5)


def test_a_default_output_counts_when_no_rule_matches() -> None:
    """It belongs to the output column."""
    default = "<defaultOutputEntry><text>0</text></defaultOutputEntry>"
    assert result(table([(["> 5"], ["1"])], output=default), n=1) == 0


@pytest.mark.parametrize(
    ("test", "matching", "others"),
    [
        ("-", [1, "a", None, True], []),
        ("", [1], []),
        ('"gold","silver"', ["gold", "silver"], ["bronze", None, 1]),
        ("not(1, 2)", [3], [1, 2]),
        ("[1..5)", [1, 4.5], [5, 0, "a"]),
        ("]1..5[", [2], [1, 5]),
        (">= 3", [3, 4], [2, None, "a"]),
        ('!= "a"', ["b"], ["a"]),
        ("count(?) > 1", [[1, 2]], [[1]]),
        ('contains(?, "x") or ? = "y"', ["axa", "y"], ["b"]),
        ("true", [True], [False, 1]),
        ("limit", [7], [8]),
        ("[1, 2]", [1, 2], [3]),
        ('"a,b"', ["a,b"], ["a"]),
        ("< limit, > 2 * limit", [6, 15], [7, 14]),
    ],
)
def test_unary_tests_are_read_as_dmn_has_them(test: str, matching: Any, others: Any) -> None:
    """Comparisons, ranges, values, negations, and conditions with a question mark."""
    decision = table([([test], ["1"])])
    for value in matching:
        assert result(decision, n=value, limit=7) == 1, value
    for value in others:
        assert result(decision, n=value, limit=7) is None, value


def test_dates_are_compared_as_dates() -> None:
    """The input's type says so; the variables hold texts."""
    decision = table([(['< date("2026-03-01")'], ["1"])], kind="date")
    assert result(decision, n="2026-02-28") == 1
    assert result(decision, n="2026-03-01") is None


REQUIRED = """<decision id="risk" name="Risk level"><informationRequirement id="a"><requiredInput href="#i1"/>
</informationRequirement><variable name="Risk level"/><decisionTable id="t" hitPolicy="FIRST"><input id="i">
<inputExpression id="ie"><text>Applicant Age</text></inputExpression></input><output id="o"/>
<rule id="r1"><inputEntry><text>&lt; 25</text></inputEntry><outputEntry><text>"high"</text></outputEntry></rule>
<rule id="r2"><inputEntry><text>-</text></inputEntry><outputEntry><text>"low"</text></outputEntry></rule>
</decisionTable></decision>
<decision id="price" name="Price"><informationRequirement id="b"><requiredDecision href="#risk"/>
</informationRequirement><literalExpression id="l">
<text>if Risk level = "high" then 100 else 50</text></literalExpression></decision>"""


def test_a_decision_sees_the_decisions_it_requires() -> None:
    """By their names, blanks included."""
    decision = load_decisions(FILE.format(REQUIRED))["price"]
    assert decide(decision, {"Applicant Age": 20}, NOON, "") == 100
    assert decide(decision, {"Applicant Age": 40}, NOON, "") == 50


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        ("", "no <decision>"),
        ('<decision id="d" name="D"/>', "'d' (D): the decision holds no logic"),
        ('<decision id="d"><drawing/></decision>', "the decision holds not one expression but drawing"),
        (f'<decision id="d">{LITERAL}{LITERAL}</decision>', "not one expression but literalExpression, literal"),
        ('<decision id="d"><knowledgeRequirement id="k"/>' + LITERAL + "</decision>",
         "business knowledge names none"),
        ('<decision id="d"><variable name="d" typeRef="tMoney"/>' + LITERAL + "</decision>",
         "the type 'tMoney' is neither FEEL's nor defined in the file"),
        ('<import name="other" namespace="y"/>', "it imports another file"),
        ('<itemDefinition name="tA"><itemComponent name="a"><typeRef>tA</typeRef></itemComponent></itemDefinition>',
         "made of itself"),
        ('<decision id="d"><informationRequirement><requiredDecision href="#d"/></informationRequirement>'
         "<literalExpression><text>1</text></literalExpression></decision>", "requires it in turn"),
        ('<decision id="d"><informationRequirement><requiredDecision href="#x"/></informationRequirement>'
         "<literalExpression><text>1</text></literalExpression></decision>", "'x' that it requires is not in the file"),
        (table([(["<"], ["1"])]), "its test: "),
        (table([(["1,,2"], ["1"])]), "a test between commas is empty"),
        (table([(["1"], ["1 +"])]), "its output: "),
        (table([], "LAST"), "its hit policy 'LAST' is unknown"),
        (table([], "PRIORITY"), "needs the list of its output values"),
        (table([], "COLLECT", extra=' aggregation="AVG"'), "its aggregation 'AVG'"),
        (table([(["1", "2"], ["1"])]), "the rule has 2 inputs and 1 outputs"),
        ('<decision id="d">' + LITERAL.replace(">", ' expressionLanguage="urn:groovy">', 1) + "</decision>",
         "written in urn:groovy"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_refused_by_id(decision: str, says: str) -> None:
    """Every problem of the file in one answer."""
    with pytest.raises(InvalidDefinition) as refused:
        load_decisions(FILE.format(decision))
    assert any(says in error for error in refused.value.errors), refused.value.errors


def test_another_file_is_no_dmn() -> None:
    """The root element says what it is."""
    with pytest.raises(InvalidDefinition, match="not DMN's"):
        load_decisions("<definitions/>")
