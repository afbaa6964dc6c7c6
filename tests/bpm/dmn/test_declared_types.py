"""The types that a model declares: JSON is read as them, and what does not fit is said (DMN 1.5, 7.3.2)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.dmn import DecisionFailed, decide, load_decisions

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
FILE = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="x">
<itemDefinition name="tLoan"><itemComponent name="amount"><typeRef>number</typeRef></itemComponent>
<itemComponent name="first day"><typeRef>date</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tLoans" isCollection="true"><typeRef>tLoan</typeRef></itemDefinition>
<itemDefinition name="tDays" isCollection="true"><typeRef>date</typeRef></itemDefinition>{}</definitions>"""


def literal(text: str, given: str = "", result: str = "", name: str = "x") -> str:
    """A decision `d` by one expression over the data `x`, both of declared types."""
    return FILE.format(
        f'<inputData id="i" name="{name}"><variable name="{name}" typeRef="{given}"/></inputData><decision id="d" '
        f'name="Answer"><variable name="Answer" typeRef="{result}"/><informationRequirement><requiredInput href="#i"/>'
        f"</informationRequirement><literalExpression><text>{text}</text></literalExpression></decision>"
    )


def cells(kind: str, *tests: str, given: str = "x", output: str = "string") -> str:
    """A decision `d` by a table whose first rule that matches answers with its number."""
    rules = "".join(
        f"<rule><inputEntry><text>{test.replace('<', '&lt;')}</text></inputEntry><outputEntry><text>{number}</text>"
        "</outputEntry></rule>"
        for number, test in enumerate(tests, 1)
    )
    return FILE.format(
        f'<decision id="d" name="d"><decisionTable hitPolicy="FIRST"><input><inputExpression typeRef="{kind}">'
        f'<text>{given}</text></inputExpression></input><output name="o" typeRef="{output}"/>{rules}</decisionTable>'
        "</decision>"
    )


def answer(file: str, **variables: Any) -> Any:
    """What the decision `d` comes to."""
    return decide(load_decisions(file)["d"], variables, NOON)


@pytest.mark.parametrize(
    ("kind", "text", "given", "value"),
    [
        ("date", "x.year", "2026-02-28", 2026),
        ("dateTime", "x.hour", "2026-02-28T10:00:00Z", 10),
        ("feel:date and time", 'x - @"2026-02-28T09:00:00Z"', "2026-02-28T10:00:00Z", "PT1H"),
        ("time", "x.minute", "10:07:00", 7),
        ("dayTimeDuration", 'x + @"P1D"', "PT12H", "P1DT12H"),
        ("years and months duration", "x.years", "P14M", 1),
        ("number", "x + 1", "15", 16),
        ("integer", "x + 1", 15, 16),
        ("boolean", "not(x)", "false", True),
        ("string", "x", ["one"], "one"),
        ("tDays", "x[2].day", ["2026-01-01", "2026-01-02"], 2),
        ("tLoan", "x.first day.month", {"amount": 1, "first day": "2026-03-01"}, 3),
        ("tLoan", "x.amount", {"first day": "2026-03-01"}, None),
        ("tLoans", "x.first day[1].day", {"amount": 1, "first day": "2026-03-09"}, 9),
        ("date", "x = null", None, True),
    ],
)
def test_json_is_read_as_the_declared_type(kind: str, text: str, given: Any, value: Any) -> None:
    """Texts of dates, times, durations and numbers, also inside of lists and contexts; null stays null."""
    assert answer(literal(text, kind), x=given) == value


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        ("date", "soon", "the input 'x' must be of the type date: date\\(\\) needs YYYY-MM-DD"),
        ("date", "2026-02-30", "must be of the type date"),
        ("number", "15 EUR", "must be of the type number: the text is not a number"),
        ("string", 15, "must be of the type string: a number is not of the type string"),
        ("boolean", "yes", "must be of the type boolean"),
        ("tLoan", {"amount": "a lot"}, "must be of the type tLoan"),
        ("tLoans", [5], "must be of the type tLoans"),
    ],
)
def test_data_of_another_type_are_refused_by_a_sentence(kind: str, given: Any, says: str) -> None:
    """Nothing takes the wrong branch without a word."""
    with pytest.raises(DecisionFailed, match=says):
        answer(literal("1", kind), x=given)


def test_a_result_has_its_declared_type() -> None:
    """A list of one as its element, a text as the date it is; what does not fit is said."""
    assert answer(literal("[x]", result="number"), x=4) == 4
    assert answer(literal("x", result="tDays"), x="2026-01-01") == ["2026-01-01"]
    with pytest.raises(DecisionFailed, match="the result of 'Answer' must be of the type string: a number"):
        answer(literal("1 + 1", result="string"))
    with pytest.raises(DecisionFailed, match="the output 'o' must be of the type string"):
        answer(cells("number", "-"), x=1)


@pytest.mark.parametrize(
    ("kind", "given", "number"),
    [
        ("date", "2026-05-01", 1),
        ("date", "2026-06-01", 2),
        ("date", "2026-06-15", 3),
        ("date", "2026-07-01", 4),
        ("date", None, 5),
    ],
)
def test_texts_beside_dates_are_dates(kind: str, given: str | None, number: int) -> None:
    """In a column of dates the variables that they are compared with are texts of JSON, too."""
    file = cells(kind, "< until", "until", "(until..last]", "days", "-", output="number")
    assert answer(file, x=given, until="2026-06-01", last="2026-06-30", days=["2026-07-01"]) == number


def test_a_text_beside_a_date_that_is_none_is_said() -> None:
    """The comparison would be false without a word."""
    with pytest.raises(DecisionFailed, match="a test compares a value of the type date with another text"):
        answer(cells("date", "< until", output="number"), x="2026-05-01", until="soon")


def test_a_number_as_text_takes_no_wrong_branch() -> None:
    """It is the number, or refused."""
    assert answer(cells("number", "> 10", "-", output="number"), x="15") == 1
    with pytest.raises(DecisionFailed, match="the input 'x' must be of the type number"):
        answer(cells("number", "> 10", "-", output="number"), x="many")


def test_a_policy_of_lists_gives_the_type_to_each_element() -> None:
    """Modellers declare the type of one."""
    file = cells("number", "> 1", "> 2", output="number").replace("FIRST", "RULE ORDER")
    assert answer(file.replace("<decisionTable", '<variable name="d" typeRef="number"/><decisionTable'), x=3) == [1, 2]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"Monthly Salary is " + string(Monthly Salary)', "Monthly Salary is 5"),
        ("Monthly  Salary * 2", 10),
        ("{Monthly Salary: 7}.Monthly Salary + Monthly Salary", 12),
        ("[Monthly Salary][item = Monthly Salary]", [5]),
    ],
)
def test_names_with_blanks_are_names_outside_of_texts_only(text: str, value: Any) -> None:
    """However they are spaced; inside of a text they are text."""
    assert answer(literal(text.replace('"', "&quot;"), name="Monthly Salary"), **{"Monthly Salary": 5}) == value


def test_names_with_marks_are_read_as_written() -> None:
    """`Pre-tax` is one name where it is declared, `Pre - tax` a difference."""
    assert answer(literal("Pre-tax", name="Pre-tax"), **{"Pre-tax": 5, "Pre": 1, "tax": 1}) == 5
    assert answer(literal("Pre - tax", name="Pre-tax"), **{"Pre-tax": 5, "Pre": 1, "tax": 1}) == 0
