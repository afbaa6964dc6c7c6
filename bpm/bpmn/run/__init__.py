"""One `advance` at work: a changeable copy of the instance, and the effects so far.

A `Run` holds it by nouns, a module each: tokens, joins, scopes, variables, waits. What happens among them has
modules too: `catching` what is thrown, `conditions` that become true, `listening` of the process itself. What an
element means is the nodes' business; a run knows them as `Behavior`.
"""

from bpm.bpmn.run.behavior import Behavior, Catcher, Model
from bpm.bpmn.run.flows import Flow, Way
from bpm.bpmn.run.run import Run

__all__ = ["Behavior", "Catcher", "Flow", "Model", "Run", "Way"]
