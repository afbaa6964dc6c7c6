"""DMN XML -> `DecisionTable`s, or every reason why not, in one answer."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from bpm.dmn.evaluate import AGGREGATIONS, POLICIES, DecisionRule, DecisionTable, LiteralDecision, Table
from bpm.dmn.unary import INPUT, Test, asking, compile_feel, compile_tests, split
from bpm.expressions import EvaluationError, Expression, ExpressionError
from bpm.model_files.names import MAX_NAME
from bpm.model_files.problems import BpmnProblem, InvalidDefinition
from bpm.model_files.xml import Tag, read_xml

_NAMESPACE = "omg.org/spec/DMN/"
_INPUT_VARIABLE = "{http://camunda.org/schema/1.0/dmn}inputVariable"
_LANGUAGES = re.compile(r"(?:feel|juel)?", re.IGNORECASE)
_DATES = {
    "date": "date", "dateTime": "date and time", "time": "time",
    "dayTimeDuration": "duration", "yearMonthDuration": "duration",
}  # fmt: skip
_LOGIC = (
    "decisionTable", "literalExpression", "context", "invocation", "relation", "list", "functionDefinition",
    "conditional", "filter", "for", "some", "every",
)  # fmt: skip

_Compiled = TypeVar("_Compiled")


MAX_DECISIONS = 100
"""How many decisions a file may hold: each is stored with the whole file."""
MAX_TESTS = 20_000
"""How many tests and expressions a file may hold: each takes about 50 microseconds to read."""
MAX_SPACED = 200
"""How many names with blanks a file may declare: they are looked for in every expression."""


def load_decisions(source: str | bytes) -> dict[str, DecisionTable]:
    """Read every decision of a DMN file, by id; raises InvalidDefinition with every problem."""
    root = read_xml(source)
    if root.name != "definitions" or _NAMESPACE not in root.namespace:
        message = f"the root element is <{root.name}>, not DMN's <definitions>"
        raise InvalidDefinition([BpmnProblem(message, line=root.line)])
    if len(_children(root, "decision")) > MAX_DECISIONS:
        message = f"the file holds more than {MAX_DECISIONS} decisions; put them into several files"
        raise InvalidDefinition([BpmnProblem(message, line=root.line)])
    return _Reader(root).decisions()


def _children(tag: Tag, *names: str) -> list[Tag]:
    return [child for child in tag.children if child.name in names]


def _child(tag: Tag, name: str) -> Tag | None:
    return next(iter(_children(tag, name)), None)


def _text(tag: Tag | None) -> str:
    text = _child(tag, "text") if tag else None
    return text.text.strip() if text else ""


def _spaced(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds the names that hold blanks, the longest first; None without any."""
    found = sorted({name for name in names if " " in name}, key=len, reverse=True)
    if len(found) > MAX_SPACED:
        raise InvalidDefinition([BpmnProblem(f"the file declares more than {MAX_SPACED} names with blanks")])
    return re.compile(rf"(?<![`\w])(?:{'|'.join(map(re.escape, found))})(?![`\w])") if found else None


class _Reader:
    """Reads one file, gathering its problems."""

    def __init__(self, root: Tag) -> None:
        self.problems: list[BpmnProblem] = []
        self.tags = {tag.get("id"): tag for tag in _children(root, "decision")}
        self.built: dict[str, DecisionTable | None] = {}
        inputs = _children(root, "inputData", "decision")
        self.spaced = _spaced(tag.get("name") for tag in inputs)
        self.left = MAX_TESTS
        self.without_id = [tag for tag in _children(root, "decision") if not tag.get("id")]
        if not self.tags:
            self.problems.append(BpmnProblem("the file holds no <decision>", line=root.line))

    def decisions(self) -> dict[str, DecisionTable]:
        """Build all of them."""
        for tag in self.without_id:
            self.problem(tag, "the decision has no id")
        for name, tag in self.tags.items():
            if len(name) > MAX_NAME:
                self.problem(tag, f"its id is longer than {MAX_NAME} characters")
        found = {name: self.decision(name, ()) for name in self.tags}
        if self.problems:
            raise InvalidDefinition(list(dict.fromkeys(self.problems)))
        return {name: decision for name, decision in found.items() if decision is not None}

    def problem(self, tag: Tag, message: str) -> None:
        """Note what is wrong with a tag."""
        self.problems.append(BpmnProblem(message, tag.get("id"), tag.get("name") or tag.get("label"), tag.line))

    def decision(self, name: str, path: tuple[str, ...]) -> DecisionTable | None:
        """Build one decision, with those it requires."""
        if name in self.built:
            return self.built[name]
        tag = self.tags[name]
        requires = list(self.required(tag, (*path, name)))
        variable = _child(tag, "variable")
        logic = self.logic(tag)
        called = variable.get("name") if variable else ""
        self.built[name] = decision = (
            DecisionTable(name, tag.get("name"), called or tag.get("name") or name, logic, tuple(requires))
            if logic
            else None
        )
        return decision

    def required(self, tag: Tag, path: tuple[str, ...]) -> Iterable[DecisionTable]:
        """The decisions that one requires; what they can't be is a problem."""
        for requirement in _children(tag, "knowledgeRequirement"):
            self.problem(tag, f"it requires business knowledge ('{requirement.get('id')}'), which is not evaluated")
        for requirement in _children(tag, "informationRequirement"):
            for reference in _children(requirement, "requiredDecision"):
                name = reference.get("href").rpartition("#")[2]
                if name in path:
                    self.problem(tag, f"it requires '{name}', which requires it in turn")
                elif name not in self.tags:
                    self.problem(tag, f"the decision '{name}' that it requires is not in the file")
                elif found := self.decision(name, path):
                    yield found

    def logic(self, tag: Tag) -> LiteralDecision | Table | None:
        """The logic of a decision: a table or an expression."""
        logic = _children(tag, *_LOGIC)
        if len(logic) != 1:
            self.problem(tag, "the decision holds no logic; draw a decision table")
            return None
        if logic[0].name == "decisionTable":
            return self.table(tag, logic[0])
        if logic[0].name != "literalExpression":
            self.problem(tag, f"a decision by <{logic[0].name}> is not evaluated; use a table or a literal expression")
            return None
        variable = _child(tag, "variable")
        expression = self.expression(logic[0], "its expression", _text(logic[0]))
        name = (variable.get("name") if variable else "") or tag.get("name") or tag.get("id")
        return LiteralDecision(name, expression) if expression else None

    def table(self, decision: Tag, tag: Tag) -> Table:
        """A decision table."""
        policy, aggregation = tag.get("hitPolicy") or "UNIQUE", tag.get("aggregation")
        inputs, outputs = _children(tag, "input"), _children(tag, "output")
        if policy not in POLICIES:
            self.problem(decision, f"its hit policy '{policy}' is unknown; use one of {', '.join(POLICIES)}")
        if aggregation and (policy != "COLLECT" or aggregation not in AGGREGATIONS):
            self.problem(
                decision, f"its aggregation '{aggregation}' is not one of {', '.join(AGGREGATIONS)} for COLLECT"
            )
        if aggregation and len(outputs) > 1:
            self.problem(decision, "a table with an aggregation has one output")
        if not outputs:
            self.problem(decision, "its table has no output")
        names = tuple(self.output_name(output, len(outputs), decision) for output in outputs)
        expressions = [self.input(column) for column in inputs]
        rules = [self.rule(rule, inputs, outputs) for rule in _children(tag, "rule")]
        priorities = tuple(self.values(output) for output in outputs)
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(priorities):
            self.problem(decision, f"the hit policy {policy} needs the list of its output values")
        defaults = tuple(self.default(output) for output in outputs)
        found = tuple(expression for expression in expressions if expression)
        return Table(found, names, tuple(rules), policy, aggregation, priorities, defaults)

    def output_name(self, output: Tag, count: int, decision: Tag) -> str:
        """The name of an output column; a single one may go without."""
        name = output.get("name")
        if not name and count > 1:
            self.problem(output, "one of several outputs needs a name")
        return name or "output" if count == 1 or name else decision.get("id")

    def input(self, column: Tag) -> Expression | None:
        """What an input column looks at."""
        source = _child(column, "inputExpression")
        text = _text(source) or column.get("label")
        return self.expression(source or column, "its input expression", text)

    def rule(self, rule: Tag, inputs: list[Tag], outputs: list[Tag]) -> DecisionRule:
        """A row of the table."""
        entries, results = _children(rule, "inputEntry"), _children(rule, "outputEntry")
        if len(entries) != len(inputs) or len(results) != len(outputs):
            self.problem(rule, f"the rule has {len(entries)} inputs and {len(results)} outputs, unlike its table")
        tests = [self.tests(entry, column) for entry, column in zip(entries, inputs, strict=False)]
        values = [self.expression(entry, "its output", _text(entry), optional=True) for entry in results]
        return DecisionRule(tuple(tests), tuple(values))

    def tests(self, entry: Tag, column: Tag) -> Test:
        """The tests of a cell; a column of dates compares dates."""
        source = _child(column, "inputExpression")
        function = _DATES.get(source.get("typeRef").rpartition(":")[2] if source else "")
        subject = f"{function}({INPUT})" if function else INPUT
        text = asking(self.named(_text(entry)), column.get(_INPUT_VARIABLE) or "cellInput")
        self.count(text.count(","))
        found = self._try(entry, "its test", lambda: compile_tests(text, subject))
        return found or (lambda _: False)

    def values(self, output: Tag) -> tuple[object, ...]:
        """The values of an output in the order of their priority."""
        text = _text(_child(output, "outputValues"))
        if not text:
            return ()
        found = self._try(
            output, "its output values", lambda: [compile_feel(part).evaluate({}) for part in split(text)]
        )
        return tuple(found or ())

    def default(self, output: Tag) -> Expression | None:
        """The output when no rule matches."""
        return self.expression(output, "its default output", _text(_child(output, "defaultOutputEntry")), optional=True)

    def expression(self, tag: Tag, what: str, text: str, *, optional: bool = False) -> Expression | None:
        """A compiled expression; None where there is none, or none that can be read."""
        if not _LANGUAGES.fullmatch(tag.get("expressionLanguage").rstrip("/").rpartition("/")[2]):
            self.problem(tag, f"{what} is written in {tag.get('expressionLanguage')}; write FEEL")
            return None
        if not text or text == "-":
            if not optional:
                self.problem(tag, f"{what} is empty")
            return None
        return self._try(tag, what, lambda: compile_feel(self.named(text)))

    def named(self, text: str) -> str:
        """The same with the names that hold blanks put into backticks, as the expression language wants them."""
        return self.spaced.sub(r"`\g<0>`", text) if self.spaced and " " in text else text

    def count(self, number: int) -> None:
        """Count tests and expressions; raises InvalidDefinition at once when they are too many."""
        self.left -= number
        if self.left < 0:
            raise InvalidDefinition([BpmnProblem(f"the file holds more than {MAX_TESTS} tests; put it into several")])

    def _try(self, tag: Tag, what: str, compile_it: Callable[[], _Compiled]) -> _Compiled | None:
        self.count(1)
        try:
            return compile_it()
        except (ExpressionError, EvaluationError) as error:
            self.problem(tag, f"{what}: {error}")
            return None
