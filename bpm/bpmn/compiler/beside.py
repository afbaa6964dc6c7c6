"""Adds the nodes of what is done beside elements: their keys, and how tokens come to them."""

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.beside.mapping_scripts import InputScripts, OutputScripts
from bpm.bpmn.elements.beside.work import Beside
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.results import ResultNode

Nodes = dict[str, Node]


def add_beside(nodes: Nodes, compilation: Compilation) -> None:
    """Add the nodes for every element; those of a repeated activity stand beside each of its turns."""
    elements = compilation.elements
    for node in list(nodes.values()):
        element = elements[node.id]
        if element.loop is None or isinstance(node, Activity):
            for added in _beside(element, node, compilation):
                nodes[added.key] = added
            if node.key == node.id:
                compilation.entries[node.id] = node.entry


def _beside(element: Element, node: Node, compilation: Compilation) -> list[Beside]:
    added: list[Beside] = []
    if isinstance(node, Activity) and node.inputs and node.inputs.scripts:
        inputs = InputScripts(element, node, node.inputs, compilation)
        node.entry = inputs.key
        added.append(inputs)
    if isinstance(node, ResultNode) and node.outputs and node.outputs.scripts:
        outputs = OutputScripts(element, node, node.outputs, compilation)
        node.held_at = outputs.key
        added.append(outputs)
    return added
