"""Words of a DMN file that are not known, or stand twice, are refused: nothing of it is ignored in silence."""

import pytest

from bpm.dmn import load_decisions
from bpm.model_files.problems import InvalidDefinition

FILE = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:camunda="http://camunda.org/schema/1.0/dmn"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" name="f" namespace="n">{}</definitions>'
)
INPUT = '<input id="i"><inputExpression><text>x</text></inputExpression></input>'
RULE = "<rule><inputEntry><text>1</text></inputEntry><outputEntry><text>2</text></outputEntry></rule>"
ONE = "<literalExpression><text>1</text></literalExpression>"
NUMBER, TEXT = "<typeRef>number</typeRef>", "<typeRef>string</typeRef>"
KNOWLEDGE = (
    '<businessKnowledgeModel id="k" name="k"><encapsulatedLogic><formalParameter name="a"/><literalExpression><text>a'
    "</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>"
)
CALLED = (
    '<knowledgeRequirement><requiredKnowledge href="#k"/></knowledgeRequirement><invocation><literalExpression><text>k'
    "</text></literalExpression>{}</invocation>"
)


def problems(inside: str) -> str:
    """What is wrong with a file."""
    try:
        load_decisions(FILE.format(inside))
    except InvalidDefinition as invalid:
        return "; ".join(invalid.errors)
    return ""


def decision(inside: str, before: str = "", attributes: str = "") -> str:
    """A decision called d."""
    return f'{before}<decision id="d" name="D" {attributes}>{inside}</decision>'


def table(
    columns: str = INPUT, output: str = '<output id="o" name="r"/>', rules: str = RULE, attributes: str = ""
) -> str:
    """A decision by a table."""
    return decision(f'<decisionTable id="t" {attributes}>{columns}{output}{rules}</decisionTable>')


def item(inside: str, attributes: str = "") -> str:
    """A decision of a type called T."""
    kind = f'<itemDefinition name="T" {attributes}>{inside}</itemDefinition>'
    return decision(f'<variable name="D" typeRef="T"/>{ONE}', kind)


def requiring(*references: str) -> str:
    """A decision that requires others."""
    before = '<inputData id="i" name="A"/>' + "".join(f'<decision id="{i}" name="A">{ONE}</decision>' for i in "ab")
    asked = "".join(f"<informationRequirement><{one}/></informationRequirement>" for one in references)
    return decision(asked + ONE, before)


def binding(name: str) -> str:
    """A value for a parameter."""
    return f"<binding>{f'<parameter name={name!r}/>' if name else ''}{ONE}</binding>"


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        (table(attributes='hitpolicy="FIRST"'), "'hitpolicy' is none of DMN's for <decisionTable>; 'hitPolicy' may be"),
        (table(output='<output id="o" typeref="string"/>'), "'typeRef' may be meant"),
        (table(rules=RULE + "<ruel/>"), "<ruel> is no element of DMN that may stand in <decisionTable>; 'rule' may be"),
        (table(rules=RULE + '<x:rule xmlns:x="urn:x"/>'), "its <rule> is not in the namespace of its file"),
        (table(columns=INPUT.replace('id="i"', 'camunda:inputVarible="y"')), "'inputVariable' may be meant"),
        (decision(f'<extensionElements><zeebe:versonTag value="a"/></extensionElements>{ONE}'), "'versionTag' may be"),
        (decision("<literalExpression><text>1</text><importedValues/></literalExpression>"), "imported values are not"),
        (table(columns=INPUT.replace("</input>", "<inputExpression><text>y</text></inputExpression></input>")),
         "<input> holds <inputExpression> 2 times, of which one alone would be evaluated"),
        (table(columns=INPUT.replace("</text>", "</text><text>y</text>")), "<text> 2 times"),
        (table(output='<output id="o"><defaultOutputEntry><text>1</text></defaultOutputEntry><defaultOutputEntry><text>'
                      "2</text></defaultOutputEntry></output>"), "<defaultOutputEntry> 2 times"),
        (decision(f'<variable name="a"/><variable name="b"/>{ONE}'), "<variable> 2 times"),
        (table(output='<output name="r"/><output name="r"/>',
               rules=RULE.replace("</rule>", "<outputEntry><text>3</text></outputEntry></rule>")),
         "two names of a column of results are the same"),
        (item(NUMBER + TEXT), "<typeRef> 2 times"),
        (item(f'{NUMBER}<itemComponent name="a">{TEXT}</itemComponent>'), "holds <itemComponent> and <typeRef>"),
        (item(f'<itemComponent name="a">{TEXT}</itemComponent>' * 2), "the <itemComponent> 'a' is given twice"),
        (item(NUMBER) + item(TEXT).replace('id="d"', 'id="e"'), "the <itemDefinition> 'T' is given twice"),
        (item(NUMBER, 'iscollection="true"'), "'isCollection' may be meant"),
        (requiring('requiredDecision href="#a"', 'requiredDecision href="#b"'), "several elements called 'A'"),
        (requiring('requiredDecision href="#a"', 'requiredInput href="#i"'), "several elements called 'A'"),
        (requiring('requiredInput href="#a"'), "it requires the data 'a', which the file lacks"),
        (requiring('requiredInput href="#none"'), "it requires the data 'none', which the file lacks"),
        (decision(CALLED.format(binding("a") * 2), KNOWLEDGE), "two names of a binding are the same"),
        (decision(CALLED.format(binding("")), KNOWLEDGE), "a binding has no name"),
        (decision(f'<context><contextEntry>{ONE}</contextEntry><contextEntry><variable name="b"/>{ONE}</contextEntry>'
                  "</context>"), "which is its result, is not the last"),
        (decision(f"<conditional><if>{ONE}</if><then>{ONE}</then><then>{ONE}</then><else>{ONE}</else></conditional>"),
         "<then> 2 times"),
    ],
)  # fmt: skip
def test_what_would_be_ignored_is_refused(inside: str, says: str) -> None:
    """Each sentence names the word, and the one that may be meant."""
    assert says in problems(inside)


def test_the_language_of_the_file_counts() -> None:
    """An expression that names none is written in that of the file."""
    source = FILE.format(decision(ONE)).replace(" namespace", ' expressionLanguage="urn:javascript" namespace')
    with pytest.raises(InvalidDefinition, match="is written in urn:javascript; write FEEL"):
        load_decisions(source)


def test_what_means_nothing_for_evaluation_is_kept() -> None:
    """Annotations, how it is drawn, and what a vendor keeps beside it."""
    rule = RULE.replace("<rule>", '<rule id="1" label="first"><description>x</description>')
    rule = rule.replace("</rule>", "<annotationEntry><text>why</text></annotationEntry></rule>")
    drawn = 'preferredOrientation="Rule-as-Row" outputLabel="x" camunda:diagramRelationId="r"'
    group = '<group id="g" name="together"><anything at="all"/></group>'
    assert problems(group + table(rules=f'<annotation name="why"/>{rule}', attributes=drawn)) == ""
    assert problems(decision(ONE, attributes='camunda:historyTimeToLive="P1D"')) == ""


def test_a_file_of_nothing_but_mistakes_is_answered_in_bounds() -> None:
    """It is refused after so many: to look for what may be meant takes time."""
    words = " ".join(f'a{number}="1"' for number in range(100))
    with pytest.raises(InvalidDefinition) as refused:
        load_decisions(FILE.format(decision(ONE) + f'\n<inputData id="i" name="n" {words}/>' * 400))
    assert len(refused.value.problems) == 200


def test_what_is_deployed_goes_on() -> None:
    """A word that was passed over in its day is passed over for ever."""
    source = FILE.format(table(attributes='hitpolicy="FIRST"'))
    with pytest.raises(InvalidDefinition):
        load_decisions(source)
    assert load_decisions(source, is_deployed=True).keys() == {"d"}
