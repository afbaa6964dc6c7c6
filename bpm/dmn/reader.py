"""DMN XML -> decisions, or every reason why not, in one answer."""

from collections.abc import Iterator

from bpm.dmn.boxed import BoxedEntry
from bpm.dmn.decision_table import Table
from bpm.dmn.evaluate import Boxed, Decision, DecisionService, DecisionTable, Knowledge
from bpm.dmn.expressions import READERS, ExpressionReader
from bpm.dmn.items import ItemDefinitions
from bpm.dmn.problems import Problems
from bpm.dmn.tags import child, children, every, reference, version_tag
from bpm.dmn.unknown import check_unknown
from bpm.expressions import Environment
from bpm.expressions.kinds import ANY, FunctionKind, Kind
from bpm.model_files.names import MAX_NAME
from bpm.model_files.problems import BpmnProblem, InvalidDefinition
from bpm.model_files.xml import Tag, read_xml

_NAMESPACE = "omg.org/spec/DMN/"
_DECLARING = frozenset({
    "inputData", "decision", "businessKnowledgeModel", "decisionService", "variable", "formalParameter", "parameter",
    "itemDefinition", "itemComponent", "column", "output",
})  # fmt: skip
MAX_DECISIONS = 100
"""How many decisions and services a file may hold: each is stored with the whole file."""
MAX_DEPTH = 128
"""How long a chain of requirements may be."""
MAX_SPACED = 200
"""How many names with blanks or marks a file may declare: they are looked for in every expression."""


def load_decisions(source: str | bytes, *, is_deployed: bool = False) -> dict[str, Decision]:
    """Read every decision and service of a DMN file, by id; raises InvalidDefinition with every problem.

    In a file that is deployed words that are refused by now are passed over, as they were in its day.
    """
    root = read_xml(source)
    if root.name != "definitions" or _NAMESPACE not in root.namespace:
        message = f"the root element is <{root.name}>, not DMN's <definitions>"
        raise InvalidDefinition([BpmnProblem(message, line=root.line)])
    if len(children(root, "decision", "decisionService")) > MAX_DECISIONS:
        message = f"the file holds more than {MAX_DECISIONS} decisions; put them into several files"
        raise InvalidDefinition([BpmnProblem(message, line=root.line)])
    reader = ModelReader(root)
    if not is_deployed:
        check_unknown(root, reader.problems)
    return reader.decisions()


def _environment(root: Tag, items: ItemDefinitions) -> Environment:
    """What the expressions of a file can name; raises InvalidDefinition for too many names with blanks."""
    names = {tag.get("name") for tag in every(root) if tag.name in _DECLARING}
    names |= {tag.get("iteratorVariable") for tag in every(root)}
    if sum(not (name.isidentifier() or name == "") for name in names) > MAX_SPACED:
        raise InvalidDefinition([BpmnProblem(f"the file declares more than {MAX_SPACED} names with blanks or marks")])
    called = {tag.get("name") for tag in children(root, "businessKnowledgeModel", "decisionService")}
    return Environment(frozenset(names - {""}), frozenset(called), items.kinds, is_model=True)


class ModelReader:
    """Reads one file, gathering its problems."""

    def __init__(self, root: Tag) -> None:
        self.problems = Problems()
        self.root = root
        self.items = ItemDefinitions(root, self.problems.add)
        self.expressions = ExpressionReader(
            _environment(root, self.items), self.items, self.problems, root.get("expressionLanguage")
        )
        self.by_id: dict[str, list[Tag]] = {}
        for tag in root.children:
            if tag.get("id"):
                self.by_id.setdefault(tag.get("id"), []).append(tag)
        self.tags = {ident: found[0] for ident, found in self.by_id.items()}
        self.built: dict[str, DecisionTable | Knowledge | DecisionService | None] = {}

    def decisions(self) -> dict[str, Decision]:
        """Build all of them."""
        tags = children(self.root, "decision", "decisionService")
        if not tags:
            self.problems.found.append(BpmnProblem("the file holds no <decision>", line=self.root.line))
        for ident, tags_of_it in self.by_id.items():
            if len(tags_of_it) > 1:
                self.problems.add(tags_of_it[1], f"the id '{ident}' is given {len(tags_of_it)} times")
        for tag in children(self.root, "import"):
            self.problems.add(tag, "it imports another file, which is not evaluated; put everything into one")
        for tag in tags:
            if not tag.get("id"):
                self.problems.add(tag, "the decision has no id")
            elif len(tag.get("id")) > MAX_NAME:
                self.problems.add(tag, f"its id is longer than {MAX_NAME} characters")
            if len(version_tag(tag)) > MAX_NAME:
                self.problems.add(tag, f"its version tag is longer than {MAX_NAME} characters")
        found = [self.build(tag.get("id"), ()) for tag in tags if tag.get("id")]
        self.problems.refuse()
        return {each.id: each for each in found if isinstance(each, DecisionTable | DecisionService)}

    def build(self, name: str, path: tuple[str, ...]) -> DecisionTable | Knowledge | DecisionService | None:
        """Build what has an id, with all that it requires."""
        if name not in self.built:
            tag, inner = self.tags[name], (*path, name)
            match tag.name:
                case "decision":
                    self.built[name] = self.decision(tag, inner)
                case "businessKnowledgeModel":
                    self.built[name] = self.knowledge(tag, inner)
                case _:
                    self.built[name] = self.service(tag, inner)
        return self.built[name]

    def decision(self, tag: Tag, path: tuple[str, ...]) -> DecisionTable | None:
        """Build one decision."""
        requirements = children(tag, "informationRequirement")
        self.check_requirements(tag, [*requirements, *children(tag, "knowledgeRequirement")])
        requires = list(self.required(tag, requirements, "requiredDecision", path))
        knowledge = self.callable_from(tag, path)
        variable = child(tag, "variable")
        called = _called(tag) or tag.get("id")
        logic = self.logic(tag, called)
        if logic is None:
            return None
        return DecisionTable(
            tag.get("id"), tag.get("name"), called, logic,
            tuple(each for each in requires if isinstance(each, DecisionTable)), knowledge,
            self.inputs(requirements), self.expressions.items.of(variable), version_tag(tag),
        )  # fmt: skip

    def logic(self, tag: Tag, called: str) -> Boxed | Table | None:
        """The logic of a decision."""
        found = children(tag, *READERS)
        if len(found) == 1 and found[0].name == "decisionTable":
            return self.expressions.tables.read(found[0], tag)
        evaluate = self.expressions.of(tag, tag, "the decision")
        return Boxed(called, evaluate) if evaluate else None

    def inputs(self, requirements: list[Tag]) -> dict[str, Kind]:
        """The data that are required, with their types."""
        found: dict[str, Kind] = {}
        for requirement in requirements:
            for each in children(requirement, "requiredInput"):
                tag = self.tags.get(reference(each))
                if tag is None or tag.name != "inputData":
                    self.problems.add(requirement, f"it requires the data '{reference(each)}', which the file lacks")
                elif (kind := self.items.of(child(tag, "variable"))) is not ANY:
                    found[_called(tag)] = kind
        return found

    def check_requirements(self, tag: Tag, requirements: list[Tag]) -> None:
        """Note two requirements of a decision that expressions would call alike."""
        references = {reference(each) for one in requirements for each in one.children}
        names = [_called(self.tags[one]) for one in references if one in self.tags]
        for name in sorted({name for name in names if name and names.count(name) > 1}):
            self.problems.add(tag, f"it requires several elements called '{name}', of which one alone would be seen")

    def required(
        self, tag: Tag, requirements: list[Tag], kind: str, path: tuple[str, ...]
    ) -> Iterator[DecisionTable | Knowledge | DecisionService]:
        """What an element requires; what this can't be is a problem."""
        for requirement in requirements:
            if requirement.name == "knowledgeRequirement" and not requirement.children:
                self.problems.add(tag, f"its requirement '{requirement.get('id')}' of business knowledge names none")
            for each in children(requirement, kind):
                name = reference(each)
                if len(path) > MAX_DEPTH:
                    self.problems.add(tag, f"it is the end of more than {MAX_DEPTH} requirements in a row")
                elif name in path:
                    self.problems.add(tag, f"it requires '{name}', which requires it in turn")
                elif name not in self.tags:
                    self.problems.add(tag, f"the decision '{name}' that it requires is not in the file")
                elif found := self.build(name, path):
                    yield found

    def callable_from(self, tag: Tag, path: tuple[str, ...]) -> tuple[Knowledge | DecisionService, ...]:
        """The functions that an element requires."""
        found = self.required(tag, children(tag, "knowledgeRequirement"), "requiredKnowledge", path)
        return tuple(each for each in found if not isinstance(each, DecisionTable))

    def knowledge(self, tag: Tag, path: tuple[str, ...]) -> Knowledge | None:
        """Build a business knowledge model."""
        requires = self.callable_from(tag, path)
        logic, variable = child(tag, "encapsulatedLogic"), child(tag, "variable")
        if logic is None:
            self.problems.add(tag, "the business knowledge holds no logic")
            return None
        if (language := logic.get("kind") or "FEEL") != "FEEL":
            self.problems.add(tag, f"its function is written in {language}; write FEEL")
            return None
        body = self.expressions.of(logic, tag, "the business knowledge")
        if body is None:
            return None
        parameters = tuple(self.expressions.parameters(logic))
        return Knowledge(tag.get("id"), _called(tag), parameters, body, _result(self.items.of(variable)), requires)

    def service(self, tag: Tag, path: tuple[str, ...]) -> DecisionService | None:
        """Build a decision service, whose parameters are its data, then the decisions that are given to it."""
        given = [self.tags.get(reference(each)) for each in children(tag, "inputDecision")]
        data = [self.tags.get(reference(each)) for each in children(tag, "inputData")]
        decisions = list(self.required(tag, [tag], "outputDecision", path))
        if None in (*given, *data) or not decisions:
            self.problems.add(tag, "the service lacks an output decision, or names an input that is not in the file")
            return None
        return DecisionService(
            tag.get("id"),
            _called(tag),
            tuple(self.parameter(each) for each in (*data, *given) if each),
            {_called(each): each.get("id") for each in given if each},
            tuple(each for each in decisions if isinstance(each, DecisionTable)),
            _result(self.items.of(child(tag, "variable"))),
            version_tag(tag),
        )

    def parameter(self, tag: Tag) -> BoxedEntry:
        """Data or a decision as a parameter."""
        return BoxedEntry(_called(tag), lambda _, __: None, self.items.of(child(tag, "variable")))


def _called(tag: Tag) -> str:
    """The name by which expressions call an element: its variable's, or else its own."""
    variable = child(tag, "variable")
    return (variable.get("name") if variable else "") or tag.get("name")


def _result(kind: Kind) -> Kind:
    """The type of the results of what has a type as a whole."""
    return kind.result if isinstance(kind, FunctionKind) else kind
