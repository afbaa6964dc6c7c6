"""Two versions of a model file are compared element by element, and each by what belongs to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.model_files.comparison import ElementDifference, compare_files
from bpm.model_files.xml import read_xml

BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpm="urn:bpm-bus"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" exporterVersion="{exporter}">
<process id="p" isExecutable="true">{inner}</process>
<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" id="{exporter}"/></definitions>"""
TASK = '<userTask id="t" name="Approve" bpm:assignee="ada"/>'
TIMER = """<boundaryEvent id="b" attachedToRef="t"><timerEventDefinition id="{id}"><timeDuration
xsi:type="tFormalExpression">{wait}</timeDuration></timerEventDefinition></boundaryEvent>"""
SENDING = """<serviceTask id="s"><extensionElements><bpm:command type="PingQuery">{}</bpm:command></extensionElements>
</serviceTask>"""
PARAMETER = '<bpm:parameter name="{}">{}</bpm:parameter>'
DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="file"><decision id="risk"><decisionTable
id="table" hitPolicy="{policy}"><output id="out"/>{rules}</decisionTable></decision></definitions>"""
RULE = '<rule id="{0}"><inputEntry id="i{0}"><text>{0}</text></inputEntry></rule>'


def bpmn(*inner: str, exporter: str = "1") -> str:
    """A process with these elements."""
    return BPMN.format(inner="".join(inner), exporter=exporter)


def rules(names: str, policy: str = "FIRST") -> str:
    """A table with a rule for each letter."""
    return DMN.format(rules="".join(RULE.format(name) for name in names), policy=policy)


def compared(before: str, after: str) -> list[ElementDifference]:
    """What differs between two texts."""
    return compare_files(read_xml(before), read_xml(after))


def told(before: str, after: str) -> list[tuple[str, str, dict[str, tuple[str | None, str | None]]]]:
    """The id, the change and the fields of each element that differs."""
    found = compared(before, after)
    return [(each.id, each.change, {one.path: (one.before, one.after) for one in each.fields}) for each in found]


def test_elements_come_and_go() -> None:
    """With all that they say."""
    assert told(bpmn(TASK), bpmn(TASK, TIMER.format(id="x", wait="PT1H"))) == [
        ("b", "added", {"attachedToRef": (None, "t"), "timerEventDefinition.timeDuration": (None, "PT1H")})
    ]
    (gone,) = compared(bpmn(TASK), bpmn())
    assert (gone.id, gone.name, gone.kind, gone.change) == ("t", "Approve", "userTask", "removed")
    assert [(each.path, each.before, each.after) for each in gone.fields] == [
        ("name", "Approve", None),
        ("assignee", "ada", None),
    ]


def test_what_belongs_to_an_element_is_a_field_of_it() -> None:
    """Whatever ids an editor gives it; parameters are told apart by their names."""
    before, after = TIMER.format(id="x", wait="PT1H"), TIMER.format(id="y", wait="PT2H")
    assert told(bpmn(before), bpmn(after)) == [
        ("b", "changed", {"timerEventDefinition.timeDuration": ("PT1H", "PT2H")})
    ]
    one, other = PARAMETER.format("a", "1"), PARAMETER.format("b", "2")
    assert told(bpmn(SENDING.format(one + other)), bpmn(SENDING.format(other))) == [
        ("s", "changed", {"command.parameter[a]": ("1", None)})
    ]
    assert told(bpmn(SENDING.format("")), bpmn(SENDING.format(PARAMETER.format("a", "")))) == [
        ("s", "changed", {"command.parameter[a]": (None, "")})
    ]
    empty = '<endEvent id="e">{}</endEvent>'
    assert told(bpmn(empty.format("")), bpmn(empty.format("<terminateEventDefinition/>"))) == [
        ("e", "changed", {"terminateEventDefinition": (None, "")})
    ]


def test_another_kind_and_another_place_are_fields() -> None:
    """A task that became another one, or was drawn into a sub-process."""
    assert told(bpmn(TASK), bpmn(TASK.replace("userTask", "manualTask"))) == [
        ("t", "changed", {"kind": ("userTask", "manualTask")})
    ]
    inside = f'<subProcess id="sub">{TASK}</subProcess>'
    assert told(bpmn(TASK), bpmn(inside)) == [("sub", "added", {}), ("t", "changed", {"stands in": ("p", "sub")})]


def test_the_drawing_and_the_editor_are_no_difference() -> None:
    """Nor is the order of elements, nor what the flows say as well."""
    one, other = '<task id="a"><outgoing>f</outgoing></task>', '<task id="b"/>'
    assert told(bpmn(one, other), bpmn(other, one.replace("<outgoing>f</outgoing>", ""), exporter="2")) == []


@pytest.mark.parametrize(
    ("after", "moved"), [("abcd", ""), ("dabc", "d"), ("bcda", "a"), ("dcba", "bcd"), ("axbcd", ""), ("bxac", "b")]
)
def test_rules_that_move_are_told(after: str, moved: str) -> None:
    """As few as say how; one that is put between others moves none of them."""
    found = compared(rules("abcd"), rules(after))
    places = {each.id for each in found if each.change == "changed" and "position" in {one.path for one in each.fields}}
    assert len(places) == len(moved)
    assert {each.id for each in found if each.change == "added"} == set(after) - set("abcd")


def test_a_table_and_its_decision_are_one() -> None:
    """The policy is a field of the decision; the file itself is one as well."""
    assert told(rules("a"), rules("a", "UNIQUE")) == [
        ("risk", "changed", {"decisionTable.hitPolicy": ("FIRST", "UNIQUE")})
    ]
    assert told(rules("a"), rules("a").replace('id="file"', 'id="file" name="Risks"')) == [
        ("file", "changed", {"name": (None, "Risks")})
    ]


@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_a_file_is_as_it_is(before: list[str], after: list[str]) -> None:
    """Nothing differs from itself, and where anything moved something is told."""
    one, other = rules("".join(before)), rules("".join(after))
    assert compared(one, one) == []
    assert bool(compared(one, other)) == (before != after)


MANY = "".join(f"<task id='t{number}'/>" for number in range(40_000))
LONG = "n" * 40_000


@pytest.mark.parametrize(
    "inner",
    [
        "<a/>" * 200_000,
        "<extensionElements>" * 30 + "<b c='1'/>" * 80_000 + "</extensionElements>" * 30,
        MANY,
        f"<{LONG}>{'<b/>' * 80_000}</{LONG}>",
    ],
    ids=["fields", "nested", "elements", "names"],
)
def test_large_files_are_compared_within_bounds(inner: str) -> None:
    """Many fields of one element, many elements, and long names: the paths stay short."""
    found = compared(f"<definitions id='d'><process id='p'>{inner}</process></definitions>", "<definitions id='d'/>")
    assert found
    assert max((len(each.path) for one in found for each in one.fields), default=0) <= 220
