"""DMN decisions: `load_decisions(xml)` reads a file, `decide` evaluates one of its decisions.

Decision tables with every hit policy, literal expressions, and decisions that require others, as DMN 1.3 defines
them (versions 1.1 to 1.5 are read alike). What is not evaluated is refused by its id.
"""

from bpm.dmn.evaluate import DecisionFailed, DecisionTable, decide
from bpm.dmn.reader import load_decisions

__all__ = ["DecisionFailed", "DecisionTable", "decide", "load_decisions"]
