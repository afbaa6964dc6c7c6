"""One `advance` at work: a changeable copy of the instance, the tokens under way and the effects so far."""

from .behavior import Behavior, Catcher, Model
from .flows import Flow, Way
from .run import INTERRUPTED, Run

__all__ = ["INTERRUPTED", "Behavior", "Catcher", "Flow", "Model", "Run", "Way"]
