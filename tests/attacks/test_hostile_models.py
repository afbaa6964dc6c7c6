"""Diagrams and decisions made to hurt: names that no index can hold, tables that multiply what they are given."""

import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bpm.bpmn import InvalidDefinition, load
from bpm.dmn import DecisionFailed, decide, load_decisions
from bpm.testing import RunningApp, running_app
from tests.attacks.people import END, START, WAIT, bpmn, deploy

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DMN = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">{}</definitions>'
VENDORS = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
LONG = "".join(f"{number:x}." for number in range(30_000))
"""It can't be compressed into a row of an index."""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app(tmp_path) as running:
        yield running


def extended(tag: str, extension: str, inside: str = "", attributes: str = "") -> str:
    """Write an element with an extension."""
    return f'<{tag} id="x" {attributes}><extensionElements>{extension}</extensionElements>{inside}</{tag}>'


NAMED = {
    "assignee": extended("userTask", '<zeebe:assignmentDefinition assignee="=v"/>'),
    "user": extended("userTask", '<zeebe:assignmentDefinition candidateUsers="=[v]"/>'),
    "group": extended("userTask", '<zeebe:assignmentDefinition candidateGroups="=[v]"/>'),
    "process": extended("callActivity", '<zeebe:calledElement processId="=v"/>'),
    "business key": extended("callActivity", '<camunda:in businessKey="#{v}"/>', attributes='calledElement="child"'),
    "signal heard": extended("intermediateCatchEvent", "", '<signalEventDefinition signalRef="sig"/>'),
    "signal thrown": extended("intermediateThrowEvent", "", '<signalEventDefinition signalRef="sig"/>'),
    "message": extended("receiveTask", "", attributes='messageRef="mes"'),
}


@pytest.mark.parametrize("value", [LONG, "a\0b"], ids=["long", "NUL"])
@pytest.mark.parametrize("name", NAMED)
async def test_a_name_that_no_index_can_hold_is_an_incident(app: RunningApp, name: str, value: str) -> None:
    """Whatever it names; the sentence does not repeat all of it."""
    await deploy(app, "child", START, WAIT, END)
    declared = '<signal id="sig" name="=v"/><message id="mes" name="=v"/><message id="m"'
    xml = bpmn("p", START, NAMED[name], END).replace('<message id="m"', declared)
    xml = xml.replace("<definitions ", f"<definitions {VENDORS} ", 1)
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"v": value})
    (wait,) = started["currentTasks"]
    assert wait["kind"] == "incident"
    assert "characters, not" in wait["detail"]["message"]
    assert len(wait["detail"]["message"]) < 500


async def test_a_task_is_offered_to_so_many(app: RunningApp) -> None:
    """Each is a row to write."""
    xml = bpmn("p", START, extended("userTask", '<zeebe:assignmentDefinition candidateGroups="=v"/>'), END)
    xml = xml.replace("<definitions ", f"<definitions {VENDORS} ", 1)
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    groups = [str(number) for number in range(1_001)]
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"v": groups})
    assert "more than 1000" in started["currentTasks"][0]["detail"]["message"]
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"v": groups[:1_000]})
    assert started["status"] == "WAITING"


@pytest.mark.parametrize(
    "elements",
    [
        ("p", f'<startEvent id="{"s" * 201}"/>', END),
        ("p" * 201, START, END),
        ("p", '<startEvent id="s"><signalEventDefinition signalRef="m2"/></startEvent>', END),
        ("p", '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>', END),
    ],
)
async def test_a_written_name_that_no_index_can_hold_is_refused(app: RunningApp, elements: tuple[str, ...]) -> None:
    """When it is deployed, by its sentence."""
    xml = bpmn(*elements).replace('name="go"/>', f'name="{LONG[:300]}"/><signal id="m2" name="{LONG[:300]}"/>')
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": xml})
    assert (refused.status, "longer than 200 characters" in refused.errors[0]) == (422, True)


async def test_a_long_name_of_a_decision_is_refused(app: RunningApp) -> None:
    """Like that of a process."""
    decision = f'<decision id="{LONG[:300]}" name="d"><literalExpression><text>1</text></literalExpression></decision>'
    refused = await app.send("CreateDecisionDefinitionCommand", {"dmnXml": DMN.format(decision)})
    assert (refused.status, "longer than 200 characters" in refused.errors[0]) == (422, True)


def test_a_large_name_is_not_repeated_in_every_problem() -> None:
    """A file of a megabyte would be answered with hundreds."""
    big = "x" * 200_000
    ends = "".join(f'<endEvent id="e{n}"><errorEventDefinition errorRef="big"/></endEvent>' for n in range(400))
    xml = bpmn("p", START, END).replace("<process ", f'<error id="big" errorCode="={big}"/><process ', 1)
    with pytest.raises(InvalidDefinition) as refused:
        load(xml.replace("</process>", f"{ends}</process>"))
    assert sum(map(len, refused.value.errors)) < 2_000_000


def table(columns: int, cell: str = "-", rules: int = 1) -> str:
    """Write a decision table whose cells are all the same."""
    inputs = "<input><inputExpression><text>v0</text></inputExpression></input>" * columns
    cells = f"<inputEntry><text>{cell}</text></inputEntry>" * columns
    rule = f"<rule>{cells}<outputEntry><text>1</text></outputEntry></rule>"
    return f'<decision id="d"><decisionTable>{inputs}<output name="o"/>{rule * rules}</decisionTable></decision>'


def test_a_table_does_not_copy_the_variables_for_each_column() -> None:
    """A thousand columns and 50,000 variables would take gigabytes."""
    decision = load_decisions(DMN.format(table(1_000)))["d"]
    variables: dict[str, Any] = {f"v{number}": number for number in range(50_000)}
    tracemalloc.start()
    try:
        assert decide(decision, variables, NOON) == 1
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_decisions_that_all_require_each_other_are_counted() -> None:
    """Each copies the variables once; what is too much is refused by its sentence."""
    requires = [
        "".join(f'<informationRequirement><requiredDecision href="#d{k}"/></informationRequirement>' for k in range(n))
        for n in range(100)
    ]
    literal = "<literalExpression><text>1</text></literalExpression>"
    file = DMN.format("".join(f'<decision id="d{n}">{each}{literal}</decision>' for n, each in enumerate(requires)))
    decision = load_decisions(file)["d99"]
    assert decide(decision, {f"v{number}": number for number in range(1_000)}, NOON) == 1
    with pytest.raises(DecisionFailed, match="steps"):
        decide(decision, {f"v{number}": number for number in range(300_000)}, NOON)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (table(1, ",".join("1" * 500), 50), "more than 20000 tests"),
        (table(1, "not(" * 2_000 + "1" + ")" * 2_000), "negated more than 8 times"),
        (table(1, "1" * 70_000), "longer than 65536"),
        ("".join(f'<inputData name="a {n}"/>' for n in range(201)) + table(1), "more than 200 names with blanks"),
    ],
    ids=["tests", "negations", "cell", "names"],
)
def test_a_file_that_takes_long_to_read_is_refused(body: str, sentence: str) -> None:
    """A large file of decisions is read in about a second, wherever that happens."""
    with pytest.raises(InvalidDefinition, match=sentence):
        load_decisions(DMN.format(body))


def test_names_with_blanks_are_found_as_before() -> None:
    """The longest first, and none inside of another name."""
    declared = "".join(f'<inputData name="{name}"/>' for name in ("the sum", "the sum paid"))
    logic = "<literalExpression><text>the sum paid + the sum</text></literalExpression>"
    decision = load_decisions(DMN.format(f'{declared}<decision id="d">{logic}</decision>'))["d"]
    assert decide(decision, {"the sum": 2, "the sum paid": 40}, NOON) == 42
