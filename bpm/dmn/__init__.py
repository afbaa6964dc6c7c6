"""DMN decisions: `load_decisions(xml)` reads a file, `decide` evaluates one of its decisions.

    tables         decision tables with every hit policy     unary          the tests of their cells
    boxed          every other kind of expression            conversions    JSON as values of the declared types
    evaluate       decisions with what they require, business knowledge and services as functions
    reader         the file as a whole; expressions and table_reader read its parts, items its types

Versions 1.1 to 1.5 are read alike. What is not evaluated is refused by its id.
"""

from bpm.dmn.evaluate import Decision, DecisionService, DecisionTable, decide, matching_rules
from bpm.dmn.failures import DecisionFailed
from bpm.dmn.reader import load_decisions

__all__ = [
    "Decision",
    "DecisionFailed",
    "DecisionService",
    "DecisionTable",
    "decide",
    "load_decisions",
    "matching_rules",
]
