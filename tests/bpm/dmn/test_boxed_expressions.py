"""Boxed expressions, business knowledge and decision services (DMN 1.5, chapters 6 and 10.2)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.bpmn import InvalidDefinition
from bpm.dmn import DecisionFailed, decide, load_decisions

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
FILE = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="x">{}</definitions>'
)


def text(source: str, **attributes: Any) -> str:
    """A literal expression."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<literalExpression{written}><text>{source.replace('<', '&lt;')}</text></literalExpression>"


def decision(body: str, requires: str = "", name: str = "d", kind: str = "") -> str:
    """A decision."""
    return f'<decision id="{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/>{requires}{body}</decision>'


def knowing(*names: str) -> str:
    """That a decision requires business knowledge."""
    return "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#{name}"/></knowledgeRequirement>' for name in names
    )


def knowledge(name: str, parameters: dict[str, str], body: str, requires: str = "") -> str:
    """A business knowledge model."""
    formal = "".join(f'<formalParameter name="{each}" typeRef="{kind}"/>' for each, kind in parameters.items())
    logic = f"<encapsulatedLogic>{formal}{body}</encapsulatedLogic>"
    inner = f'<variable name="{name}"/>{logic}{requires}'
    return f'<businessKnowledgeModel id="{name}" name="{name}">{inner}</businessKnowledgeModel>'


def answer(file: str, of: str = "d", **variables: Any) -> Any:
    """What a decision comes to."""
    return decide(load_decisions(FILE.format(file))[of], variables, NOON)


def entry(name: str, body: str, kind: str = "") -> str:
    """An entry of a boxed context."""
    return f'<contextEntry><variable name="{name}" typeRef="{kind}"/>{body}</contextEntry>'


CELL = (
    '<decisionTable hitPolicy="FIRST"><input><inputExpression><text>age</text></inputExpression></input>'
    '<output name="o"/><rule><inputEntry><text>&lt; 18</text></inputEntry><outputEntry><text>"minor"</text>'
    '</outputEntry></rule><rule><inputEntry><text>-</text></inputEntry><outputEntry><text>"adult"</text>'
    "</outputEntry></rule>"
    "</decisionTable>"
)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("<context>" + entry("base", text("n * 2")) + entry("all in", text("base + 1")) + "</context>",
         {"base": 8, "all in": 9}),
        ("<context>" + entry("all in", text("n")) + f"<contextEntry>{text('all in + 1')}</contextEntry></context>", 5),
        ("<context>" + entry("who", CELL) + "</context>", {"who": "minor"}),
        ("<context>" + entry("wrong", text("n"), "string") + "</context>", {"wrong": None}),
        (f"<list>{text('n')}{text('n + 1')}</list>", [4, 5]),
        ('<relation><column name="a"/><column name="b"/>'
         f"<row>{text('1')}{text('n')}</row><row>{text('2')}{text('null')}</row></relation>",
         [{"a": 1, "b": 4}, {"a": 2, "b": None}]),
        (f"<conditional><if>{text('n > 3')}</if><then>{text('1')}</then><else>{text('2')}</else></conditional>", 1),
        (f"<conditional><if>{text('null')}</if><then>{text('1')}</then><else>{text('2')}</else></conditional>", 2),
        (f"<conditional><if>{text('n')}</if><then>{text('1')}</then><else>{text('2')}</else></conditional>", None),
        (f"<filter><in>{text('[1, 5, 9]')}</in><match>{text('item > n')}</match></filter>", [5, 9]),
        (f"<filter><in>{text('[1]')}</in><match>{text('item')}</match></filter>", None),
        (f'<for iteratorVariable="x"><in>{text("1..3")}</in><return>{text("x * n")}</return></for>', None),
        (f'<for iteratorVariable="x"><in>{text("[1..3]")}</in><return>{text("x * n")}</return></for>', [4, 8, 12]),
        (f'<for iteratorVariable="x"><in>{text("[1, 2]")}</in><return>{text("count(partial)")}</return></for>', [0, 1]),
        (f'<some iteratorVariable="x"><in>{text("[1, 9]")}</in><satisfies>{text("x > n")}</satisfies></some>', True),
        (f'<every iteratorVariable="x"><in>{text("[1, 9]")}</in><satisfies>{text("x > n")}</satisfies></every>', False),
        ('<context>' + entry("double", '<functionDefinition><formalParameter name="a" typeRef="number"/>'
         + text("a * 2") + "</functionDefinition>") + f"<contextEntry>{text('double(n)')}</contextEntry></context>", 8),
        (text("[n]", typeRef="number"), 4),
    ],
)  # fmt: skip
def test_a_boxed_expression_has_its_value(body: str, value: Any) -> None:
    """Of every kind, also inside of another; null where a part does not fit."""
    if "1..3" in body and "[1..3]" not in body:
        with pytest.raises(InvalidDefinition, match="was not expected here"):
            answer(decision(body))
        return
    assert answer(decision(body), n=4, age=12) == value


PAYMENT = knowledge("payment", {"sum": "number", "months": "number"}, text("sum / months"))


def test_business_knowledge_is_called_by_expressions_and_invocations() -> None:
    """By place or by name; an argument of another type makes the call null."""
    requires = knowing("payment")
    assert answer(PAYMENT + decision(text("payment(120, n)"), requires), n=12) == 10
    assert answer(PAYMENT + decision(text("payment(months: 12, sum: n)"), requires), n=60) == 5
    assert answer(PAYMENT + decision(text('payment("much", 12)'), requires)) is None
    bound = "".join(
        f'<binding><parameter name="{name}"/>{text(value)}</binding>'
        for name, value in (("months", "12"), ("sum", "n * 12"))
    )
    assert answer(PAYMENT + decision(f"<invocation>{text('payment')}{bound}</invocation>", requires), n=7) == 7


def test_business_knowledge_sees_its_parameters_and_what_it_requires() -> None:
    """Not the variables of whoever calls it; a table may be its logic."""
    file = knowledge("twice", {"n": ""}, text("n * 2")) + knowledge(
        "four times", {"n": ""}, text("twice(twice(n))"), knowing("twice")
    )
    assert answer(file + decision(text("four times(3)"), knowing("four times"))) == 12
    leaking = knowledge("leaking", {}, text("secret"))
    assert answer(leaking + decision(text("leaking()"), knowing("leaking")), secret=1) is None
    group = knowledge("group of", {"age": "number"}, CELL)
    assert answer(group + decision(text("group of(20)"), knowing("group of"))) == "adult"


def test_business_knowledge_may_call_itself() -> None:
    """As far as calls go; a function without an end is refused by its sentence."""
    factorial = knowledge("fac", {"n": ""}, text("if n < 2 then 1 else n * fac(n - 1)"))
    assert answer(factorial + decision(text("fac(5)"), knowing("fac"))) == 120
    endless = knowledge("f", {"n": ""}, text("f(n + 1)"))
    with pytest.raises(DecisionFailed, match="more than 64 deep"):
        answer(endless + decision(text("f(1)"), knowing("f")))


def test_functions_are_given_to_functions() -> None:
    """Those of the model, those of FEEL, and those written on the spot."""
    apply = knowledge("apply", {"f": "", "n": ""}, text("f(n)"))
    twice = knowledge("twice", {"n": ""}, text("n * 2"))
    requires = knowing("apply", "twice")
    assert answer(apply + twice + decision(text("apply(twice, 4)"), requires)) == 8
    assert answer(apply + twice + decision(text("apply(sqrt, 16)"), requires)) == 4
    assert answer(apply + twice + decision(text("apply(function(a) a + k, 1)"), requires), k=9) == 10


SERVICE = (
    '<inputData id="who" name="who"><variable name="who" typeRef="string"/></inputData>'
    '<decisionService id="greeting" name="greeting"><variable name="greeting"/><outputDecision href="#hello"/>'
    '<encapsulatedDecision href="#loud"/><inputDecision href="#mark"/><inputData href="#who"/></decisionService>'
    + decision(text('"!"'), name="mark")
    + decision(text("upper case(who)"), '<informationRequirement><requiredInput href="#who"/></informationRequirement>',
               name="loud")
    + decision(text("loud + mark"), "".join(
        f'<informationRequirement><requiredDecision href="#{name}"/></informationRequirement>'
        for name in ("loud", "mark")), name="hello")
)  # fmt: skip


def test_a_decision_service_is_a_decision_and_a_function() -> None:
    """What is given to it counts instead of the decision of that name; data come first."""
    assert answer(SERVICE, "greeting", who="ann", mark="?") == "ANN?"
    assert answer(SERVICE, "greeting", who="ann") is None
    assert answer(SERVICE, "hello", who="ann") == "ANN!"
    call = decision(text('greeting("bob", "...")'), knowing("greeting"))
    assert answer(SERVICE + call) == "BOB..."
    named = decision(text('greeting(mark: "", who: "bob")'), knowing("greeting"))
    assert answer(SERVICE + named) == "BOB"


def test_a_service_of_several_decisions_is_a_context() -> None:
    """Of their values by their names."""
    both = SERVICE.replace(
        '<outputDecision href="#hello"/>', '<outputDecision href="#hello"/><outputDecision href="#loud"/>'
    )
    assert answer(both, "greeting", who="ann", mark="") == {"hello": "ANN", "loud": "ANN"}


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (decision(text("f(1)")), "there is no function f()"),
        (decision("<conditional/>"), "its <conditional> has no <if>"),
        (decision('<functionDefinition kind="Java"/>'), "its function is written in Java"),
        (decision(text("1"), knowing("nowhere")), "'nowhere' that it requires is not in the file"),
        (knowledge("a", {}, text("1"), knowing("b")) + knowledge("b", {}, text("1"), knowing("a"))
         + decision(text("1"), knowing("a")), "which requires it in turn"),
        (f'<relation><column name="a"/><row>{text("1")}{text("2")}</row></relation>', "not one expression for each"),
        ('<decisionService id="s" name="s"/>', "the service lacks an output decision"),
        ('<businessKnowledgeModel id="k" name="k"/>' + decision(text("1"), knowing("k")), "holds no logic"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_refused(file: str, says: str) -> None:
    """Each problem with what it is about."""
    file = decision(file) if file.startswith("<relation") else file
    with pytest.raises(InvalidDefinition) as refused:
        load_decisions(FILE.format(file))
    assert any(says in error for error in refused.value.errors), refused.value.errors
