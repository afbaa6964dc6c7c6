"""`<decisionTable>` -> `Table`."""

from typing import TYPE_CHECKING

from bpm.dmn.decision_table import AGGREGATIONS, POLICIES, DecisionRule, Input, Output, Table
from bpm.dmn.tags import child, children, text_of
from bpm.dmn.unary import Test, asking, compile_tests, split
from bpm.expressions import Evaluator, evaluated
from bpm.model_files.xml import Tag

if TYPE_CHECKING:
    from bpm.dmn.expressions import ExpressionReader

_INPUT_VARIABLE = "{http://camunda.org/schema/1.0/dmn}inputVariable"


class TableReader:
    """Reads tables, with the expressions inside of them."""

    def __init__(self, expressions: "ExpressionReader") -> None:
        self._expressions = expressions
        self._problems = expressions.problems

    def read(self, tag: Tag, owner: Tag) -> Table:
        """A decision table."""
        policy, aggregation = tag.get("hitPolicy") or "UNIQUE", tag.get("aggregation")
        inputs, outputs = children(tag, "input"), children(tag, "output")
        self._check(owner, policy, aggregation, outputs)
        columns = [self._input(column) for column in inputs]
        rules = [self._rule(rule, inputs, outputs) for rule in children(tag, "rule")]
        results = tuple(self._output(output, len(outputs)) for output in outputs)
        if policy in ("PRIORITY", "OUTPUT ORDER") and not any(each.priorities for each in results):
            self._problems.add(owner, f"the hit policy {policy} needs the list of its output values")
        defaults = tuple(self._default(output) for output in outputs)
        found = tuple(column for column in columns if column)
        return Table(found, results, tuple(rules), policy, aggregation, defaults)

    def _check(self, owner: Tag, policy: str, aggregation: str, outputs: list[Tag]) -> None:
        if policy not in POLICIES:
            self._problems.add(owner, f"its hit policy '{policy}' is unknown; use one of {', '.join(POLICIES)}")
        if aggregation and (policy != "COLLECT" or aggregation not in AGGREGATIONS):
            allowed = ", ".join(AGGREGATIONS)
            self._problems.add(owner, f"its aggregation '{aggregation}' is not one of {allowed} for COLLECT")
        if aggregation and len(outputs) > 1:
            self._problems.add(owner, "a table with an aggregation has one output")
        if len(outputs) > 1:
            self._expressions.check_names(owner, [output.get("name") for output in outputs], "column of results")
        if not outputs:
            self._problems.add(owner, "its table has no output")

    def _input(self, column: Tag) -> Input | None:
        """What an input column looks at."""
        source = child(column, "inputExpression")
        text = text_of(source) or column.get("label")
        evaluate = self._expressions.expression(source or column, "its input expression", text)
        kind = self._expressions.items.of(source)
        return Input(evaluate, kind, column.get("label") or text) if evaluate else None

    def _output(self, output: Tag, count: int) -> Output:
        """A column of results; a single one may go without a name."""
        name = output.get("name")
        if not name and count > 1:
            self._problems.add(output, "one of several outputs needs a name")
        return Output(name or "output", self._expressions.items.of(output), self._values(output))

    def _rule(self, rule: Tag, inputs: list[Tag], outputs: list[Tag]) -> DecisionRule:
        """A row of the table."""
        entries, results = children(rule, "inputEntry"), children(rule, "outputEntry")
        if len(entries) != len(inputs) or len(results) != len(outputs):
            message = f"the rule has {len(entries)} inputs and {len(results)} outputs, unlike its table"
            self._problems.add(rule, message)
        tests = [self._tests(entry, column) for entry, column in zip(entries, inputs, strict=False)]
        read = self._expressions.expression
        values = [read(entry, "its output", text_of(entry), optional=True) for entry in results]
        return DecisionRule(tuple(tests), tuple(values))

    def _tests(self, entry: Tag, column: Tag) -> Test:
        """The tests of a cell."""
        text = asking(text_of(entry), column.get(_INPUT_VARIABLE) or "cellInput")
        self._problems.count(text.count(","))
        compile_it, kind = self._expressions.compile, self._expressions.items.of(child(column, "inputExpression"))
        found = self._expressions.attempt(entry, "its test", lambda: compile_tests(text, compile_it, kind))
        return found or (lambda _, __: False)

    def _values(self, output: Tag) -> tuple[object, ...]:
        """The values of an output in the order of their priority."""
        text = text_of(child(output, "outputValues"))
        compile_it = self._expressions.compile

        def constants() -> list[object]:
            return [evaluated(compile_it(part), {}) for part in split(text)]

        return tuple(self._expressions.attempt(output, "its output values", constants) or ()) if text else ()

    def _default(self, output: Tag) -> Evaluator | None:
        """The output when no rule matches."""
        text = text_of(child(output, "defaultOutputEntry"))
        return self._expressions.expression(output, "its default output", text, optional=True)
