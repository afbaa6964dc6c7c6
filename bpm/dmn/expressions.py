"""The expressions of a model: XML elements -> evaluators. One visible table of what can be read."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bpm.dmn import boxed
from bpm.dmn.boxed import BoxedEntry
from bpm.dmn.items import ItemDefinitions
from bpm.dmn.problems import Problems
from bpm.dmn.table_reader import TableReader
from bpm.dmn.tags import child, children, text_of
from bpm.expressions import Environment, EvaluationError, Evaluator, ExpressionError, compile_expression, marked
from bpm.expressions.closures import or_null
from bpm.expressions.kinds import ANY, FunctionKind, Kind, converted
from bpm.model_files.xml import Tag

_LANGUAGES = re.compile(r"(?:feel|juel)?", re.IGNORECASE)
_Compiled = TypeVar("_Compiled")


class ExpressionReader:
    """Reads the expressions of one file."""

    def __init__(
        self, environment: Environment, items: ItemDefinitions, problems: Problems, language: str = ""
    ) -> None:
        self.environment = environment
        self.language = language
        self.items = items
        self.problems = problems
        self.tables = TableReader(self)

    def of(self, parent: Tag, owner: Tag, what: str) -> Evaluator | None:
        """The one expression inside of an element; `owner` is whom a problem is about, `what` begins its sentence."""
        found = children(parent, *READERS)
        if len(found) != 1:
            others = [each.name for each in parent.children if each.name not in NO_EXPRESSIONS]
            is_empty = not found and not others
            self.problems.add(
                owner,
                f"{what} holds no logic; draw a decision table"
                if is_empty
                else f"{what} holds not one expression but {', '.join(others) or 'none'}",
            )
            return None
        return self.read(found[0], owner)

    def read(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """An expression of any kind, null where a value inside of it does not fit."""
        evaluate = READERS[tag.name](self, tag, owner)
        kind = self.items.of(tag) if tag.get("typeRef") else ANY
        if evaluate is None or tag.name == "functionDefinition":
            return evaluate
        return or_null(_typed(evaluate, kind))

    def inside(self, tag: Tag, name: str, owner: Tag) -> Evaluator | None:
        """The expression inside of a part of a boxed one, such as `<then>`."""
        part = child(tag, name)
        if part is None:
            self.problems.add(owner, f"its <{tag.name}> has no <{name}>")
            return None
        return self.of(part, owner, f"its <{name}>")

    def literal(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<literalExpression>`."""
        return self.expression(tag, "its expression", text_of(tag))

    def table(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<decisionTable>`."""
        return self.tables.read(tag, owner).value

    def context(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<context>`."""
        entries: list[BoxedEntry] = []
        result: Evaluator | None = None
        for entry in children(tag, "contextEntry"):
            if result is not None:
                self.problems.add(owner, "an entry of its context without a name, which is its result, is not the last")
            variable = child(entry, "variable")
            evaluate = self.of(entry, owner, "an entry of its context")
            if evaluate is None:
                return None
            if variable is None:
                result = evaluate
            else:
                entries.append(BoxedEntry(variable.get("name"), evaluate, self.result_kind(variable)))
        self.check_names(owner, [each.name for each in entries], "context entry")
        return boxed.context(entries, result)

    def listed(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<list>`."""
        items = [self.read(each, owner) for each in children(tag, *READERS)]
        return boxed.listed([each for each in items if each])

    def relation(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<relation>`."""
        columns = [each.get("name") for each in children(tag, "column")]
        self.check_names(owner, columns, "column")
        rows = [[self.read(each, owner) for each in children(row, *READERS)] for row in children(tag, "row")]
        if any(len(row) != len(columns) for row in rows):
            self.problems.add(owner, "a row of its relation has not one expression for each column")
            return None
        return boxed.relation(columns, [[each for each in row if each] for row in rows])

    def function(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<functionDefinition>`, and the logic of business knowledge."""
        if (language := tag.get("kind") or "FEEL") != "FEEL":
            self.problems.add(owner, f"its function is written in {language}; write FEEL")
            return None
        parameters = self.parameters(tag)
        body = self.of(tag, owner, "its function")
        return boxed.function(parameters, body, self.result_kind(tag)) if body else None

    def parameters(self, tag: Tag) -> list[BoxedEntry]:
        """The formal parameters of a function."""
        found = children(tag, "formalParameter")
        self.check_names(tag, [each.get("name") for each in found], "parameter")
        return [BoxedEntry(each.get("name"), _nothing, self.items.of(each)) for each in found]

    def check_names(self, owner: Tag, names: Sequence[str], what: str) -> None:
        """Note names that are missing, or given twice."""
        if "" in names:
            self.problems.add(owner, f"a {what} has no name")
        if len(set(names)) < len(names):
            self.problems.add(owner, f"two names of a {what} are the same")

    def result_kind(self, tag: Tag | None) -> Kind:
        """The type of a value, or that of the results of a function."""
        kind = self.items.of(tag)
        return kind.result if isinstance(kind, FunctionKind) and tag and tag.name != "variable" else kind

    def invocation(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<invocation>`."""
        called = self.of(tag, owner, "its invocation")
        bindings: list[BoxedEntry] = []
        for binding in children(tag, "binding"):
            parameter = child(binding, "parameter")
            evaluate = self.of(binding, owner, "a binding of its invocation")
            if evaluate:
                name = parameter.get("name") if parameter else ""
                bindings.append(BoxedEntry(name, evaluate, self.items.of(parameter)))
        self.check_names(owner, [each.name for each in bindings], "binding")
        return boxed.invocation(called, bindings) if called else None

    def conditional(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<conditional>`."""
        parts = [self.inside(tag, name, owner) for name in ("if", "then", "else")]
        found = [part for part in parts if part]
        return boxed.conditional(*found) if len(found) == len(parts) else None

    def filtering(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<filter>`."""
        items, condition = self.inside(tag, "in", owner), self.inside(tag, "match", owner)
        return boxed.filtering(items, condition) if items and condition else None

    def iteration(self, tag: Tag, owner: Tag) -> Evaluator | None:
        """`<for>`, `<some>` and `<every>`."""
        domain = self.inside(tag, "in", owner)
        body = self.inside(tag, "return" if tag.name == "for" else "satisfies", owner)
        return boxed.iteration(tag.name, tag.get("iteratorVariable"), domain, body) if domain and body else None

    def expression(self, tag: Tag, what: str, text: str, *, optional: bool = False) -> Evaluator | None:
        """A compiled expression; None where there is none, or none that can be read."""
        language = tag.get("expressionLanguage") or self.language
        if not _LANGUAGES.fullmatch(language.rstrip("/").rpartition("/")[2]):
            self.problems.add(tag, f"{what} is written in {language}; write FEEL")
            return None
        if not text or text == "-":
            if not optional:
                self.problems.add(tag, f"{what} is empty")
            return None
        return self.attempt(tag, what, lambda: self.compile(text))

    def compile(self, text: str) -> Evaluator:
        """Compile a FEEL expression, marked or not, or a JUEL one."""
        return compile_expression(marked(text.strip()), "null", keeps_dates=True, environment=self.environment).run

    def attempt(self, tag: Tag, what: str, compile_it: Callable[[], _Compiled]) -> _Compiled | None:
        """What is compiled, counted; None with a problem noted when it can't be."""
        self.problems.count(1)
        try:
            return compile_it()
        except (ExpressionError, EvaluationError) as error:
            self.problems.add(tag, f"{what}: {error}")
            return None


def _typed(evaluate: Evaluator, kind: Kind) -> Evaluator:
    return evaluate if kind is ANY else lambda scope, meter: converted(evaluate(scope, meter), kind, meter)


def _nothing(*_: object) -> None:
    """What a parameter is before it is given."""


READERS: Mapping[str, Callable[[ExpressionReader, Tag, Tag], Evaluator | None]] = {
    "literalExpression": ExpressionReader.literal,
    "decisionTable": ExpressionReader.table,
    "context": ExpressionReader.context,
    "list": ExpressionReader.listed,
    "relation": ExpressionReader.relation,
    "functionDefinition": ExpressionReader.function,
    "invocation": ExpressionReader.invocation,
    "conditional": ExpressionReader.conditional,
    "filter": ExpressionReader.filtering,
    "for": ExpressionReader.iteration,
    "some": ExpressionReader.iteration,
    "every": ExpressionReader.iteration,
}
"""Every boxed expression that is read."""
NO_EXPRESSIONS: Sequence[str] = (
    "description", "extensionElements", "question", "allowedAnswers", "variable", "informationRequirement",
    "knowledgeRequirement", "authorityRequirement", "supportedObjective", "impactedPerformanceIndicator",
    "decisionMaker", "decisionOwner", "usingProcess", "usingTask", "formalParameter", "parameter", "binding",
)  # fmt: skip
