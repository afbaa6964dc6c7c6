"""The words of DMN 1.1 to 1.5 by the elements that hold them: what may stand where, and what of it only once."""

from collections.abc import Mapping
from typing import NamedTuple

_TYPED = frozenset({"id", "label", "typeRef"})
_EXPRESSION = _TYPED | {"expressionLanguage"}
_NAMED = frozenset({"id", "label", "name"})
_VALUE = _NAMED | {"typeRef"}
_LOGIC = frozenset({
    "literalExpression", "decisionTable", "context", "list", "relation", "functionDefinition", "invocation",
    "conditional", "filter", "for", "some", "every",
})  # fmt: skip
"""The elements that are an expression; of how many one may be made is judged where it is read."""
_ANYWHERE = frozenset({"description", "extensionElements"})


class Words(NamedTuple):
    """What an element may have: attributes, children of which there is one, and those of which there may be many."""

    attributes: frozenset[str]
    once: frozenset[str] = frozenset()
    many: frozenset[str] = frozenset()


def _words(attributes: frozenset[str], once: str = "", many: str = "", *, holds_logic: bool = False) -> Words:
    return Words(
        attributes, frozenset(once.split()) | _ANYWHERE, frozenset(many.split()) | (_LOGIC if holds_logic else set())
    )


_TEXT = _words(_EXPRESSION, "text")
_LITERAL = _words(_EXPRESSION, "text importedValues")
_PART = _words(_TYPED, holds_logic=True)
_FUNCTION = _words(_TYPED | {"kind"}, many="formalParameter", holds_logic=True)
_LOOP = _TYPED | {"iteratorVariable"}
_ITEM = _words(
    _NAMED | {"typeLanguage", "isCollection", "typeRef"},
    "typeRef allowedValues typeConstraint functionItem",
    "itemComponent",
)

ELEMENTS: Mapping[str, Words] = {
    "definitions": _words(
        _NAMED | {"namespace", "expressionLanguage", "typeLanguage", "exporter", "exporterVersion"},
        many="import itemDefinition decision businessKnowledgeModel decisionService inputData knowledgeSource group "
        "textAnnotation association elementCollection performanceIndicator organizationUnit",
    ),
    "decision": _words(
        _NAMED,
        "question allowedAnswers variable",
        "informationRequirement knowledgeRequirement authorityRequirement supportedObjective "
        "impactedPerformanceIndicator decisionMaker decisionOwner usingProcess usingTask",
        holds_logic=True,
    ),
    "businessKnowledgeModel": _words(_NAMED, "encapsulatedLogic variable", "knowledgeRequirement authorityRequirement"),
    "decisionService": _words(_NAMED, "variable", "outputDecision encapsulatedDecision inputDecision inputData"),
    "inputData": _words(_NAMED | {"href"}, "variable"),
    "informationRequirement": _words(_NAMED, many="requiredDecision requiredInput"),
    "knowledgeRequirement": _words(_NAMED, many="requiredKnowledge"),
    "variable": _words(_VALUE),
    "formalParameter": _words(_VALUE),
    "parameter": _words(_VALUE),
    "column": _words(_VALUE),
    "itemDefinition": _ITEM,
    "itemComponent": _ITEM,
    "functionItem": _words(_NAMED | {"outputTypeRef"}, many="parameters"),
    "parameters": _words(_VALUE),
    "encapsulatedLogic": _FUNCTION,
    "functionDefinition": _FUNCTION,
    "literalExpression": _LITERAL,
    "inputExpression": _LITERAL,
    "outputEntry": _LITERAL,
    "defaultOutputEntry": _LITERAL,
    "inputEntry": _TEXT,
    "inputValues": _TEXT,
    "outputValues": _TEXT,
    "allowedValues": _TEXT,
    "typeConstraint": _TEXT,
    "decisionTable": _words(
        _TYPED | {"hitPolicy", "aggregation", "preferredOrientation", "outputLabel"},
        many="input output annotation rule",
    ),
    "input": _words(_NAMED, "inputExpression inputValues"),
    "output": _words(_VALUE, "outputValues defaultOutputEntry"),
    "rule": _words(_NAMED, many="inputEntry outputEntry annotationEntry"),
    "context": _words(_TYPED, many="contextEntry"),
    "contextEntry": _words(_NAMED, "variable", holds_logic=True),
    "list": _words(_TYPED, holds_logic=True),
    "relation": _words(_TYPED, many="column row"),
    "row": _words(_TYPED, holds_logic=True),
    "invocation": _words(_TYPED, many="binding", holds_logic=True),
    "binding": _words(_NAMED, "parameter", holds_logic=True),
    "conditional": _words(_TYPED, "if then else"),
    "filter": _words(_TYPED, "in match"),
    "for": _words(_LOOP, "in return"),
    "some": _words(_LOOP, "in satisfies"),
    "every": _words(_LOOP, "in satisfies"),
    **dict.fromkeys(("if", "then", "else", "in", "match", "return", "satisfies"), _PART),
}
"""By local name; what is not listed means nothing for evaluation, whatever it holds."""
