"""DMN decisions: `load_decisions(xml)` reads a file, `decide` evaluates one of its decisions.

    tables         decision tables with every hit policy     unary          the tests of their cells
    boxed          every other kind of expression            conversions    JSON as values of the declared types
    evaluate       decisions with what they require, business knowledge and services as functions
    trial          a decision evaluated once, with the rules that match
    reader         the file as a whole; expressions and table_reader read its parts, items its types

Versions 1.1 to 1.5 are read alike. What is not evaluated is refused by its id.
"""

from bpm.dmn.evaluate import Decision, DecisionService, DecisionTable, decide
from bpm.dmn.failures import DecisionFailed
from bpm.dmn.reader import load_decisions
from bpm.dmn.trial import DecisionTrial, try_decision

__all__ = [
    "Decision",
    "DecisionFailed",
    "DecisionService",
    "DecisionTable",
    "DecisionTrial",
    "decide",
    "load_decisions",
    "try_decision",
]
