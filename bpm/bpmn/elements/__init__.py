"""What each BPMN element does: one class an element, found by its tag and event definition.

A new element is a new class with `element="…"` in a module of this package; nothing else has to know.
"""

from importlib import import_module
from pkgutil import walk_packages

from bpm.bpmn.elements.node import REGISTRY, Node

__all__ = ["Node", "find_node_class"]

for _module in walk_packages(__path__, f"{__name__}."):
    import_module(_module.name)


def find_node_class(kind: str, event: str) -> type[Node] | None:
    """The class for a tag and the kind of its event definition (empty: none)."""
    return REGISTRY.get((kind, event))
